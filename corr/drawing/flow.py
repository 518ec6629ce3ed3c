"""Optical flow on the colour wheel."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from corr.drawing.strip import Picture, Strip

_SECTORS = (
    (15, (255, 0, 0), (255, 255, 0)),
    (6, (255, 255, 0), (0, 255, 0)),
    (4, (0, 255, 0), (0, 255, 255)),
    (11, (0, 255, 255), (0, 0, 255)),
    (13, (0, 0, 255), (255, 0, 255)),
    (6, (255, 0, 255), (255, 0, 0)),
)
"""Number of colours from one to the next, around the wheel."""


def draw_flow(flow: Float[np.ndarray, "H W 2"], max_flow: int | float | None = None) -> Picture:
    """Direction as hue, length as saturation, black where NaN, above the wheel with its radius.

    Args:
        flow: px.
        max_flow: px at the rim of the wheel; the longest vector when not given. Longer ones are
            darkened.
    """
    length = np.hypot(flow[..., 0], flow[..., 1])
    known = np.isfinite(length)
    limit = float(max_flow or 0)
    if limit <= 0 and known.any():
        limit = float(length[known].max())
    limit = limit if limit > 0 else 1.0
    picture = flow_colours(flow / limit)
    strip = Strip(picture, lines=3.5)
    add_wheel(strip, limit)
    return strip.below()


def add_wheel(strip: Strip, limit: float) -> None:
    """The wheel, and how many px its radius is."""
    side = strip.height - strip.margin
    x, y = np.meshgrid(*2 * (np.linspace(-1, 1, side),))
    wheel = flow_colours(np.stack((x, y), -1))
    wheel[np.hypot(x, y) > 1] = 255
    strip.add_picture(wheel)
    strip.add_text(f"radius = {limit:.3g} px")


def flow_colours(flow: Float[np.ndarray, "H W 2"]) -> Picture:
    """The colours of flow in units of the wheel's radius.

    Source: Baker et al. 2011, "A Database and Evaluation Methodology for Optical Flow", and its
    colour code `colorcode.cpp`.
    """
    wheel = np.concatenate(
        [np.linspace(start, stop, count, endpoint=False) for count, start, stop in _SECTORS]
    )
    known = np.isfinite(flow).all(axis=2)
    u, v = np.where(known, flow[..., 0], 0), np.where(known, flow[..., 1], 0)
    radius = np.hypot(u, v)[..., None]
    position = (np.arctan2(-v, -u) / np.pi + 1) / 2 * (len(wheel) - 1)
    first = np.floor(position).astype(int)
    weight = (position - first)[..., None]
    hue = (1 - weight) * wheel[first] + weight * wheel[(first + 1) % len(wheel)]
    colour = np.where(radius <= 1, 255 - radius * (255 - hue), 0.75 * hue)
    return np.where(known[..., None], np.floor(colour), 0).astype(np.uint8)
