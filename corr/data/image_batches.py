"""Batches of whole images whose identities are known, for training and for validation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor

from corr.data.photometric import PhotometricChange
from corr.data.photos import Photos, Picture, read_photo
from corr.data.pk_sampler import PKSampler
from corr.data.resumable import TRAIN
from corr.data.views import Views, take_view
from corr.errors import ShapeError
from corr.formats.images import to_tensor
from corr.geometry import resize_to_area


class ImageBatch(NamedTuple):
    """Images in [0, 1], and what each shows: equal tracks, the same."""

    images: Float32[Tensor, "B 3 H W"]
    tracks: Int64[Tensor, " B"]
    """Number of the identity, the same in every process."""


class ImageArrays(NamedTuple):
    """The same as it travels from a worker."""

    images: UInt8[np.ndarray, "B H W 3"]
    tracks: Int64[np.ndarray, " B"]


class PhotoFiles:
    """Photographs in RGB, each read when it is asked for.

    Args:
        paths: files to read.
        max_side: larger ones are reduced to this length, px.
    """

    def __init__(self, paths: Sequence[Path], max_side: int) -> None:
        self._paths = tuple(paths)
        self._max_side = max_side

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> Picture:
        """One photograph.

        Raises:
            DatasetError: its file is not a readable image.
        """
        return read_photo(self._paths[index], self._max_side)


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images and the number of the identity that each shows.

    Raises:
        ShapeError: images and labels of different number.
    """

    images: Photos | PhotoFiles | Sequence[Picture]
    labels: Int64[np.ndarray, " _"]

    def __post_init__(self) -> None:
        if len(self.images) != len(self.labels):
            raise ShapeError(
                f"{len(self.images)} images and {len(self.labels)} labels; give one label an image"
            )


@dataclass(frozen=True, eq=False)
class TrainingViews:
    """Makes the batch of any step: a random view of each image that the sampler chooses."""

    source: LabelledImages
    sampler: PKSampler
    views: Views
    change: PhotometricChange
    side: int
    first_views: Views | None = None
    """Of the first image of each identity in a batch; as the others when not given."""

    def __call__(self, step: int) -> ImageArrays:
        """The batch, the same whenever and wherever it is made."""
        rows = self.sampler(step)
        place = step * self.sampler.num_ranks + self.sampler.rank
        rng = np.random.default_rng((TRAIN, self.sampler.seed, place))
        per_identity = self.sampler.images_per_identity
        views = [
            self.view(self.source.images[int(row)], rng, first=number % per_identity == 0)
            for number, row in enumerate(rows)
        ]
        return ImageArrays(np.stack(views), self.source.labels[rows])

    def view(self, photo: Picture, rng: np.random.Generator, *, first: bool = False) -> Picture:
        """A square view of a photograph in other light."""
        views = self.first_views if first and self.first_views else self.views
        corners = views.draw((photo.shape[0], photo.shape[1]), rng)
        return self.change.colour(take_view(photo, corners, self.side), rng)


class HeldOutImages:
    """Batches of images of one size each, in a fixed order; the same at each iteration.

    Args:
        source: images of any size; each keeps its proportions.
        side: they are resized to about so many pixels squared.
        batch_size: images in a batch at most.
    """

    def __init__(self, source: LabelledImages, side: int, batch_size: int) -> None:
        self._source = source
        self._side = side
        self._batch_size = batch_size

    def __iter__(self) -> Iterator[ImageBatch]:
        waiting: list[Tensor] = []
        for row in range(len(self._source.labels)):
            image = resize_to_area(to_tensor(self._source.images[row]), self._side)
            full = len(waiting) == self._batch_size
            if waiting and (full or image.shape != waiting[0].shape):
                yield self._batch(waiting, row)
                waiting = []
            waiting.append(image)
        if waiting:
            yield self._batch(waiting, len(self._source.labels))

    def _batch(self, images: list[Tensor], end: int) -> ImageBatch:
        tracks = self._source.labels[end - len(images) : end]
        return ImageBatch(torch.cat(images).clamp(0, 1), torch.from_numpy(tracks))


def to_batch(made: ImageArrays) -> ImageBatch:
    """Stored images as the network reads them."""
    images = torch.as_tensor(made.images).permute(0, 3, 1, 2).float() / 255
    return ImageBatch(images, torch.as_tensor(made.tracks))
