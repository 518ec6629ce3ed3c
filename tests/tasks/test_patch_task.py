"""The patch task: its figures against naive ones, its optimiser, its refusals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from corr.classical.sift import describe_patches_sift
from corr.data.patch_datamodule import PatchPairs
from corr.errors import OptionError
from corr.losses import TripletLoss
from corr.metrics import fpr95
from corr.models import HardNet
from corr.tasks import PatchTask
from corr.tasks.patch import pairs_fpr95
from corr.tasks.quiet import quiet


class Batches:
    """Lightning takes a list for several loaders."""

    def __init__(self, batches: list[PatchPairs]) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[PatchPairs]:
        return iter(self.batches)


class Stored(pl.LightningDataModule):
    def __init__(self, train: PatchPairs, val: list[PatchPairs]) -> None:
        super().__init__()
        self.train, self.val = train, val

    def train_dataloader(self) -> Batches:
        return Batches([self.train] * 4)

    def val_dataloader(self) -> Batches:
        return Batches(self.val)


def random_pairs(num_pairs: int, seed: int) -> PatchPairs:
    generator = torch.Generator().manual_seed(seed)
    anchor = torch.rand(num_pairs, 1, 32, 32, generator=generator)
    noise = 0.2 * torch.rand(num_pairs, 1, 32, 32, generator=generator)
    return PatchPairs(anchor, (anchor + noise).clamp(0, 1))


def fit(task: PatchTask, val: list[PatchPairs], **settings: Any) -> pl.Trainer:
    with quiet():
        trainer = pl.Trainer(
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            **settings,
        )
        trainer.fit(task, datamodule=Stored(random_pairs(16, 0), val))
    return trainer


def small_task(**settings: Any) -> PatchTask:
    torch.manual_seed(0)
    return PatchTask(HardNet(descriptor_dim=16, dropout=0.0), TripletLoss(), **settings)


def test_fpr95_of_pairs_is_that_of_all_the_distances_listed_one_by_one():
    generator = torch.Generator().manual_seed(3)
    anchors = torch.nn.functional.normalize(torch.randn(40, 4, generator=generator), dim=1)
    noise = 0.3 * torch.randn(40, 4, generator=generator)
    positives = torch.nn.functional.normalize(anchors + noise, dim=1)
    distances = [[float(torch.dist(a, p)) for p in positives] for a in anchors]
    positive = np.array([distances[i][i] for i in range(40)])
    negative = np.array([distances[i][j] for i in range(40) for j in range(40) if i != j])
    assert 0 < pairs_fpr95(anchors, positives) < 1
    assert pairs_fpr95(anchors, positives) == pytest.approx(fpr95(positive, negative), abs=1e-9)


def test_fpr95_does_not_depend_on_how_many_rows_are_taken_at_once(monkeypatch: pytest.MonkeyPatch):
    generator = torch.Generator().manual_seed(4)
    anchors = torch.nn.functional.normalize(torch.randn(50, 3, generator=generator), dim=1)
    whole = pairs_fpr95(anchors, anchors.roll(1, 1))
    monkeypatch.setattr("corr.tasks.patch._ROWS_AT_ONCE", 7)
    assert pairs_fpr95(anchors, anchors.roll(1, 1)) == pytest.approx(whole, abs=1e-12)


def test_validation_logs_fpr95_of_the_network_and_of_rootsift_over_all_batches():
    task = small_task()
    pairs = random_pairs(24, 1)
    halves = [
        PatchPairs(*(side[:12] for side in pairs[:2])),
        PatchPairs(*(side[12:] for side in pairs[:2])),
    ]
    trainer = fit(task, halves, max_steps=4)
    task.eval()
    with torch.no_grad():
        learned = pairs_fpr95(task.network(pairs.anchor), task.network(pairs.positive))
    stored = [(side[:, 0] * 255).round().byte().numpy() for side in pairs[:2]]
    rootsift = pairs_fpr95(
        *(torch.from_numpy(describe_patches_sift(side, sigmas=20.0)) for side in stored)
    )
    assert float(trainer.callback_metrics["val/fpr95"]) == pytest.approx(learned, abs=1e-6)
    assert float(trainer.callback_metrics["val/fpr95_rootsift"]) == pytest.approx(
        rootsift, abs=1e-6
    )


def test_a_step_logs_the_loss_and_the_distances_it_comes_from():
    task = small_task(learning_rate=1e-9)
    pairs = random_pairs(16, 0)
    trainer = fit(task, [pairs], max_steps=1)
    task.train()
    with torch.no_grad():
        anchors, positives = task.network(torch.cat(pairs[:2])).chunk(2)
    distances = torch.cdist(anchors.double(), positives.double())
    positive = distances.diagonal()
    others = distances + torch.diag(torch.full((16,), 9.0))
    negative = torch.minimum(others.amin(0), others.amin(1))
    logged = {name: float(value) for name, value in trainer.callback_metrics.items()}
    expected = (1 + positive - negative).clamp_min(0).mean()
    assert logged["train/loss"] == pytest.approx(float(expected), abs=1e-4)
    assert logged["train/positive_distance"] == pytest.approx(float(positive.mean()), abs=1e-4)
    assert logged["train/negative_distance"] == pytest.approx(float(negative.mean()), abs=1e-4)
    assert logged["train/active_share"] == float((1 + positive > negative).double().mean())


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_training_learns_a_batch_by_heart(optimizer: str):
    task = small_task(optimizer=optimizer, learning_rate=0.1 if optimizer == "sgd" else 0.003)
    pairs = random_pairs(16, 0)

    def loss_now() -> float:
        with torch.no_grad():
            return float(task.train().loss(*task.network(torch.cat(pairs[:2])).chunk(2)))

    before = loss_now()
    fit(task, [pairs], max_steps=20, max_epochs=5)
    assert loss_now() < 0.8 * before


def test_the_learning_rate_of_each_step_follows_the_schedule():
    rates: list[float] = []

    class Watch(pl.Callback):
        def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
            rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    task = small_task(learning_rate=0.4, warmup_steps=3)
    fit(task, [random_pairs(16, 0)], max_steps=8, max_epochs=2, callbacks=[Watch()])
    # The rate in force after step k, so of step k + 1; the first step took 0.4 * 1/4.
    assert rates == pytest.approx([0.2, 0.3, 0.4, 0.32, 0.24, 0.16, 0.08, 0.0])


def test_both_views_go_through_the_network_as_one_batch_in_channels_last():
    task = small_task()
    seen: list[torch.Tensor] = []
    task.network.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    task.describe(random_pairs(6, 0))
    assert [patches.shape[0] for patches in seen] == [12]
    weight = next(value for value in task.network.parameters() if value.shape[1:2] == (32,))
    assert weight.is_contiguous(memory_format=torch.channels_last)


def test_a_loss_that_is_not_finite_ends_training_with_advice():
    class Broken(TripletLoss):
        def forward(self, anchors: torch.Tensor, positives: torch.Tensor) -> torch.Tensor:
            return super().forward(anchors, positives) * float("nan")

    task = PatchTask(HardNet(descriptor_dim=16), Broken(), learning_rate=0.25)
    with pytest.raises(OptionError, match=r"loss is nan after 1 steps.*lower learning_rate.*0\.25"):
        fit(task, [random_pairs(16, 0)], max_steps=4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rate": 0.0}, r"learning_rate is 0\.0; use a value above 0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"weight_decay": -1.0}, r"weight_decay is -1\.0; use 0 or more"),
        ({"warmup_steps": -1}, "warmup_steps is -1; use 0 or more"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str):
    with pytest.raises(OptionError, match=message):
        small_task(**settings)
