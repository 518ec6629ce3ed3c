"""How good one flow field is, in a line."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from corr.errors import ShapeError
from corr.metrics import endpoint_error, flow_outlier_rate

_SPEED_PX = (0.0, 10.0, 40.0, np.inf)


def describe_flow_scores(
    found: Float[np.ndarray, "H W 2"], truth: Float[np.ndarray, "H W 2"]
) -> str:
    """End-point error over every pixel with truth, by the length of the true flow, and outliers.

    Raises:
        ShapeError: the truth knows no pixel.
    """
    known = np.isfinite(truth).all(axis=2)
    if not known.any():
        raise ShapeError("the true flow is unknown everywhere, so the flow cannot be judged")
    length = np.where(known, np.hypot(truth[..., 0], truth[..., 1]), 0)
    parts = []
    for i in range(3):
        within = known & (length >= _SPEED_PX[i]) & (length < _SPEED_PX[i + 1])
        there = within.any()
        parts.append(f"{endpoint_error(found, truth, valid=within):.2f}" if there else "-")
    still = endpoint_error(np.zeros_like(truth), truth)
    return (
        f"of the {100 * known.mean():.0f} % of pixels with truth, missing ones counted as no "
        f"motion: end-point error {endpoint_error(found, truth):.2f} px (no motion at all: "
        f"{still:.2f}), of true flow below 10, 10 to 40, above 40 px: {'/'.join(parts)}, "
        f"Fl-all (above 3 px and 5 %) {100 * flow_outlier_rate(found, truth):.1f} %"
    )
