"""How sure a result is of each pixel."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from corr.drawing.colour_maps import viridis
from corr.drawing.strip import Colour, Picture, Strip

_ZERO: Colour = (0, 0, 0)


def draw_confidence(
    confidence: Float[np.ndarray, "H W"], zero: str = "filled or unknown"
) -> Picture:
    """Dark where unsure, yellow where sure, black where 0 or not finite; above the scale.

    Args:
        confidence: in [0, 1].
        zero: what a confidence of 0 means.
    """
    known = np.isfinite(confidence) & (confidence > 0)
    level = np.rint(255 * np.where(known, confidence, 0).clip(0, 1)).astype(int)
    picture = np.where(known[..., None], viridis()[level], np.array(_ZERO, np.uint8))
    strip = Strip(picture, lines=2.0)
    strip.add_text("confidence")
    share = 100 * float((~known).mean()) if known.size else 0.0
    strip.add_swatch(_ZERO, f"{zero} ({share:.0f} %)")
    strip.add_bar(viridis(), {0.0: "0", 0.5: "0.5", 1.0: "1"})
    return strip.below()
