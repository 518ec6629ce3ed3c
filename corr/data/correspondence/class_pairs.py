"""Two photographs of a class, one of them bent too: the class is all that is known."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from corr.data.classes import part_of_classes, read_classes
from corr.data.correspondence.bending import Bending
from corr.data.correspondence.dense_pair import DensePair, PairSource
from corr.data.correspondence.warped_photos import PHOTOMETRY, bent_pair
from corr.data.photometric import PhotometricChange, Photometry
from corr.data.photos import read_photo
from corr.data.random_filter import RandomFilter
from corr.errors import OptionError

_MAX_SIDE = 768
"""Larger photographs are reduced to this length, px."""


class ClassPairs(PairSource):
    """A photograph through a smooth map, the photograph itself, and another one of its class.

    The flow between the first two is exact, as that of `WarpedPhotos`; the other one is `other` of
    the pair. Each is a large part of its file, resized to a square.

    Args:
        root: a folder with a folder for each class, or, with a split, a set with marked points as
            `corr.data.semantic` reads it, whose points are not used; read when the first pair is
            asked for.
        split: `train`, or another part that the set has. Never train on what judges.
        held_out: take about every tenth photograph of each class, or else the others; all of them
            when not given.
        bending: how much the bent view differs in shape.
        photometry: how much the light and the camera of each view may differ from its photograph.
        filtering: random filters, of each view by itself; those of `RandomFilter` when not given.
        min_share: shortest sides of the part, as a share of the photograph's.

    Raises:
        OptionError: the share is not in (0, 1].
    """

    def __init__(
        self,
        root: str | Path,
        split: str | None = None,
        *,
        held_out: bool | None = None,
        bending: Bending | None = None,
        photometry: Photometry | None = None,
        filtering: RandomFilter | None = None,
        min_share: float = 0.75,
    ) -> None:
        if not 0 < min_share <= 1:
            raise OptionError(f"min_share is {min_share}; use a value in (0, 1]")
        self._root, self._split, self._held_out = Path(root), split, held_out
        self._bending = bending or Bending()
        self._change = PhotometricChange(photometry or PHOTOMETRY)
        self._filter = filtering or RandomFilter()
        self._min_share = min_share

    @cached_property
    def _photos(self) -> list[tuple[Path, list[Path]]]:
        """Each photograph, and the others of its class."""
        classes = read_classes(self._root, self._split)
        if self._held_out is not None:
            classes = part_of_classes(classes, held_out=self._held_out, root=self._root)
        return [
            (path, [other for other in paths if other != path])
            for paths in classes.values()
            for path in paths
            if len(paths) > 1
        ]

    def __len__(self) -> int:
        return len(self._photos)

    def pair(self, index: int, side: int, rng: np.random.Generator) -> DensePair:
        """A photograph bent and plain, and another one of its class.

        Raises:
            DatasetError: the folder or the set is not there, or a photograph cannot be read.
        """
        path, others = self._photos[index]
        chosen = others[rng.integers(len(others))]
        plain, other = (
            self._part(read_photo(file, _MAX_SIDE), side, rng) for file in (path, chosen)
        )
        pair = bent_pair(plain, self._bending.draw(side, rng))
        image0, image1, beside = (
            self._change.colour(self._filter(view, rng), rng)
            for view in (pair.image0, pair.image1, other)
        )
        return DensePair(image0, image1, pair.flow_0to1, beside)

    def _part(
        self, photo: UInt8[np.ndarray, "H W 3"], side: int, rng: np.random.Generator
    ) -> UInt8[np.ndarray, "S S 3"]:
        lengths = [max(1, round(rng.uniform(self._min_share, 1) * n)) for n in photo.shape[:2]]
        top, left = (
            rng.integers(whole - length + 1)
            for whole, length in zip(photo.shape[:2], lengths, strict=True)
        )
        part = photo[top : top + lengths[0], left : left + lengths[1]]
        how = cv2.INTER_AREA if min(lengths) > side else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(part, (side, side), interpolation=how))
