"""Pairs of things of one kind, whose correspondences are a few marked points."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from corr.data.correspondence.dense_pair import DensePair, PairSource
from corr.data.correspondence.ground_truth_pairs import UNCHANGED
from corr.data.photometric import PhotometricChange, Photometry
from corr.data.semantic.pairs import Box, SemanticPair, box_around
from corr.data.semantic.reader import read_semantic
from corr.errors import DatasetError, OptionError
from corr.formats import read_image


class AnnotatedPairs(PairSource):
    """Photographs with marked parts: any layout that `corr.data.semantic` reads.

    Each image is cut around its thing and resized to a square. The flow is known at the pixels
    nearest to the marked points alone, a handful in an image.

    Args:
        root: of the set, read when the first pair is asked for.
        split: `train`, or another part that the set has. Never train on what judges.
        margin: largest border around the thing, as a share of its box; drawn for each image.
        photometry: how much the light and the camera of each image change; not at all when not
            given.

    Raises:
        OptionError: the margin is below 0.
    """

    def __init__(
        self,
        root: str | Path,
        split: str = "train",
        *,
        margin: float = 0.5,
        photometry: Photometry | None = None,
    ) -> None:
        if margin < 0:
            raise OptionError(f"margin is {margin}; use 0 or more")
        self._root, self._split = Path(root), split
        self._margin = margin
        self._change = PhotometricChange(photometry or UNCHANGED)

    @cached_property
    def _pairs(self) -> list[SemanticPair]:
        found = read_semantic(self._root, self._split)
        pairs = [pair for pair in found if len(pair.truth().points0)]
        if not pairs:
            raise DatasetError(
                f"'{self._root}' has no pair in '{self._split}' that shares a marked point"
            )
        return pairs

    def __len__(self) -> int:
        return len(self._pairs)

    def pair(self, index: int, side: int, rng: np.random.Generator) -> DensePair:
        """Both images around their things, and the way of the marked points.

        Raises:
            DatasetError: no such set is there, it is not whole, or no pair of it shares a point.
        """
        chosen = self._pairs[index]
        truth = chosen.truth()
        views = []
        for path, points, box in (
            (chosen.image0, truth.points0, truth.box0),
            (chosen.image1, truth.points1, truth.box1),
        ):
            around = box_around(points) if box is None else box
            margin = rng.uniform(0, self._margin, 4)
            image, moved = _cut(read_image(path), points, around, margin, side)
            views.append((self._change.colour(image, rng), moved))
        (image0, points0), (image1, points1) = views
        pixels = np.rint(points0).astype(int)
        inside = ((pixels >= 0) & (pixels < side)).all(1)
        inside &= ((points1 >= 0) & (points1 <= side - 1)).all(1)
        flow = np.full((side, side, 2), np.nan, np.float32)
        x, y = pixels[inside].T
        flow[y, x] = (points1 - points0)[inside]
        return DensePair(image0, image1, flow)


def _cut(
    image: UInt8[np.ndarray, "H W 3"],
    points: Float[np.ndarray, "N 2"],
    box: Box,
    margin: Float[np.ndarray, " 4"],
    side: int,
) -> tuple[UInt8[np.ndarray, "S S 3"], Float[np.ndarray, "N 2"]]:
    """The image around a box, at least 8 px wide, as a square, and its points there."""
    size = np.tile(np.maximum(box[2:] - box[:2], 8.0), 2)
    last = np.array(image.shape[1::-1])
    outer = box + np.array([-1, -1, 1, 1]) * margin * size
    low = np.clip(np.floor(outer[:2]), 0, last - 8).astype(int)
    high = np.clip(np.ceil(outer[2:]) + 1, low + 8, last).astype(int)
    part = image[low[1] : high[1], low[0] : high[0]]
    scale = side / np.array(part.shape[1::-1])
    how = cv2.INTER_AREA if scale.max() < 1 else cv2.INTER_LINEAR
    return cv2.resize(part, (side, side), interpolation=how), (points - low + 0.5) * scale - 0.5
