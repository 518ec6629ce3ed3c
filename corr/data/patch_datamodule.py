"""Pairs of matching patches for training, from any folder of photographs."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Int64
from torch import Tensor

from corr.data.near_duplicates import warn_of_near_duplicates
from corr.data.patches import DetectorNoise, PatchArrays, PatchSampler
from corr.data.photometric import Photometry
from corr.data.photos import Photos, find_photos
from corr.data.resumable import VAL, ResumableLoader, ShareOfSteps
from corr.data.step_datamodule import StepDataModule, check_least
from corr.data.viewpoints import Viewpoints
from corr.geometry import PATCH_SIGMAS


class PatchPairs(NamedTuple):
    """Patches in [0, 1]; row i of both shows the same point, every other row another one."""

    anchor: Float32[Tensor, "B 1 32 32"]
    positive: Float32[Tensor, "B 1 32 32"]
    points: Float32[Tensor, "B 2"] | None = None
    """Where the anchors are in their photo, (x, y) px."""
    images: Int64[Tensor, " B"] | None = None
    """Number of that photo, the same in every process."""
    tracks: Int64[Tensor, " B"] | None = None
    """Number of the point that a row shows, where it may come more than once."""


class PatchDataModule(StepDataModule):
    """Patches around SIFT keypoints of photographs, and of random views of them.

    A training batch depends on the seed and on its step alone. The validation pairs are the same
    in every epoch and for every seed, and no point comes twice among them, so that the positive of
    any other row is a non-match.

    Args:
        folder: photographs; those that scikit-image installs when not given (too few for more than
            a first try).
        val_folder: photographs held out; a tenth of `folder` when not given.
        batch_size: pairs in a batch, on each device.
        pairs_per_photo: pairs from one view of a photo.
        steps_per_epoch: batches in an epoch; there is no natural end.
        num_val_pairs: pairs to validate with; fewer when the photos have fewer points.
        num_workers: processes that make batches; 0 makes them in the main one.
        seed: of the views, the light and the order of the photos.
        viewpoints: how much the second view differs.
        photometry: how much its light and camera differ.
        detector_noise: how far its keypoints are off, where `redetect` is off.
        redetect: detect keypoints in the second view too, and take those that were found twice.
        sigmas: side of the image region in a patch, in sigmas of its keypoint.

    Raises:
        OptionError: a number outside its range.
    """

    def __init__(
        self,
        folder: str | None = None,
        val_folder: str | None = None,
        *,
        batch_size: int = 512,
        pairs_per_photo: int = 64,
        steps_per_epoch: int = 100,
        num_val_pairs: int = 10000,
        num_workers: int = 1,
        seed: int = 0,
        viewpoints: Viewpoints | None = None,
        photometry: Photometry | None = None,
        detector_noise: DetectorNoise | None = None,
        redetect: bool = False,
        sigmas: float = PATCH_SIGMAS,
    ) -> None:
        super().__init__(steps_per_epoch=steps_per_epoch, num_workers=num_workers, seed=seed)
        check_least(
            batch_size=(batch_size, 2),
            pairs_per_photo=(pairs_per_photo, 1),
            num_val_pairs=(num_val_pairs, 2),
        )
        self.folder = folder
        self.val_folder = val_folder
        self.batch_size = batch_size
        self.pairs_per_photo = pairs_per_photo
        self.num_val_pairs = num_val_pairs
        self.viewpoints = viewpoints or Viewpoints()
        self.photometry = photometry or Photometry()
        self.detector_noise = None if redetect else detector_noise or DetectorNoise()
        self.sigmas = sigmas

    def read_train(self) -> PatchSampler:
        """The photographs to train on."""
        return self._sampler(find_photos(self.folder, self.val_folder)[0])

    def read_val(self) -> Any:
        """The validation pairs, of the photographs held out."""
        rng = np.random.default_rng((VAL, 0))
        return self._val_sampler().batch(self.num_val_pairs, self.pairs_per_photo, rng)

    def train_dataloader(self) -> ResumableLoader[PatchArrays, PatchPairs]:
        """Batches of `PatchPairs`, without end over the epochs, resumable at any step."""
        self.setup("fit")
        make = TrainingPairs(self._train, self.batch_size, self.pairs_per_photo, **self.share)
        return self.loader(make, to_pairs)

    def val_dataloader(self) -> ValidationPairs:
        """The validation pairs in batches of `PatchPairs`."""
        self.setup("validate")
        return ValidationPairs(self._val, self.batch_size)

    def _val_sampler(self) -> PatchSampler:
        sampler = self._sampler(find_photos(self.folder, self.val_folder)[1])
        if self._train is not None and self.is_first:
            warn_of_near_duplicates(self._train.photos, sampler.photos)
        return sampler

    def _sampler(self, paths: Sequence[Path]) -> PatchSampler:
        return PatchSampler(
            Photos(paths),
            viewpoints=self.viewpoints,
            photometry=self.photometry,
            detector_noise=self.detector_noise,
            sigmas=self.sigmas,
        )


@dataclass(frozen=True)
class TrainingPairs(ShareOfSteps):
    """Makes the patches of any step."""

    sampler: PatchSampler
    batch_size: int
    pairs_per_photo: int

    def __call__(self, step: int) -> PatchArrays:
        """The batch, the same whenever and wherever it is made."""
        return self.sampler.batch(self.batch_size, self.pairs_per_photo, self.rng(step))


class ValidationPairs:
    """Stored pairs, in batches; the same ones at each iteration.

    Args:
        stored: a named tuple of arrays of as many rows, the anchors first.
        batch_size: rows in a batch.
        finish: makes a batch of some rows of `stored`; `to_pairs` when not given.
    """

    def __init__(
        self,
        stored: Any,
        batch_size: int,
        finish: Callable[[Any], PatchPairs] | None = None,
    ) -> None:
        self._stored = stored
        self._batch_size = batch_size
        self._finish = finish or to_pairs

    def __len__(self) -> int:
        return math.ceil(len(self._stored[0]) / self._batch_size)

    def __iter__(self) -> Iterator[PatchPairs]:
        for start in range(0, len(self._stored[0]), self._batch_size):
            rows = slice(start, start + self._batch_size)
            yield self._finish(type(self._stored)(*(side[rows] for side in self._stored)))


def to_pairs(stored: PatchArrays) -> PatchPairs:
    """Stored patches as the network reads them."""
    anchor, positive = (torch.as_tensor(side)[:, None].float() / 255 for side in stored[:2])
    return PatchPairs(
        anchor, positive, torch.as_tensor(stored.points), torch.as_tensor(stored.images)
    )
