"""Disparity in colour."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from corr.drawing.colour_maps import viridis
from corr.drawing.strip import Picture, Strip, round_steps


def draw_disparity(
    disparity: Float[np.ndarray, "H W"], max_disparity: int | float | None = None
) -> Picture:
    """The map from far (dark) to near (yellow), black where NaN, above a scale in px.

    Args:
        disparity: px.
        max_disparity: px at the yellow end; the largest of the map when not given.
    """
    known = np.isfinite(disparity)
    largest = float(disparity[known].max()) if known.any() else 0.0
    limit = float(max_disparity or 0)
    limit = limit if limit > 0 else largest
    limit = limit if limit > 0 else 1.0
    level = np.where(known, disparity, 0).clip(0, limit) * (255 / limit)
    picture = np.where(known[..., None], viridis()[np.rint(level).astype(np.uint8)], np.uint8(0))
    strip = Strip(picture, lines=2.0)
    strip.add_text("disparity, px")
    labels = round_steps(limit, most=max(2, strip.left // (5 * strip.font_px)))
    strip.add_bar(viridis(), {value / limit: f"{value:g}" for value in labels})
    return strip.below()
