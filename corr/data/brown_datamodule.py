"""Pairs of matching patches for training, from Brown's PhotoTour sets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Int64, UInt8

from corr.data.brown import BrownPatches, read_brown
from corr.data.patch_datamodule import PatchPairs, ValidationPairs
from corr.data.resumable import VAL, ResumableLoader, ShareOfSteps
from corr.data.step_datamodule import StepDataModule, check_least
from corr.errors import DatasetError, OptionError


class TrackedPatches(NamedTuple):
    """Patches of the same points, row by row, and the number of each point."""

    anchor: UInt8[np.ndarray, "B 32 32"]
    positive: UInt8[np.ndarray, "B 32 32"]
    tracks: Int64[np.ndarray, " B"]


class BrownDataModule(StepDataModule):
    """Two patches of each of many points of one set; held-out pairs of another set.

    A training batch depends on the seed and on its step alone, and no point comes twice in it. Its
    tracks say which point a row shows, so that batches of several devices have no false negatives.

    Args:
        folder: of the set to train on, such as `liberty`.
        val_folder: of the set to validate with, which has to be another one.
        batch_size: pairs in a batch, on each device.
        steps_per_epoch: batches in an epoch; there is no natural end.
        num_val_pairs: pairs to validate with; fewer when the set has fewer points.
        num_workers: processes that make batches; 0 makes them in the main one.
        seed: of the points and their patches.
        augment: mirror and transpose both patches of a pair at random.

    Raises:
        OptionError: a number outside its range, or one set for both.
    """

    def __init__(
        self,
        folder: str,
        val_folder: str,
        *,
        batch_size: int = 1024,
        steps_per_epoch: int = 1000,
        num_val_pairs: int = 10000,
        num_workers: int = 1,
        seed: int = 0,
        augment: bool = True,
    ) -> None:
        super().__init__(steps_per_epoch=steps_per_epoch, num_workers=num_workers, seed=seed)
        check_least(batch_size=(batch_size, 2), num_val_pairs=(num_val_pairs, 2))
        if Path(folder).resolve() == Path(val_folder).resolve():
            raise OptionError(f"folder and val_folder are both '{folder}'; validate on another set")
        self.folder = folder
        self.val_folder = val_folder
        self.batch_size = batch_size
        self.num_val_pairs = num_val_pairs
        self.augment = augment

    def read_train(self) -> PointPairs:
        """The set to train on."""
        return PointPairs(self.folder, read_brown(self.folder))

    def read_val(self) -> TrackedPatches:
        """The validation pairs, of the other set."""
        held_out = PointPairs(self.val_folder, read_brown(self.val_folder))
        return held_out.draw(self.num_val_pairs, np.random.default_rng((VAL, 0)))

    def train_dataloader(self) -> ResumableLoader[TrackedPatches, PatchPairs]:
        """Batches of `PatchPairs`, without end over the epochs, resumable at any step."""
        self.setup("fit")
        make = TrainingPoints(self._train, self.batch_size, self.augment, **self.share)
        return self.loader(make, _to_pairs)

    def val_dataloader(self) -> ValidationPairs:
        """The validation pairs in batches of `PatchPairs`."""
        self.setup("validate")
        return ValidationPairs(self._val, self.batch_size, _to_pairs)


class PointPairs:
    """Draws two patches of each of several points.

    Args:
        folder: where the set was read, for what it may have to say.
        found: the set; points with one patch alone are left out.

    Raises:
        DatasetError: fewer than two points have two patches.
    """

    def __init__(self, folder: str, found: BrownPatches) -> None:
        points, counts = np.unique(found.point_ids, return_counts=True)
        starts = np.cumsum(counts) - counts
        several = counts > 1
        if several.sum() < 2:
            raise DatasetError(
                f"'{folder}' has {int(several.sum())} points with two patches or more; training "
                "needs two"
            )
        self.patches = found.patches
        self._by_point = np.argsort(found.point_ids, kind="stable")
        self._points, self._starts, self._counts = points[several], starts[several], counts[several]

    def draw(self, num_pairs: int, rng: np.random.Generator) -> TrackedPatches:
        """Pairs of so many different points, or of all that there are."""
        num = min(num_pairs, len(self._points))
        chosen = rng.choice(len(self._points), num, replace=False)
        counts = self._counts[chosen]
        first = rng.integers(counts)
        second = (first + rng.integers(1, counts)) % counts
        rows = self._by_point[self._starts[chosen] + np.stack((first, second))]
        return TrackedPatches(self.patches[rows[0]], self.patches[rows[1]], self._points[chosen])


@dataclass(frozen=True)
class TrainingPoints(ShareOfSteps):
    """Makes the patches of any step."""

    points: PointPairs
    batch_size: int
    augment: bool

    def __call__(self, step: int) -> TrackedPatches:
        """The batch, the same whenever and wherever it is made."""
        rng = self.rng(step)
        anchor, positive, tracks = self.points.draw(self.batch_size, rng)
        if self.augment:
            mirrored, transposed = rng.random((2, len(anchor))) < 0.5
            for side in (anchor, positive):
                side[mirrored] = side[mirrored, :, ::-1]
                side[transposed] = side[transposed].transpose(0, 2, 1)
        return TrackedPatches(anchor, positive, tracks)


def _to_pairs(stored: TrackedPatches) -> PatchPairs:
    anchor, positive = (torch.as_tensor(side)[:, None].float() / 255 for side in stored[:2])
    return PatchPairs(anchor, positive, tracks=torch.as_tensor(stored.tracks))
