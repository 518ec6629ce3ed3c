"""Disparity in colour."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from corr.drawing.strip import Picture, Strip, round_steps


def draw_disparity(
    disparity: Float[np.ndarray, "H W"], max_disparity: int | float | None = None
) -> Picture:
    """The map from far (blue) to near (red), black where NaN, above a scale in px.

    Args:
        disparity: px.
        max_disparity: px at the red end; the largest of the map when not given.

    Source: Mikhailov 2019, "Turbo, An Improved Rainbow Colormap for Visualization".
    """
    known = np.isfinite(disparity)
    largest = float(disparity[known].max()) if known.any() else 0.0
    limit = float(max_disparity or 0)
    limit = limit if limit > 0 else largest
    limit = limit if limit > 0 else 1.0
    level = np.where(known, disparity, 0).clip(0, limit) * (255 / limit)
    picture = np.where(known[..., None], turbo()[np.rint(level).astype(np.uint8)], np.uint8(0))
    strip = Strip(picture, lines=2.0)
    strip.add_text("disparity, px")
    labels = round_steps(limit, most=max(2, strip.left // (5 * strip.font_px)))
    strip.add_bar(turbo(), {value / limit: f"{value:g}" for value in labels})
    return strip.below()


def turbo() -> UInt8[np.ndarray, "256 3"]:
    """The turbo colours, RGB."""
    levels = np.arange(256, dtype=np.uint8)[:, None]
    colours: np.ndarray = cv2.applyColorMap(levels, cv2.COLORMAP_TURBO)[:, 0, ::-1]
    return np.ascontiguousarray(colours)
