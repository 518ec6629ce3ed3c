"""Oriented keypoints, and their exchange with OpenCV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float, Int64

_BASE_SIGMA = 1.6
_LAYERS = 3
"""SIFT's scale space: 1.6 px at the start of octave 0, three layers an octave."""


@dataclass(frozen=True, eq=False)
class Keypoints:
    """Oriented keypoints of one image, best first; units as in `corr.geometry`."""

    points: Float[np.ndarray, "N 2"]
    scale: Float[np.ndarray, " N"]
    angle_deg: Float[np.ndarray, " N"]
    scores: Float[np.ndarray, " N"]
    octave: Int64[np.ndarray, " N"] | None = None
    """OpenCV's packed octave, by which its descriptors find the pyramid level again."""

    def __len__(self) -> int:
        return len(self.points)

    def take(self, rows: Int64[np.ndarray, " M"]) -> Keypoints:
        """Some of the keypoints, in the order of the rows."""
        return Keypoints(
            self.points[rows],
            self.scale[rows],
            self.angle_deg[rows],
            self.scores[rows],
            None if self.octave is None else self.octave[rows],
        )


def by_strength(found: Sequence[cv2.KeyPoint]) -> list[int]:
    """The indices of the keypoints, highest response first; equal ones are ordered by position."""

    def rank(index: int) -> tuple[float, float, float, float, float]:
        keypoint = found[index]
        x, y = keypoint.pt
        return -keypoint.response, y, x, keypoint.angle, keypoint.size

    return sorted(range(len(found)), key=rank)


def strongest(found: Sequence[cv2.KeyPoint], max_keypoints: int) -> list[cv2.KeyPoint]:
    """The keypoints of highest response, best first."""
    return [found[index] for index in by_strength(found)[:max_keypoints]]


def from_opencv(found: Sequence[cv2.KeyPoint]) -> Keypoints:
    """The same keypoints as arrays."""
    table = np.array(
        [(*k.pt, 0.5 * k.size, k.angle, k.response) for k in found], np.float32
    ).reshape(-1, 5)
    octave = np.array([k.octave for k in found], np.int64)
    return Keypoints(table[:, :2], table[:, 2], table[:, 3], table[:, 4], octave)


def to_opencv(keypoints: Keypoints, image_size: tuple[int, int]) -> list[cv2.KeyPoint]:
    """The same keypoints as OpenCV's own.

    Args:
        keypoints: their octave follows from their scale where they have none.
        image_size: (height, width), which limits how many octaves there are.
    """
    octaves = keypoints.octave
    if octaves is None:
        octaves = _sift_octaves(keypoints.scale, image_size)
    return [
        cv2.KeyPoint(float(x), float(y), float(2 * s), float(a), float(r), int(o))
        for (x, y), s, a, r, o in zip(
            keypoints.points,
            keypoints.scale,
            keypoints.angle_deg,
            keypoints.scores,
            octaves,
            strict=True,
        )
    ]


def _sift_octaves(
    scale: Float[np.ndarray, " N"], image_size: tuple[int, int]
) -> Int64[np.ndarray, " N"]:
    """OpenCV's packed octave of the layer that SIFT detects a scale in.

    Layers 1 to 3 of an octave are searched; bits 0-7 hold the octave (-1 for the doubled image),
    bits 8-15 the layer.
    """
    step = np.rint(_LAYERS * np.log2(scale / _BASE_SIGMA)).astype(np.int64)
    coarsest = max(0, int(np.log2(min(image_size))) - 2)
    octave = np.clip((step - 1) // _LAYERS, -1, coarsest)
    layer = np.clip(step - _LAYERS * octave, 0, _LAYERS)
    packed: Int64[np.ndarray, " N"] = (octave & 0xFF) | (layer << 8)
    return packed
