"""Photographs as identities of their own: what two views of one show is the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from corr.data.image_batches import LabelledImages, TrainingViews
from corr.data.image_datamodule import ImageDataModule
from corr.data.near_duplicates import warn_of_near_duplicates
from corr.data.photometric import Photometry
from corr.data.photos import Photos, Picture, find_photos
from corr.data.pk_sampler import PKSampler
from corr.data.resumable import VAL
from corr.data.step_datamodule import check_least
from corr.data.views import Views
from corr.errors import DatasetError


class PhotoInstanceDataModule(ImageDataModule):
    """Views of photographs without any label: each photograph is an instance of its own.

    A view is a part of its photograph under a random homography, in other colours and other light,
    blurred, noisy and compressed. A training batch depends on the seed and on its step alone. The
    held-out images are the photographs held out and views of them, the same for every seed.

    Source: Dosovitskiy 2014, "Discriminative Unsupervised Feature Learning with Convolutional
    Neural Networks" (every image a class of its own).

    Args:
        folder: photographs; those that scikit-image installs when not given (too few for more than
            a first try).
        val_folder: photographs held out; a tenth of `folder` when not given.
        num_identities: photographs in a batch, on each device.
        images_per_identity: views of each.
        side: of a view, px; the network should be told the same.
        steps_per_epoch: batches in an epoch; there is no natural end.
        num_val_views: views of each held-out photograph, beside itself.
        num_workers: processes that make batches; 0 makes them in the main one.
        seed: of the views, the light and the order of the photographs.
        views: how much a view differs.
        first_views: how much the first view of each photograph differs; near the whole of it, the
            network learns to find a photograph by a part. As the others when not given.
        photometry: how much its light and camera differ.

    Raises:
        OptionError: a number outside its range.
    """

    def __init__(
        self,
        folder: str | None = None,
        val_folder: str | None = None,
        *,
        num_identities: int = 64,
        images_per_identity: int = 2,
        side: int = 128,
        steps_per_epoch: int = 100,
        num_val_views: int = 3,
        num_workers: int = 1,
        seed: int = 0,
        views: Views | None = None,
        first_views: Views | None = None,
        photometry: Photometry | None = None,
    ) -> None:
        super().__init__(
            num_identities=num_identities, images_per_identity=images_per_identity, side=side,
            steps_per_epoch=steps_per_epoch, num_workers=num_workers, seed=seed, views=views,
            photometry=photometry,
        )  # fmt: skip
        check_least(num_val_views=(num_val_views, 1))
        self.folder = folder
        self.val_folder = val_folder
        self.num_val_views = num_val_views
        self.first_views = first_views

    def read_train(self) -> LabelledImages:
        """The photographs, all in memory."""
        photos = Photos(self._paths()[0], 2 * self.side)
        return LabelledImages(photos, np.arange(len(photos)))

    def read_val(self) -> LabelledImages:
        """The held-out photographs and their views, those of one size after one another."""
        photos = Photos(self._paths()[1], 2 * self.side)
        if self._train is not None and self.is_first:
            warn_of_near_duplicates(self._train.images, photos)
        whole = LabelledImages(photos, np.arange(len(photos)))
        make = self.training_views(whole, PKSampler(whole.labels, 2, 2))
        rows = np.repeat(whole.labels, self.num_val_views)
        rng = np.random.default_rng((VAL, 0))
        views: list[Picture] = [make.view(photos[int(row)], rng) for row in rows]
        order = sorted(whole.labels, key=lambda row: photos[int(row)].shape)
        images = [photos[int(row)] for row in order]
        return LabelledImages(images + views, np.concatenate((np.array(order), rows)))

    def training_views(self, source: LabelledImages, sampler: PKSampler) -> TrainingViews:
        """What makes views of photographs."""
        return replace(super().training_views(source, sampler), first_views=self.first_views)

    def _paths(self) -> tuple[Sequence, Sequence]:  # type: ignore[type-arg]  # of paths
        train, val = find_photos(self.folder, self.val_folder)
        for name, paths in (("train on", train), ("validate with", val)):
            if len(paths) < 2:
                raise DatasetError(
                    f"'{self.val_folder or self.folder}' leaves {len(paths)} photo to {name}; two "
                    "or more are needed, for the others are its negatives"
                )
        return train, val
