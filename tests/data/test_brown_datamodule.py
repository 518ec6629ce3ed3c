"""Training pairs from Brown's sets: of one point each, resumable, validated on another set."""

from __future__ import annotations

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from published import brown_set

from corr.data import BrownDataModule
from corr.data.brown import BrownPatches
from corr.data.brown_datamodule import PointPairs
from corr.errors import DatasetError, OptionError

NUM_POINTS = 40


@pytest.fixture(scope="module")
def root(tmp_path_factory) -> Path:
    """Two sets; point k of either has 1 + k % 4 patches, whose grey tells the point."""
    root = tmp_path_factory.mktemp("phototour")
    for number, name in enumerate(("liberty", "notredame")):
        point_ids = np.repeat(np.arange(NUM_POINTS) + 100 * number, 1 + np.arange(NUM_POINTS) % 4)
        grey = (3 * (point_ids % 100) + 60).astype(np.uint8)
        corner = np.arange(len(point_ids)) % 50
        patches = np.tile(grey[:, None, None], (1, 64, 64))
        patches[:, :16, :8] = corner[:, None, None]
        brown_set(root / name, patches, point_ids)
    return root


def module(root: Path, **settings) -> BrownDataModule:
    chosen = {"batch_size": 16, "steps_per_epoch": 3, "num_val_pairs": 20, "num_workers": 0}
    return BrownDataModule(str(root / "liberty"), str(root / "notredame"), **(chosen | settings))


def points_of(side: torch.Tensor) -> torch.Tensor:
    """The point of each patch, from its grey."""
    return ((side[:, 0, 16, 16] * 255).round().long() - 60) // 3


def equal(first, second) -> bool:
    return all(torch.equal(getattr(first, name), getattr(second, name))
               for name in ("anchor", "positive", "tracks"))  # fmt: skip


def test_a_batch_has_two_patches_of_each_of_many_points(root):
    batch = next(iter(module(root, augment=False).train_dataloader()))
    assert batch.anchor.shape == batch.positive.shape == (16, 1, 32, 32)
    assert len(set(batch.tracks.tolist())) == 16
    assert torch.equal(points_of(batch.anchor), batch.tracks)
    assert torch.equal(points_of(batch.positive), batch.tracks)
    assert (batch.tracks % 4 > 0).all()  # the others have one patch
    different = (batch.anchor != batch.positive).flatten(1).any(1)
    assert different.all()
    assert batch.points is None


def test_both_patches_of_a_pair_turn_alike(root):
    plain = next(iter(module(root, augment=False).train_dataloader()))
    turned = next(iter(module(root).train_dataloader()))
    assert torch.equal(plain.tracks, turned.tracks)
    kinds = set()
    for row in range(16):
        changes = {
            "same": lambda p: p, "mirrored": lambda p: p.flip(-1), "turned": lambda p: p.mT,
            "both": lambda p: p.flip(-1).mT,
        }  # fmt: skip
        fits = [
            name
            for name, change in changes.items()
            if torch.equal(change(plain.anchor[row, 0]), turned.anchor[row, 0])
            and torch.equal(change(plain.positive[row, 0]), turned.positive[row, 0])
        ]
        assert len(fits) == 1
        kinds |= set(fits)
    assert len(kinds) == 4


def test_batches_resume_at_any_step_and_do_not_depend_on_workers(root):
    loader = module(root).train_dataloader()
    whole = [*loader, *loader]
    assert not equal(whole[0], whole[1])
    first = module(root, num_workers=1).train_dataloader()
    iterator = iter(first)
    assert equal(next(iterator), whole[0])
    assert equal(next(iterator), whole[1])
    second = module(root).train_dataloader()
    second.load_state_dict(first.state_dict())
    assert all(equal(a, b) for a, b in zip(whole[2:], [*second, *second], strict=True))
    other_seed = next(iter(module(root, seed=1).train_dataloader()))
    assert not equal(other_seed, whole[0])


def test_processes_share_what_one_would_see(root):
    make = module(root).train_dataloader().make
    shares = [replace(make, rank=rank, num_ranks=2) for rank in (0, 1)]
    together = [share(step).tracks for step in (0, 1) for share in shares]
    for step in range(4):
        np.testing.assert_array_equal(make(step).tracks, together[step])
    assert np.array_equal(pickle.loads(pickle.dumps(make))(5).anchor, make(5).anchor)


def test_validation_is_on_the_other_set_and_fixed(root):
    loader = module(root, seed=3).val_dataloader()
    first, again = [*loader], [*module(root).val_dataloader()]
    assert [len(batch.tracks) for batch in first] == [16, 4]
    assert len(loader) == 2
    tracks = torch.cat([batch.tracks for batch in first])
    assert (tracks >= 100).all() and len(set(tracks.tolist())) == 20
    assert all(equal(a, b) for a, b in zip(first, again, strict=True))


def test_refusals(root, tmp_path):
    with pytest.raises(OptionError, match=r"both '.*liberty'; validate on another set"):
        BrownDataModule(str(root / "liberty"), str(root / "notredame" / ".." / "liberty"))
    with pytest.raises(OptionError, match="batch_size is 1; use 2 or more"):
        module(root, batch_size=1)
    with pytest.raises(DatasetError, match="is not a folder"):
        BrownDataModule(str(tmp_path / "no"), str(root / "liberty")).setup()
    alone = BrownPatches(np.zeros((3, 32, 32), np.uint8), np.array([1, 1, 2]))
    with pytest.raises(DatasetError, match="'x' has 1 points with two patches or more"):
        PointPairs("x", alone)
