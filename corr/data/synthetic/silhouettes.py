"""Outlines that are drawn: words, and what stands out in photographs."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float32, UInt8

from corr.data.synthetic.lettering import random_words, written

SIDE = 96
"""Of a drawn outline, px of its own."""

NUM_WORDS = 48
PER_PHOTO = 2
_PAD = 0.04
"""Room around an outline, as a share of its side."""

Outline = Float32[np.ndarray, "96 96"]


class CutOut(NamedTuple):
    """What stands out in a photograph, and where it lies there."""

    outline: Outline
    texture: int
    """Number of the photograph."""
    centre: tuple[float, float]
    """px of the photograph."""
    half: float
    """Half the side of the square that the outline fills, px of the photograph."""


def draw_word(rng: np.random.Generator) -> Outline:
    """A few letters, thick enough to carry a texture."""
    count = int(rng.integers(1, 5))
    ink = written(random_words(rng, count).replace(" ", "x"), 160) > 0.5
    ink = cv2.dilate(ink.astype(np.uint8), np.ones((int(rng.integers(5, 17)),) * 2, np.uint8)) > 0
    return _outline(_squared(ink))


def cut_out(
    photo: UInt8[np.ndarray, "H W 3"], texture: int, rng: np.random.Generator
) -> CutOut | None:
    """A region of similar colour, with its own border; none where the photo has no good one."""
    height, width = photo.shape[:2]
    soft = cv2.GaussianBlur(photo, (0, 0), 0.012 * max(height, width)).astype(np.float32)
    x, y = rng.uniform(0.25, 0.75, 2) * (width, height)
    picked = soft[int(y), int(x)]
    distance = np.abs(soft - picked).sum(2)
    limit = np.quantile(distance, rng.uniform(0.15, 0.4))
    _, labels, stats, _ = cv2.connectedComponentsWithStats((distance <= limit).astype(np.uint8))
    label = labels[int(y), int(x)]
    left, top, wide, high, area = stats[label]
    if label == 0 or area < 0.01 * height * width or area > 0.5 * height * width:
        return None
    side = max(wide, high) * (1 + 2 * _PAD)
    centre = (left + wide / 2, top + high / 2)
    region = (labels == label).astype(np.uint8)
    region = cv2.morphologyEx(region, cv2.MORPH_OPEN, np.ones((5, 5), np.uint8))
    matrix = np.array([[1, 0, side / 2 - centre[0]], [0, 1, side / 2 - centre[1]]])
    square = cv2.warpAffine(region, matrix, (round(side), round(side)), flags=cv2.INTER_NEAREST)
    if square.mean() < 0.12:
        return None
    return CutOut(_outline(square > 0), texture, (float(centre[0]), float(centre[1])), side / 2)


def _squared(ink: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "S S"]:
    side = round(max(ink.shape) * (1 + 2 * _PAD))
    square = np.zeros((side, side), bool)
    top, left = ((side - length) // 2 for length in ink.shape)
    square[top : top + ink.shape[0], left : left + ink.shape[1]] = ink
    return square


def _outline(region: Bool[np.ndarray, "S S"]) -> Outline:
    """Signed distances, see `Silhouettes`."""
    inside = cv2.distanceTransform(region.astype(np.uint8), cv2.DIST_L2, 5)
    outside = cv2.distanceTransform((~region).astype(np.uint8), cv2.DIST_L2, 5)
    distance = (outside - inside).astype(np.float32) / (len(region) / 2)
    outline: Outline = cv2.resize(distance, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return outline
