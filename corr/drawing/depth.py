"""Depth in colour."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from corr.drawing.colour_maps import viridis
from corr.drawing.strip import Picture, Strip

_SHOWN = (1.0, 99.0)
"""Percentiles of the depth at the ends of the scale: a few false points may be very far."""
_ROUND = (1.0, 1.5, 2.0, 3.0, 5.0, 7.0)


def draw_depth(depth: Float[np.ndarray, "H W"]) -> Picture:
    """The map from near (yellow) to far (dark), black where NaN, above a scale in metres.

    Equal ratios look equal: the scale is logarithmic, as the precision of stereo is.

    Args:
        depth: metres, above 0.
    """
    known = np.isfinite(depth) & (depth > 0)
    near, far = np.percentile(depth[known], _SHOWN) if known.any() else (1.0, 10.0)
    near, far = float(near), max(float(far), 1.01 * float(near))
    span = np.log(far / near)
    level = 1 - np.log(np.where(known, depth, near).clip(near, far) / near) / span
    colours = viridis()
    picture = np.where(known[..., None], colours[np.rint(255 * level).astype(int)], np.uint8(0))
    strip = Strip(picture, lines=2.0)
    strip.add_text("depth, m")
    most = max(2, strip.left // (5 * strip.font_px))
    labels = {float(np.log(v / near) / span): f"{v:g}" for v in _between(near, far, most)}
    strip.add_bar(colours[::-1], labels or {0.0: f"{near:.3g}", 1.0: f"{far:.3g}"})
    return strip.below()


def _between(near: float, far: float, most: int) -> list[float]:
    """Round numbers from near to far, at most so many of them."""
    powers = range(int(np.floor(np.log10(near))), int(np.ceil(np.log10(far))) + 1)
    values = [
        value
        for power in powers
        for step in _ROUND
        if near <= (value := round(step * 10.0**power, 9)) <= far
    ]
    return values[:: -(-len(values) // most)] if values else []
