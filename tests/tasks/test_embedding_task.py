"""Training of whole-image embeddings: pairs of a batch, figures, both losses, refusals."""

from __future__ import annotations

import csv
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from quick_fit import fit

from corr.classical.colour import colour_histogram
from corr.cli import main
from corr.data import ImageBatch
from corr.errors import ShapeError
from corr.formats import read_image, write_image
from corr.losses import ContrastiveLoss, DescriptorLoss, Guard, TripletLoss
from corr.metrics import mean_average_precision, recall_at_k, relevant_ranks
from corr.models import GeMNet, load_network
from corr.tasks import EmbeddingTask
from corr.tasks.embedding import embedding_figures, pairs_within_tracks
from corr.tasks.training import train

TINY = [
    *("--data.num_workers", "0", "--trainer.logger", "false", "--data.side", "32"),
    *("--model.network.side", "32", "--model.network.width", "4", "--data.steps_per_epoch", "3"),
]


def small_task(loss: DescriptorLoss | None = None, **settings: Any) -> EmbeddingTask:
    torch.manual_seed(0)
    network = GeMNet(descriptor_dim=16, width=4, side=32)
    return EmbeddingTask(network, loss or TripletLoss(0.3), **{"warmup_steps": 0} | settings)


def random_batch(num_tracks: int, per_track: int, seed: int = 0) -> ImageBatch:
    """Noise of a colour of its own for each track."""
    generator = torch.Generator().manual_seed(seed)
    colours = torch.rand(num_tracks, 1, 3, 1, 1, generator=generator)
    noise = torch.rand(num_tracks, per_track, 3, 32, 32, generator=generator)
    tracks = torch.arange(num_tracks).repeat_interleave(per_track)
    return ImageBatch((0.6 * colours + 0.4 * noise).flatten(0, 1), tracks)


def test_pairs_by_hand():
    tracks = torch.tensor([5, 5, 2, 9, 2, 2])
    anchor, positive = pairs_within_tracks(tracks)
    pairs = sorted(zip(anchor.tolist(), positive.tolist(), strict=True))
    assert pairs == [(0, 1), (2, 4), (4, 5), (5, 2)]  # one of two images, three of three, none of 9


@pytest.mark.parametrize("per_track", [2, 3, 5])
def test_pairs_of_a_batch(per_track):
    tracks = torch.arange(4).repeat_interleave(per_track)
    anchor, positive = pairs_within_tracks(tracks[torch.randperm(len(tracks))])
    assert len(anchor) == (4 if per_track == 2 else 4 * per_track)
    assert (anchor != positive).all()


def test_rows_of_one_track_are_no_negatives():
    """Three equal images of each of two tracks: no negative lies nearer than the other track."""
    task = small_task(ContrastiveLoss(neg_margin=1.0, guard=Guard(min_distance=0.0)))
    described = task.describe(random_batch(2, 3))
    assert described.labels is not None
    assert described.labels.tracks.tolist() == [0, 0, 0, 1, 1, 1]
    corners = torch.eye(16)[[0, 0, 0, 1, 1, 1]]
    assert float(task.loss(corners, corners, described.labels)) == pytest.approx(0, abs=1e-6)
    assert float(task.loss(corners, corners)) > 0.1


def test_what_is_shown_are_the_pairs_that_are_described():
    task, batch = small_task().eval(), random_batch(3, 4)
    described, shown = task.describe(batch), task.shown(batch)
    with torch.no_grad():
        for side, images in zip(described[:2], shown, strict=True):
            torch.testing.assert_close(side, task.network(images))


def test_each_image_goes_through_the_network_once():
    task, seen = small_task(), []
    task.network.register_forward_pre_hook(lambda _, given: seen.append(len(given[0])))
    described = task.describe(random_batch(3, 4))
    assert seen == [12]
    assert described.anchors.shape == (12, 16)


def test_the_speed_counts_images_and_not_pairs(monkeypatch):
    """Twelve images make twelve pairs, of 24 descriptors."""
    now = iter(range(100))
    monkeypatch.setattr("corr.tasks.network_task.time.perf_counter", lambda: float(next(now)))
    trainer = fit(small_task(), [random_batch(3, 4)], max_steps=1)
    assert float(trainer.callback_metrics["train/images_per_s"]) == 12


@pytest.mark.parametrize("loss", [TripletLoss(0.3), ContrastiveLoss()])
def test_either_loss_learns_a_batch_by_heart(loss):
    task, batch = small_task(loss, learning_rate=0.003), random_batch(6, 3)

    def loss_now() -> float:
        with torch.no_grad():
            return float(task.train().loss(*task.describe(batch)))

    before = loss_now()
    fit(task, [batch], max_epochs=15)
    assert loss_now() < 0.6 * before


def test_validation_logs_both_figures_over_all_batches():
    task = small_task(learning_rate=1e-9)
    batches = [random_batch(3, 4, seed) for seed in (0, 1)]
    batches[1] = ImageBatch(batches[1].images, batches[1].tracks + 3)
    trainer = fit(task, batches, batches)
    images, tracks = (torch.cat(side) for side in zip(*batches, strict=True))
    with torch.no_grad():
        described = task.network.eval()(images).numpy()
    stored = (images * 255).round().byte().permute(0, 2, 3, 1).numpy()
    histograms = np.stack([colour_histogram(np.ascontiguousarray(one)) for one in stored])
    for name, table in (("", described), ("_histogram", histograms)):
        ranks = relevant_ranks(table, table, tracks.numpy(), tracks.numpy(), leave_self_out=True)
        logged = {key: float(value) for key, value in trainer.callback_metrics.items()}
        assert logged[f"val/recall_1{name}"] == pytest.approx(recall_at_k(ranks, 1), abs=1e-6)
        assert logged[f"val/map{name}"] == pytest.approx(mean_average_precision(ranks), abs=1e-6)
    assert set(logged) >= {"val/accuracy", "val/eer", "val/eer_histogram", "train/loss"}


def test_figures_at_the_extremes():
    tracks = np.repeat(np.arange(6), 4)
    perfect = np.eye(6, dtype=np.float32)[tracks]
    found = embedding_figures(perfect, tracks)
    assert found == {"recall_1": 1.0, "map": 1.0, "accuracy": 1.0, "eer": 0.0}
    # Alike are only images of different tracks: the k-th of each.
    inverted = np.eye(4, dtype=np.float32)[np.tile(np.arange(4), 6)]
    found = embedding_figures(inverted, tracks)
    assert found["recall_1"] == 0.0
    assert found["map"] < 0.2
    assert found["eer"] > 0.5


def test_batches_that_do_not_fit():
    images, _ = random_batch(2, 2)
    with pytest.raises(ShapeError, match="4 images and 3 tracks"):
        small_task().describe((images, torch.tensor([0, 0, 1])))
    with pytest.raises(ShapeError, match="4 images and no pair of one track; give two images or"):
        small_task().describe((images, torch.arange(4)))


def rows(folder: Path, name: str) -> dict[int, float]:
    with (folder / "metrics.csv").open(newline="") as file:
        return {int(row["step"]): float(row[name]) for row in csv.DictReader(file) if row.get(name)}


def test_a_run_and_its_resumption(tmp_path, capsys, monkeypatch):
    whole, part = tmp_path / "whole", tmp_path / "part"
    train(["smoke/triplet-embedding", "--out", str(whole), "--trainer.max_steps", "6", *TINY])
    said = capsys.readouterr().out
    assert "recall@1 on the held-out images" in said
    assert read_image(whole / "hardest.png").shape[0] > 100
    assert f"corr retrieve QUERY --gallery DIR --model {whole}" in said
    assert {"val/recall_1", "val/map_histogram"} <= set(
        (whole / "metrics.csv").read_text().splitlines()[0].split(",")
    )
    assert min(rows(whole, "val/map")) == 0
    assert isinstance(load_network(whole), GeMNet)
    assert load_network(whole).side == 32
    compute = EmbeddingTask.training_step

    def compute_and_signal(self: EmbeddingTask, batch: object, batch_idx: int) -> torch.Tensor:
        if self.trainer.global_step == 3:
            signal.raise_signal(signal.SIGTERM)
        return compute(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(EmbeddingTask, "training_step", compute_and_signal)
        with pytest.raises(SystemExit):
            train(
                ["smoke/triplet-embedding", "--out", str(part), "--trainer.max_steps", "6", *TINY]
            )
    train([str(part), "--ckpt_path", str(part / "last.ckpt")])
    assert rows(part, "train/loss") == rows(whole, "train/loss")
    assert rows(part, "val/map") == rows(whole, "val/map")


class TestRefusals:
    """One sentence and status 2, through the command."""

    @pytest.fixture
    def refused(self, capsys, tmp_path):
        def run(*options: str) -> str:
            out = ["--out", str(tmp_path / "run"), "--data.num_workers", "0"]
            status = main(["train", *options, *out, "--trainer.logger", "false"])
            error = capsys.readouterr().err
            assert status == 2, error
            assert error.count("\n") == 1
            assert "Traceback" not in error
            return error

        return run

    @pytest.fixture
    def folder(self, tmp_path) -> Path:
        for name in ("a", "b", "c", "d"):
            (tmp_path / "ids" / name).mkdir(parents=True)
            for number in range(2):
                image = np.full((20, 20, 3), 40 * number, np.uint8)
                write_image(tmp_path / "ids" / name / f"{number}.png", image)
        return tmp_path / "ids"

    def test_folders(self, refused, folder, tmp_path):
        (tmp_path / "empty").mkdir()
        said = refused("embedding/triplet-photos", "--data.folder", str(tmp_path / "empty"))
        assert "holds no photo" in said
        recipe = "embedding/siamese-identities"
        said = refused(recipe, "--data.folder", str(tmp_path / "empty"))
        assert "holds 0 folders with images" in said
        said = refused(recipe, "--data.folder", str(folder / "a"))
        assert "holds 0 folders with images" in said
        said = refused(recipe, "--data.folder", str(folder))
        assert "images_per_identity is 4, and no identity in" in said
        fewer = ("--data.images_per_identity", "2", "--data.folder", str(folder))
        assert "num_identities is 32, and there are 2" in refused(recipe, *fewer)

    def test_an_image_that_cannot_be_read(self, refused, folder):
        for path in folder.rglob("1.png"):
            path.write_bytes(b"no image")
        settings = ("--data.images_per_identity", "2", "--data.num_identities", "2")
        said = refused("embedding/siamese-identities", "--data.folder", str(folder), *settings)
        assert "is not an image in a format" in said

    def test_another_side_than_the_networks(self, refused):
        said = refused("smoke/siamese", "--data.side", "48")
        assert "side of the network is 64 and of the data 48; give both the same" in said
