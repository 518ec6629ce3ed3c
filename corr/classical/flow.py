"""Optical flow by OpenCV's dense inverse search."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

MIN_SIDE = 16
"""Smallest height and width that OpenCV is given; smaller images are padded, px."""


def dis(
    image0: UInt8[np.ndarray, "H W"], image1: UInt8[np.ndarray, "H W"], *, finest_scale: int = 0
) -> Float32[np.ndarray, "H W 2"]:
    """The flow from image 0 to image 1, px.

    OpenCV's medium preset: patches of 8 px every 3 px, 25 steps of gradient descent, 5 of
    variational refinement at each level. The preset stops at half the resolution; we go on to the
    full one, which halves the error for three times the time.

    Args:
        image0: grey.
        image1: grey, of the same size.
        finest_scale: the last level of the pyramid, 2^finest_scale times smaller than the image;
            1 is the preset.

    Source: Kroeger 2016, "Fast Optical Flow using Dense Inverse Search", sections 2.1-2.4.
    """
    height, width = image0.shape
    below, beside = max(0, MIN_SIDE - height), max(0, MIN_SIDE - width)
    views = [
        cv2.copyMakeBorder(image, 0, below, 0, beside, cv2.BORDER_REPLICATE)
        for image in (image0, image1)
    ]
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    method.setFinestScale(finest_scale)
    flow: Float32[np.ndarray, "H W 2"] = method.calc(views[0], views[1], None)[:height, :width]
    return flow
