"""What data modules of whole images share: P x K batches of random views, and held-out images."""

from __future__ import annotations

from abc import abstractmethod
from typing import cast

import pytorch_lightning as pl

from corr.data.image_batches import (
    HeldOutImages,
    ImageArrays,
    ImageBatch,
    LabelledImages,
    TrainingViews,
    to_batch,
)
from corr.data.photometric import PhotometricChange, Photometry
from corr.data.pk_sampler import PKSampler
from corr.data.resumable import ResumableLoader
from corr.data.views import Views
from corr.errors import OptionError

HARD = Photometry(
    brightness=0.3, contrast=0.5, gamma=1.8, colour=0.6, hue=0.1, grey=0.1, noise=0.04, blur=1.5,
    min_jpeg_quality=25, probability=0.7,
)  # fmt: skip
"""Light and cameras that leave little of a photograph's colours."""


class ImageDataModule(pl.LightningDataModule):
    """Random views of images of known identities; its subclasses say which images.

    Args:
        num_identities: P, in a batch, on each device.
        images_per_identity: K, in a batch.
        side: of a view, px; the network should be told the same.
        steps_per_epoch: batches in an epoch; there is no natural end.
        num_workers: processes that make batches; 0 makes them in the main one.
        seed: of the views, the light and the order of the identities.
        views: how much a view differs.
        photometry: how much its light and camera differ.

    Raises:
        OptionError: a number outside its range.
    """

    def __init__(
        self,
        *,
        num_identities: int,
        images_per_identity: int,
        side: int,
        steps_per_epoch: int,
        num_workers: int,
        seed: int,
        views: Views | None,
        photometry: Photometry | None,
    ) -> None:
        super().__init__()
        counts = {
            "num_identities": (num_identities, 2),
            "images_per_identity": (images_per_identity, 2),
            "side": (side, 16),
            "steps_per_epoch": (steps_per_epoch, 1),
            "num_workers": (num_workers, 0),
            "seed": (seed, 0),
        }
        for name, (value, least) in counts.items():
            if value < least:
                raise OptionError(f"{name} is {value}; use {least} or more")
        self.num_identities = num_identities
        self.images_per_identity = images_per_identity
        self.side = side
        self.steps_per_epoch = steps_per_epoch
        self.num_workers = num_workers
        self.seed = seed
        self.views = views or Views()
        self.photometry = photometry or HARD
        self._train: LabelledImages | None = None
        self._val: LabelledImages | None = None

    @abstractmethod
    def read(self) -> tuple[LabelledImages, LabelledImages]:
        """The images to train on, and those held out, as they are described.

        Raises:
            DatasetError: a folder is missing, or holds too little.
        """

    def setup(self, stage: str | None = None) -> None:
        """Find the images, once.

        Raises:
            DatasetError: a folder is missing, or holds too little.
        """
        if self._train is None:
            self._train, self._val = self.read()

    def train_dataloader(self) -> ResumableLoader[ImageArrays, ImageBatch]:
        """Batches of `ImageBatch`, without end over the epochs, resumable at any step."""
        self.setup("fit")
        source = cast(LabelledImages, self._train)
        sampler = PKSampler(
            source.labels,
            self.num_identities,
            self.images_per_identity,
            self.seed,
            rank=self.trainer.global_rank if self.trainer else 0,
            num_ranks=self.trainer.world_size if self.trainer else 1,
        )
        make = self.training_views(source, sampler)
        return ResumableLoader(
            make, to_batch, steps_per_epoch=self.steps_per_epoch, num_workers=self.num_workers
        )

    def val_dataloader(self) -> HeldOutImages:
        """The held-out images in batches of one size each."""
        self.setup("validate")
        batch_size = self.num_identities * self.images_per_identity
        return HeldOutImages(cast(LabelledImages, self._val), self.side, batch_size)

    def training_views(self, source: LabelledImages, sampler: PKSampler) -> TrainingViews:
        """What makes views of images."""
        change = PhotometricChange(self.photometry)
        return TrainingViews(source, sampler, self.views, change, self.side)
