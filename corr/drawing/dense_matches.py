"""One image seen through its matches with another."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from corr.drawing.colour_maps import turbo
from corr.drawing.flow import add_wheel, flow_colours
from corr.drawing.strip import Colour, Picture, Strip
from corr.drawing.warped import warp_back

_GAP_PX = 6
_UNMATCHED: Colour = (128, 128, 128)
_LONGEST = 95
"""Percentile of the lengths at the rim of the wheel, among the more confident half of the matches:
false ones may be as long as the image."""


def draw_dense_matches(
    image0: Picture,
    image1: Picture,
    flow: Float[np.ndarray, "H W 2"],
    confidence: Float[np.ndarray, "H W"],
    max_flow: int | float | None = None,
) -> Picture:
    """Image 0, image 1 warped onto it, the flow and its confidence, above what the colours mean.

    Where there is no match the warped image is grey, and the other two are black. The warped image
    shows at each pixel what image 1 has at the place matched: where the matches are right it looks
    like image 0.

    Args:
        image0: on the left above.
        image1: of any size.
        flow: px, of every pixel of image 0; NaN where there is no match.
        confidence: in [0, 1].
        max_flow: px at the rim of the colour wheel; nearly the longest of the confident
            matches when not given.
    """
    known = np.isfinite(flow).all(axis=2)
    limit = float(max_flow or 0)
    if limit <= 0 and known.any():
        sure = known & (confidence >= np.median(confidence[known]))
        limit = float(np.percentile(np.hypot(*flow[sure].T), _LONGEST))
    limit = limit if limit > 0 else 1.0
    colours = turbo()[np.rint(255 * np.where(known, confidence, 0).clip(0, 1)).astype(np.uint8)]
    colours[~known] = 0
    above = _beside(image0, _matched(image1, flow, known))
    below = _beside(flow_colours(flow / limit), colours)
    gap = np.full((_GAP_PX, above.shape[1], 3), 255, np.uint8)
    strip = Strip(np.vstack((above, gap, below)), lines=3.5)
    add_wheel(strip, limit)
    share = 100 * float(known.mean()) if known.size else 0.0
    strip.add_swatch(_UNMATCHED, f"no match ({100 - share:.0f} %)")
    strip.add_text("confidence")
    strip.add_bar(turbo(), {0.0: "0", 0.5: "0.5", 1.0: "1"})
    return strip.below()


def _matched(image1: Picture, flow: Float[np.ndarray, "H W 2"], known: np.ndarray) -> Picture:
    warped = warp_back(image1, flow)
    warped[~known] = _UNMATCHED
    return warped


def _beside(left: Picture, right: Picture) -> Picture:
    gap = np.full((left.shape[0], _GAP_PX, 3), 255, np.uint8)
    return np.hstack((left, gap, right))
