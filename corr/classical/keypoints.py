"""Oriented keypoints, and their exchange with OpenCV."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class Keypoints:
    """Oriented keypoints of one image, best first; units as in `corr.geometry`."""

    points: Float[np.ndarray, "N 2"]
    scale: Float[np.ndarray, " N"]
    angle_deg: Float[np.ndarray, " N"]
    scores: Float[np.ndarray, " N"]
    octave: np.ndarray | None = None
    """OpenCV's packed octave, which its descriptors need to find the pyramid level again."""

    def __len__(self) -> int:
        return len(self.points)


def from_opencv(found: Sequence[cv2.KeyPoint], max_keypoints: int) -> Keypoints:
    """The strongest of OpenCV's keypoints; equal responses are ordered by position."""
    table = np.array(
        [(*k.pt, 0.5 * k.size, k.angle, k.response, k.octave) for k in found], np.float64
    ).reshape(-1, 6)
    order = np.lexsort((table[:, 3], table[:, 0], table[:, 1], -table[:, 4]))[:max_keypoints]
    table = table[order]
    values = table.astype(np.float32)
    return Keypoints(
        values[:, :2], values[:, 2], values[:, 3], values[:, 4], table[:, 5].astype(np.int64)
    )


def to_opencv(keypoints: Keypoints) -> list[cv2.KeyPoint]:
    """The same keypoints as OpenCV's own."""
    octaves = keypoints.octave if keypoints.octave is not None else np.zeros(len(keypoints), int)
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
