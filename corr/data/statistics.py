"""What pairs with ground truth are like: motion, disparity, gradients, occlusion, texture."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float64, UInt8

from corr.data.flow_pairs import SETS as FLOW_SETS
from corr.data.flow_pairs import read_flow
from corr.data.homographies import SETS as HOMOGRAPHY_SETS
from corr.data.homographies import HomographyPair, read_sequences
from corr.data.layouts import recognise_all, refusal
from corr.data.posed_pairs import SETS as POSED_SETS
from corr.data.posed_pairs import read_posed
from corr.data.progress import progress_bar
from corr.data.stereo_pairs import SETS as STEREO_SETS
from corr.data.stereo_pairs import read_stereo
from corr.errors import DatasetError
from corr.formats import read_image

MOTION, DISPARITY, GRADIENT = "motion, px", "disparity, px", "gradient, grey levels a px"
OCCLUSION, ENTROPY = "share occluded", "entropy of 16 x 16 px, bits"

EDGES: dict[str, Float64[np.ndarray, " _"]] = {
    MOTION: np.array([0, 0.5, 1, 2, 3, 5, 8, 12, 18, 27, 40, 60, 90, 150, 1e4]),
    DISPARITY: np.array([0, 2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 1e4]),
    GRADIENT: np.array([0, 1, 2, 3, 5, 8, 12, 18, 27, 40, 60, 255]),
    OCCLUSION: np.array([0, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.6, 1.0]),
    ENTROPY: np.arange(0, 5.01, 0.5),
}
"""Of the histograms; a value beyond the last counts to the last part."""

_BLOCK = 16
_LEVELS = 32
"""Grey levels that the entropy tells apart."""


class Measured(NamedTuple):
    """One pair."""

    image: UInt8[np.ndarray, "H W 3"]
    length: Float[np.ndarray, "H W"]
    """Of the motion or the disparity, px; NaN where not known."""
    occluded: Bool[np.ndarray, "H W"] | None
    is_disparity: bool


@dataclass
class Statistics:
    """Histograms over the pairs of a set."""

    name: str
    num_pairs: int = 0
    counts: dict[str, Float64[np.ndarray, " _"]] = field(default_factory=dict)
    """Quantity -> number of values between its `EDGES`."""
    sums: dict[str, float] = field(default_factory=dict)

    def add(self, pair: Measured) -> None:
        """Count a pair."""
        self.num_pairs += 1
        known = np.isfinite(pair.length)
        self._count(DISPARITY if pair.is_disparity else MOTION, pair.length[known])
        grey = pair.image.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
        dy, dx = np.gradient(grey)
        self._count(GRADIENT, np.hypot(dx, dy))
        self._count(ENTROPY, block_entropy(grey))
        if pair.occluded is not None:
            self._count(OCCLUSION, np.array([pair.occluded[known].mean() if known.any() else 0.0]))

    def shares(self, quantity: str) -> Float64[np.ndarray, " _"]:
        """Share of the values in each part of the histogram."""
        counts = self.counts[quantity]
        shares: Float64[np.ndarray, " _"] = counts / max(counts.sum(), 1)
        return shares

    def mean(self, quantity: str) -> float:
        """Of all values of a quantity; NaN where there is none."""
        total = float(self.counts[quantity].sum()) if quantity in self.counts else 0.0
        return self.sums[quantity] / total if total else math.nan

    def _count(self, quantity: str, values: np.ndarray) -> None:
        edges = EDGES[quantity]
        counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
        self.counts[quantity] = self.counts.get(quantity, 0) + counts.astype(float)
        self.sums[quantity] = self.sums.get(quantity, 0.0) + float(values.sum(dtype=np.float64))


def measure(name: str, pairs: Iterable[Measured], count: int) -> Statistics:
    """The statistics of the first `count` pairs."""
    found = Statistics(name)
    with progress_bar() as progress:
        for pair in progress.track(islice(pairs, count), total=count, description=name):
            found.add(pair)
    return found


def block_entropy(grey: Float[np.ndarray, "H W"]) -> Float64[np.ndarray, " _"]:
    """Entropy of the grey levels in each whole block of 16 x 16 px, bits: low without texture."""
    height, width = (side // _BLOCK for side in grey.shape)
    levels = (grey[: height * _BLOCK, : width * _BLOCK] * (_LEVELS / 256)).astype(np.int64)
    blocks = levels.reshape(height, _BLOCK, width, _BLOCK).transpose(0, 2, 1, 3)
    rows = blocks.reshape(height * width, -1) + _LEVELS * np.arange(height * width)[:, None]
    counts = np.bincount(rows.ravel(), minlength=_LEVELS * height * width).reshape(-1, _LEVELS)
    share = counts / _BLOCK**2
    entropy: Float64[np.ndarray, " _"] = -(share * np.log2(np.where(share > 0, share, 1))).sum(1)
    return entropy


def read_pairs(root: Path) -> Iterator[Measured]:
    """The pairs of a published set below a root, in a fixed order; the layout is recognised.

    Raises:
        DatasetError: no set with motion, disparity or homographies is there.
    """
    found = recognise_all(root)
    readers = {
        FLOW_SETS: _flow_pairs,
        STEREO_SETS: _stereo_pairs,
        HOMOGRAPHY_SETS: _homography_pairs,
        POSED_SETS: _posed_pairs,
    }
    for sets, reader in readers.items():
        if set(found) & set(sets):
            return reader(root)
    known = list(dict.fromkeys(name for sets in readers for name in sets))
    raise refusal(root, known, "a set of one of those names")


def _flow_pairs(root: Path) -> Iterator[Measured]:
    for pair in read_flow(root):
        truth = pair.truth()
        length = np.hypot(truth.flow[..., 0], truth.flow[..., 1])
        yield Measured(read_image(pair.image0), length, truth.occluded, False)


def _stereo_pairs(root: Path) -> Iterator[Measured]:
    for pair in read_stereo(root):
        truth = pair.truth()
        yield Measured(read_image(pair.left), truth.disparity, truth.occluded, True)


def _posed_pairs(root: Path) -> Iterator[Measured]:
    for pair in read_posed(root):
        truth = pair.truth()
        flow = truth.motion_0to1().flow_0to1
        length = np.hypot(flow[..., 0], flow[..., 1])
        yield Measured(read_image(pair.image0), length, truth.masks0.occluded, False)


def _homography_pairs(root: Path) -> Iterator[Measured]:
    for pair in read_sequences(root):
        image = read_image(pair.path0)
        yield Measured(image, _displacement(pair, image.shape[:2]), None, False)


def _displacement(pair: HomographyPair, size: tuple[int, ...]) -> Float64[np.ndarray, "H W"]:
    x, y = np.meshgrid(np.arange(size[1]), np.arange(size[0]))
    mapped = np.stack((x, y, np.ones_like(x)), -1) @ pair.homography_0to1.T
    if not (mapped[..., 2] > 0).any():
        raise DatasetError(f"homography of '{pair.name}' leads all of its image behind its horizon")
    depth = np.where(mapped[..., 2] > 0, mapped[..., 2], np.nan)
    length: Float64[np.ndarray, "H W"] = np.hypot(
        mapped[..., 0] / depth - x, mapped[..., 1] / depth - y
    )
    return length
