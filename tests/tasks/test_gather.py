"""Two processes have the gradients, the statistics and the weights of one with the whole batch."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.distributed as dist

from corr.errors import ShapeError
from corr.losses import Labels
from corr.tasks import Described
from corr.tasks.gather import gather

SCRIPT = Path(__file__).parent / "two_ranks.py"
EXACT = {"rtol": 1e-9, "atol": 1e-12}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ranks")
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,  # a rank that waits for another would wait for half an hour
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def read(folder: Path, case: str, num_ranks: int, rank: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = torch.load(
        folder / f"{case}-of{num_ranks}-rank{rank}.pt", weights_only=True
    )
    return found


@pytest.mark.parametrize(
    "case",
    [
        "triplet",
        "triplet-labels",
        "triplet-points",
        "triplet-unequal",
        "triplet-all-on-one",
        "contrastive",
        "info-nce",
        "sosnet",
        "gemnet",
        "images",
        "images-unpaired",
        "images-nan",
        "nan",
    ],
)
def test_two_ranks_train_as_one_with_the_whole_batch(trained: Path, case: str):
    one = read(trained, case, 1)
    assert len(one["gradients"]) == 3
    assert all(value.dtype == torch.float64 for value in one["gradients"][0].values())
    assert any(float(value.abs().max()) > 1e-3 for value in one["gradients"][0].values())
    for rank in (0, 1):
        both = read(trained, case, 2, rank)
        torch.testing.assert_close(both["gradients"], one["gradients"], **EXACT)
        torch.testing.assert_close(both["state"], one["state"], **EXACT)
        assert float(both["loss"]) == pytest.approx(float(one["loss"]), rel=1e-6)
    running = [name for name in one["state"] if name.endswith("running_var")]
    assert running
    assert all(not torch.equal(one["state"][name], torch.ones(1)) for name in running)


def test_all_ranks_skip_the_step_of_a_bad_batch(trained: Path):
    for num_ranks in (1, 2):
        gradients = read(trained, "nan", num_ranks)["gradients"]
        assert [bool(found) for found in gradients] == [True, False, True]
    kept = [
        torch.load(trained / "nan" / f"nonfinite-1-rank{rank}.pt", weights_only=True)
        for rank in (0, 1)
    ]
    assert [bool(found["batch"]["anchor"].isnan().any()) for found in kept] == [False, True]


def test_images_of_a_track_are_paired_across_ranks(trained: Path):
    """The second of the ranks has no pair of its own."""
    for rank in (0, 1):
        found = read(trained, "images-unpaired", 2, rank)
        assert found["num_seen"] == 6
        assert sorted(found["labels"]["tracks"].tolist()) == [0, 0, 0, 1, 2, 2, 2]


def test_without_a_pair_on_any_rank_all_of_them_say_so(trained: Path):
    for num_ranks, rank in ((1, 0), (2, 0), (2, 1)):
        refused = read(trained, "images-none-paired", num_ranks, rank)["refused"]
        assert refused.startswith("a batch has 12 images and no pair of one track; give two")


def test_frames_count_alike_on_ranks_with_unequal_rows(trained: Path):
    """In float32, where later steps would show how errors grow."""
    one = read(trained, "views", 1)["gradients"][0]
    for rank in (0, 1):
        both = read(trained, "views", 2, rank)["gradients"][0]
        for name, value in one.items():
            assert float((both[name] - value).norm()) <= 3e-4 * float(value.norm()), name


def test_points_of_two_ranks_are_of_different_images(trained: Path):
    """In float32; a number that two ranks gave to different images would leave out negatives."""
    one = read(trained, "dense", 1)
    for rank in (0, 1):
        both = read(trained, "dense", 2, rank)
        assert torch.equal(both["labels"]["images"], one["labels"]["images"])
        assert both["labels"]["images"].unique().tolist() == list(range(12))
        for name, value in one["gradients"][0].items():
            off = float((both["gradients"][0][name] - value).norm())
            assert off <= 3e-4 * float(value.norm()) + 1e-7, name


def test_statistics_of_its_own_rows_alone_would_not_do(trained: Path):
    one, both = (read(trained, "own-statistics", num_ranks) for num_ranks in (1, 2))
    first = [found["gradients"][0]["network.layers.0.weight"] for found in (one, both)]
    assert float((first[0] - first[1]).norm() / first[0].norm()) > 0.01


def test_rows_of_two_ranks_at_the_same_place_are_one_track(trained: Path):
    tracks = read(trained, "triplet-points", 2)["labels"]["tracks"].tolist()
    assert tracks[0] == tracks[9]
    assert len(set(tracks)) == len(tracks) - 1
    known = read(trained, "triplet-labels", 2)["labels"]
    assert known["tracks"].tolist() == [0, 1, 2, 3, 4, 5, 6, 1, 8, 9, 10, 11]


def test_labels_that_only_some_ranks_have_are_refused(monkeypatch: pytest.MonkeyPatch):
    rows = torch.eye(4)
    described = Described(rows, rows, Labels(tracks=torch.arange(4)))

    def all_gather(every: list[torch.Tensor], own: torch.Tensor) -> None:
        every[0].copy_(own)
        every[1].copy_(torch.tensor([4, 0, 0, 0]))

    monkeypatch.setattr(dist, "get_world_size", lambda: 2)
    monkeypatch.setattr(dist, "all_gather", all_gather)
    with pytest.raises(ShapeError, match="labels have tracks in some processes, but not in 1; use"):
        gather(described)
