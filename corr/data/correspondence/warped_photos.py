"""Pairs of a photograph and itself bent, mirrored and in other colours: no labels are needed."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from corr.data.correspondence.bending import Bending, Bends
from corr.data.correspondence.dense_pair import DensePair, PairSource
from corr.data.photometric import PhotometricChange, Photometry
from corr.data.photos import Photos, find_photos
from corr.data.random_filter import RandomFilter
from corr.errors import OptionError

PHOTOMETRY = Photometry(
    brightness=0.35, contrast=0.5, gamma=1.8, colour=0.9, hue=0.35, grey=0.15, blur=1.5,
    min_jpeg_quality=40, probability=0.8,
)  # fmt: skip
"""Things of one kind agree in shape more than in colour."""


class WarpedPhotos(PairSource):
    """A part of a photograph through a smooth map, and the part itself.

    The map is a formula, so the flow is exact everywhere, of mirrored views too.

    Args:
        folder: photographs, in folders below it too; those that scikit-image installs when not
            given.
        held_out: take every tenth photo of the folder, and else the others.
        bending: how much the bent view differs in shape.
        photometry: how much the light and the camera of each view may differ from the photo.
        filtering: random filters, of each view by itself; those of `RandomFilter` when not given.
        min_share: shortest side of the part, as a share of the photo's shorter side.

    Raises:
        DatasetError: the folder is missing, or holds fewer than two photographs.
        OptionError: the share is not in (0, 1].
    """

    def __init__(
        self,
        folder: str | Path | None = None,
        *,
        held_out: bool = False,
        bending: Bending | None = None,
        photometry: Photometry | None = None,
        filtering: RandomFilter | None = None,
        min_share: float = 0.6,
    ) -> None:
        if not 0 < min_share <= 1:
            raise OptionError(f"min_share is {min_share}; use a value in (0, 1]")
        self._paths = find_photos(folder)[held_out]
        self._photos: Photos | None = None
        self._bending = bending or Bending()
        self._change = PhotometricChange(photometry or PHOTOMETRY)
        self._filter = filtering or RandomFilter()
        self._min_share = min_share

    def __len__(self) -> int:
        return len(self._paths)

    def pair(self, index: int, side: int, rng: np.random.Generator) -> DensePair:
        """A bent view of a square part of the photo, and the part; what leaves it has no target."""
        if self._photos is None:
            self._photos = Photos(self._paths)
        photo = self._photos[index]
        shorter = min(photo.shape[:2])
        length = max(2, round(rng.uniform(self._min_share, 1) * shorter))
        top, left = (rng.integers(size - length + 1) for size in photo.shape[:2])
        part = photo[top : top + length, left : left + length]
        how = cv2.INTER_AREA if length > side else cv2.INTER_LINEAR
        plain = cv2.resize(part, (side, side), interpolation=how)
        pair = bent_pair(plain, self._bending.draw(side, rng))
        image0, image1 = (
            self._change.colour(self._filter(view, rng), rng) for view in (pair.image0, pair.image1)
        )
        return DensePair(image0, image1, pair.flow_0to1)


def bent_pair(plain: UInt8[np.ndarray, "S S 3"], bends: Bends) -> DensePair:
    """A square image through a smooth map, and the image; what leaves it has no target."""
    side = len(plain)
    x, y = np.meshgrid(np.arange(side), np.arange(side))
    grid = np.stack((x, y), axis=-1).astype(np.float64)
    target = bends(grid.reshape(-1, 2)).reshape(side, side, 2)
    bent = cv2.remap(
        plain, target.astype(np.float32), None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    known = ((target >= 0) & (target <= side - 1)).all(axis=2, keepdims=True)
    return DensePair(bent, plain, np.where(known, target - grid, np.nan).astype(np.float32))
