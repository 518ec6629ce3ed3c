"""Two frames, the true flow between them and the one found, side by side."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from corr.drawing.flow import add_wheel, flow_colours
from corr.drawing.strip import Picture, Strip

_FARTHEST = 0.99
"""Share of the true vectors within the wheel, so that a few long ones do not pale the others."""


def draw_flow_example(
    image0: Picture,
    image1: Picture,
    truth: Float[np.ndarray, "H W 2"],
    found: Float[np.ndarray, "H W 2"],
) -> Picture:
    """The first frame, the second, the true flow and the one found on the same colour wheel.

    Args:
        image0: the first frame.
        image1: the second one.
        truth: px; black where NaN.
        found: px.
    """
    length = np.hypot(truth[..., 0], truth[..., 1])
    known = np.isfinite(length)
    limit = max(1.0, float(np.quantile(length[known], _FARTHEST)) if known.any() else 1.0)
    fields = [flow_colours(flow / limit) for flow in (truth, found)]
    strip = Strip(np.concatenate((image0, image1, *fields), axis=1), lines=3.5)
    add_wheel(strip, limit)
    strip.add_text("both frames, true flow, flow found")
    if known.any():
        error = np.linalg.norm(found - truth, axis=-1)[known].mean()
        strip.add_text(f"end-point error {error:.2f} px (no motion {length[known].mean():.2f} px)")
    return strip.below()
