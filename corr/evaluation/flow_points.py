"""Points of an image and where a flow takes them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float32

from corr.data.ground_truth import FlowTruth


def draw_points(
    truth: FlowTruth, size1: tuple[int, ...], max_points: int, seed: Sequence[int]
) -> tuple[Float32[np.ndarray, "N 2"], Float32[np.ndarray, "N 2"]]:
    """Random pixels of image 0 whose target is known and visible, and those targets, px.

    Args:
        truth: of the pair.
        size1: (height, width) of image 1, in which targets have to lie.
        max_points: all such pixels where there are fewer.
        seed: of the choice.
    """
    height, width = truth.flow.shape[:2]
    pixels = np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32)
    targets = pixels + truth.flow
    usable = np.isfinite(targets).all(-1)
    with np.errstate(invalid="ignore"):
        usable &= (targets >= -0.5).all(-1) & (targets <= np.array(size1[1::-1]) - 0.5).all(-1)
    if truth.occluded is not None:
        usable &= ~truth.occluded
    rows = np.flatnonzero(usable)
    chosen = np.random.default_rng(seed).permutation(rows)[:max_points]
    return pixels.reshape(-1, 2)[chosen], targets.reshape(-1, 2)[chosen]


def move_points(
    points0: Float32[np.ndarray, "N 2"], field: Float32[np.ndarray, "H W 2"]
) -> Float32[np.ndarray, "N 2"]:
    """Points that are pixels, moved by the flow there."""
    x, y = points0.astype(np.int64).T
    moved: Float32[np.ndarray, "N 2"] = points0 + field[y, x]
    return moved
