"""What data modules of whole images share: P x K batches of random views, and held-out images."""

from __future__ import annotations

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
from corr.data.step_datamodule import StepDataModule, check_least
from corr.data.views import Views

HARD = Photometry(
    brightness=0.3, contrast=0.5, gamma=1.8, colour=0.6, hue=0.1, grey=0.1, noise=0.04, blur=1.5,
    min_jpeg_quality=25, probability=0.7,
)  # fmt: skip
"""Light and cameras that leave little of a photograph's colours."""


class ImageDataModule(StepDataModule):
    """Random views of images of known identities; its subclasses read them as `LabelledImages`.

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
        super().__init__(steps_per_epoch=steps_per_epoch, num_workers=num_workers, seed=seed)
        check_least(
            num_identities=(num_identities, 2),
            images_per_identity=(images_per_identity, 2),
            side=(side, 16),
        )
        self.num_identities = num_identities
        self.images_per_identity = images_per_identity
        self.side = side
        self.views = views or Views()
        self.photometry = photometry or HARD

    def train_dataloader(self) -> ResumableLoader[ImageArrays, ImageBatch]:
        """Batches of `ImageBatch`, without end over the epochs, resumable at any step."""
        self.setup("fit")
        sampler = PKSampler(
            self._train.labels, self.num_identities, self.images_per_identity, **self.share
        )
        return self.loader(self.training_views(self._train, sampler), to_batch)

    def val_dataloader(self) -> HeldOutImages:
        """The held-out images in batches of one size each."""
        self.setup("validate")
        batch_size = self.num_identities * self.images_per_identity
        return HeldOutImages(self._val, self.side, batch_size)

    def training_views(self, source: LabelledImages, sampler: PKSampler) -> TrainingViews:
        """What makes views of images."""
        change = PhotometricChange(self.photometry)
        return TrainingViews(source, sampler, self.views, change, self.side)
