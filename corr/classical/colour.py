"""An image described by the colours in it: the classical baseline of retrieval."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

BINS = (8, 4, 4)
"""Of hue, saturation and value."""


def colour_histogram(image: UInt8[np.ndarray, "H W 3"]) -> Float32[np.ndarray, " D"]:
    """The square roots of the joint histogram of hue, saturation and value, of unit length.

    The inner product of two of them is the Bhattacharyya coefficient of the histograms.

    Source: Swain and Ballard 1991, "Color indexing"; Arandjelovic and Zisserman 2012, "Three
    things everyone should know to improve object retrieval", section 3 (the root).

    Args:
        image: RGB.
    """
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV)
    counts = cv2.calcHist([hsv], [0, 1, 2], None, list(BINS), [0, 180, 0, 256, 0, 256])
    share = counts.ravel() / counts.sum()
    root: Float32[np.ndarray, " D"] = np.sqrt(share).astype(np.float32)
    return root
