"""How good a disparity map is."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from corr.metrics.coverage import counted


def known_disparity(truth: Float[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """True where a disparity map has ground truth: finite and greater than 0."""
    known: Bool[np.ndarray, "H W"] = np.isfinite(truth) & (truth > 0)
    return known


def bad_pixel_rate(
    estimate: Float[np.ndarray, "H W"],
    truth: Float[np.ndarray, "H W"],
    threshold: float = 2.0,
    *,
    valid: Bool[np.ndarray, "H W"] | None = None,
) -> float:
    """Share of the ground-truth pixels that are wrong by more than `threshold` px, or missing.

    Args:
        estimate: disparity, px; NaN or infinite where missing.
        truth: true disparity, px.
        threshold: largest error that is still right.
        valid: True for the pixels that count; `known_disparity(truth)` when not given.

    Raises:
        ShapeError: no pixel counts.

    Source: Scharstein and Szeliski 2002, "A Taxonomy and Evaluation of Dense Two-Frame Stereo
    Correspondence Algorithms", equation 2.
    """
    error, _ = _disparity_error(estimate, truth, valid)
    return float(np.mean(error > threshold))


def d1_rate(
    estimate: Float[np.ndarray, "H W"],
    truth: Float[np.ndarray, "H W"],
    *,
    valid: Bool[np.ndarray, "H W"] | None = None,
) -> float:
    """Share of the ground-truth pixels wrong by more than 3 px and 5 % of the truth, or missing.

    Source: Menze and Geiger 2015, "Object Scene Flow for Autonomous Vehicles" (KITTI 2015, D1).
    """
    error, true = _disparity_error(estimate, truth, valid)
    return float(np.mean((error > 3) & (error > 0.05 * true)))


def mean_disparity_error(
    estimate: Float[np.ndarray, "H W"],
    truth: Float[np.ndarray, "H W"],
    *,
    valid: Bool[np.ndarray, "H W"] | None = None,
) -> float:
    """Mean |error| of the ground-truth pixels that are estimated, px; NaN when none is.

    Say the density with it: whoever leaves out the difficult pixels has a smaller error.
    """
    error, _ = _disparity_error(estimate, truth, valid)
    present = error[np.isfinite(error)]
    return float(present.mean()) if len(present) else float("nan")


def root_mean_square_error(
    estimate: Float[np.ndarray, "H W"],
    truth: Float[np.ndarray, "H W"],
    *,
    valid: Bool[np.ndarray, "H W"] | None = None,
) -> float:
    """Root of the mean squared error of the ground-truth pixels that are estimated, px.

    NaN when none is. A few gross errors dominate it, so the density is to be said with it too.

    Source: Scharstein and Szeliski 2002, as above, equation 1.
    """
    error, _ = _disparity_error(estimate, truth, valid)
    present = error[np.isfinite(error)]
    return float(np.sqrt(np.mean(present**2))) if len(present) else float("nan")


def _disparity_error(
    estimate: Float[np.ndarray, "H W"],
    truth: Float[np.ndarray, "H W"],
    valid: Bool[np.ndarray, "H W"] | None,
) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """The |error| (infinite where missing) and the truth of each pixel that counts."""
    chosen = counted(known_disparity(truth) if valid is None else valid)
    error = np.abs(estimate[chosen].astype(np.float64) - truth[chosen])
    return np.where(np.isnan(error), np.inf, error), truth[chosen].astype(np.float64)
