"""Which keypoints of a view were detected again in another one."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from corr.data.cutting import Placed

MAX_DISTANCE_PX = 1.5
"""Or `MAX_DISTANCE` sigmas, where that is more."""
MAX_DISTANCE = 0.4
MAX_OCTAVES = 0.5
MAX_ANGLE_DEG = 25.0


def detected_again(
    expected: Placed, detected: Placed
) -> tuple[Int64[np.ndarray, " K"], Int64[np.ndarray, " K"]]:
    """Rows of both that are one keypoint: near each other in place, scale and angle.

    Each has one partner at most, and both are the nearest of the other.

    Args:
        expected: keypoints of one view, mapped into the other.
        detected: what a detector found there.
    """
    none = np.zeros(0, np.int64)
    if len(expected.scale) == 0 or len(detected.scale) == 0:
        return none, none
    scale = expected.scale.astype(np.float32)
    reach = np.maximum(MAX_DISTANCE_PX, MAX_DISTANCE * scale)[:, None]
    offset = expected.points.astype(np.float32)[:, None] - detected.points.astype(np.float32)[None]
    distance = np.hypot(offset[..., 0], offset[..., 1]) / reach
    octaves = np.abs(np.log2(scale)[:, None] - np.log2(detected.scale.astype(np.float32))[None])
    turn = np.abs((expected.angle_deg[:, None] - detected.angle_deg[None] + 180) % 360 - 180)
    off = distance + octaves / MAX_OCTAVES + turn.astype(np.float32) / MAX_ANGLE_DEG
    off[(distance > 1) | (octaves > MAX_OCTAVES) | (turn > MAX_ANGLE_DEG)] = np.inf
    best = off.argmin(1)
    rows = np.flatnonzero(off.argmin(0)[best] == np.arange(len(off)))
    rows = rows[np.isfinite(off[rows, best[rows]])]
    return rows, best[rows]
