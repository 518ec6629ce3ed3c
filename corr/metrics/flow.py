"""How good optical flow is."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from corr.metrics.coverage import counted

SPEED_PX = (10.0, 40.0)
"""Bounds of the classes s0-10, s10-40 and s40+, as Sintel's."""


def speed_classes(truth: Float[np.ndarray, "H W 2"]) -> dict[str, Bool[np.ndarray, "H W"]]:
    """The pixels with known flow, by its length: slow, up to 40 px, and fast ones.

    Source: Butler et al. 2012, "A naturalistic open source movie for optical flow evaluation".
    """
    known = np.isfinite(truth).all(-1)
    speed = np.where(known, np.hypot(truth[..., 0], truth[..., 1]), 0)
    slow, fast = speed < SPEED_PX[0], speed > SPEED_PX[1]
    return {"s0_10": known & slow, "s10_40": known & ~slow & ~fast, "s40": known & fast}


def endpoint_error(
    estimate: Float[np.ndarray, "H W 2"],
    truth: Float[np.ndarray, "H W 2"],
    *,
    valid: Bool[np.ndarray, "H W"] | None = None,
) -> float:
    """Mean length of the flow's error over the ground-truth pixels, px.

    A missing vector counts as no motion.

    Args:
        estimate: flow, px; NaN or infinite where missing.
        truth: true flow, px.
        valid: True for the pixels that count; those of finite truth when not given.

    Raises:
        ShapeError: no pixel counts.

    Source: Baker et al. 2011, "A Database and Evaluation Methodology for Optical Flow", eq. 24.
    """
    error, _ = _flow_error(estimate, truth, valid)
    return float(error.mean())


def flow_outlier_rate(
    estimate: Float[np.ndarray, "H W 2"],
    truth: Float[np.ndarray, "H W 2"],
    *,
    valid: Bool[np.ndarray, "H W"] | None = None,
) -> float:
    """Share of the ground-truth pixels whose flow is wrong by more than 3 px and 5 % of the truth.

    A missing vector counts as no motion.

    Source: Menze and Geiger 2015, "Object Scene Flow for Autonomous Vehicles" (KITTI 2015, Fl).
    """
    error, length = _flow_error(estimate, truth, valid)
    return float(np.mean((error > 3) & (error > 0.05 * length)))


def _flow_error(
    estimate: Float[np.ndarray, "H W 2"],
    truth: Float[np.ndarray, "H W 2"],
    valid: Bool[np.ndarray, "H W"] | None,
) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """The length of the error and of the truth at each pixel that counts."""
    chosen = counted(np.isfinite(truth).all(-1) if valid is None else valid)
    vectors, true = estimate[chosen].astype(np.float64), truth[chosen].astype(np.float64)
    vectors[~np.isfinite(vectors).all(-1)] = 0
    return np.linalg.norm(vectors - true, axis=-1), np.linalg.norm(true, axis=-1)
