"""One image brought back onto another by the flow between them."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float

from corr.drawing.strip import Colour, Picture, Strip

_SHADE: Colour = (255, 0, 255)
_SHADED = 0.5
"""Share of the shade in the colour of an occluded pixel."""


def draw_warped(
    image1: Picture, flow: Float[np.ndarray, "H W 2"], occluded: Bool[np.ndarray, "H W"]
) -> Picture:
    """Image 1 as it lies on image 0, shaded where occluded: elsewhere it should look like image 0.

    Args:
        image1: the second image.
        flow: px, from image 0; NaN where it is not known, which is shaded, too.
        occluded: True where image 1 does not show the pixel.
    """
    shaded = occluded | ~np.isfinite(flow).all(axis=2)
    picture = warp_back(image1, flow)
    mixed = (1 - _SHADED) * picture[shaded] + _SHADED * np.array(_SHADE)
    picture[shaded] = np.rint(mixed).astype(np.uint8)
    strip = Strip(picture, lines=1.0)
    share = 100 * float(shaded.mean()) if shaded.size else 0.0
    strip.add_swatch(_SHADE, f"occluded ({share:.0f} %)")
    return strip.below()


def warp_back(image1: Picture, flow: Float[np.ndarray, "H W 2"]) -> Picture:
    """What image 1 has at the target of each pixel of image 0, bilinear; the border repeats.

    A pixel whose flow is not finite is read at its own place.
    """
    height, width = flow.shape[:2]
    known = np.isfinite(flow).all(axis=2, keepdims=True)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    target = np.where(known, flow, 0).astype(np.float32) + np.dstack((x, y))
    warped: Picture = cv2.remap(
        np.ascontiguousarray(image1),
        target,
        None,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return warped
