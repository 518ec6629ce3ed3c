"""Pairs of images with known flow for training, from any source."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from corr.data.correspondence.batches import CorrespondenceBatch, TrainingPairs, make_batch
from corr.data.correspondence.dense_pair import PairSource
from corr.data.correspondence.held_out import HeldOut, Rest
from corr.data.correspondence.mixed_pairs import MixedPairs
from corr.data.correspondence.photo_pairs import PhotoPairs
from corr.data.photometric import Photometry
from corr.data.photos import find_photos
from corr.data.resumable import VAL, ResumableLoader
from corr.data.step_datamodule import StepDataModule, check_least
from corr.data.viewpoints import Viewpoints
from corr.errors import DatasetError, OptionError


class CorrespondenceDataModule(StepDataModule):
    """Pairs of windows and the flow between them: by default two views of a photograph.

    A training batch depends on the seed and on its step alone. The validation pairs are the same
    in every epoch and for every seed.

    Args:
        folder: photographs; those that scikit-image installs when not given (too few for more than
            a first try). Without a `source`.
        val_folder: photographs held out; a tenth of `folder` when not given.
        source: what pairs come from instead.
        val_source: what held-out pairs come from; every tenth thing of `source`, from the first,
            when not given. Frames of one film are much alike: hold out other films.
        beside: a second source, of which some of the training pairs are instead, such as synthetic
            scenes with the parallax that a photograph has not.
        beside_share: of the training pairs, how many are.
        batch_size: pairs in a batch, on each device.
        side: of both images, px.
        steps_per_epoch: batches in an epoch; there is no natural end.
        num_val_pairs: pairs to validate with.
        keypoints: whether keypoints are looked for, of which only some tasks learn.
        num_workers: processes that make batches; 0 makes them in the main one.
        seed: of the views, the light and the order.
        viewpoints: how much the second view of a photograph differs.
        photometry: how much the light and the cameras of its views differ.

    Raises:
        OptionError: a number outside its range, both a folder and a source, or a val_source alone.
    """

    def __init__(
        self,
        folder: str | None = None,
        val_folder: str | None = None,
        *,
        source: PairSource | None = None,
        val_source: PairSource | None = None,
        beside: PairSource | None = None,
        beside_share: float = 0.25,
        batch_size: int = 4,
        side: int = 256,
        steps_per_epoch: int = 200,
        num_val_pairs: int = 64,
        keypoints: bool = True,
        num_workers: int = 1,
        seed: int = 0,
        viewpoints: Viewpoints | None = None,
        photometry: Photometry | None = None,
    ) -> None:
        super().__init__(steps_per_epoch=steps_per_epoch, num_workers=num_workers, seed=seed)
        check_least(batch_size=(batch_size, 1), side=(side, 32), num_val_pairs=(num_val_pairs, 1))
        if source is not None and folder is not None:
            raise OptionError(f"folder is '{folder}' beside a source; give one of them")
        if source is None and val_source is not None:
            raise OptionError("val_source is given without a source; give both")
        if not 0 <= beside_share <= 1:
            raise OptionError(f"beside_share is {beside_share}; use a value in [0, 1]")
        self.folder = folder
        self.val_folder = val_folder
        self.batch_size = batch_size
        self.side = side
        self.num_val_pairs = num_val_pairs
        self.keypoints = keypoints
        self.viewpoints = viewpoints
        self.photometry = photometry
        self.source = source
        self.val_source = val_source
        self.beside = beside
        self.beside_share = beside_share

    def read_train(self) -> PairSource:
        """What training pairs are drawn from.

        Raises:
            DatasetError: a folder is missing or empty, or holds a single pair.
        """
        own = self._own_train()
        return own if self.beside is None else MixedPairs(own, self.beside, self.beside_share)

    def _own_train(self) -> PairSource:
        if self.source is None:
            return self._photos(0)
        if self.val_source is not None:
            return self.source
        if len(self.source) < 2:
            raise DatasetError("the source holds 1 pair; 2 or more are needed to hold one out")
        return Rest(self.source)

    def read_val(self) -> list[CorrespondenceBatch]:
        """The held-out pairs.

        Raises:
            DatasetError: a folder is missing or empty, or a photo cannot be read.
        """
        if self.source is None:
            source: PairSource = self._photos(1)
        else:
            source = self.val_source or HeldOut(self.source)
        make = partial(make_batch, source, 1, self.side, keypoints=self.keypoints)
        return [make(np.random.default_rng((VAL, number))) for number in range(self.num_val_pairs)]

    def train_dataloader(self) -> ResumableLoader[CorrespondenceBatch, CorrespondenceBatch]:
        """Batches without end over the epochs, resumable at any step."""
        if self._train is None:
            self.setup("fit")
        make = TrainingPairs(
            source=self._train, batch_size=self.batch_size, side=self.side,
            keypoints=self.keypoints, **self.share,
        )  # fmt: skip
        return self.loader(make, _as_made)

    def val_dataloader(self) -> HeldOutPairs:
        """The held-out pairs, one at a time."""
        if self._val is None:
            self.setup("validate")
        return HeldOutPairs(self._val)

    def _photos(self, held_out: int) -> PhotoPairs:
        paths = find_photos(self.folder, self.val_folder)[held_out]
        return PhotoPairs(paths, viewpoints=self.viewpoints, photometry=self.photometry)


class HeldOutPairs:
    """The same batches at each iteration."""

    def __init__(self, batches: list[CorrespondenceBatch]) -> None:
        self._batches = batches

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[CorrespondenceBatch]:
        return iter(self._batches)


def _as_made(batch: CorrespondenceBatch) -> CorrespondenceBatch:
    return batch
