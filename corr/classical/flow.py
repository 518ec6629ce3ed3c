"""Optical flow by OpenCV: dense inverse search, Farneback's, and variational refinement."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from jaxtyping import Float32, UInt8

from corr.classical import lucas_kanade

MIN_SIDE = 16
"""Smallest height and width that OpenCV is given; smaller images are padded, px."""

REFINEMENT_ITERATIONS = 10
"""Fixed-point iterations of the variational refinement; 5 are OpenCV's own."""

Grey = UInt8[np.ndarray, "H W"]
Field = Float32[np.ndarray, "H W 2"]


def dis(image0: Grey, image1: Grey, *, finest_scale: int = 0) -> Field:
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
    method = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    method.setFinestScale(finest_scale)
    flow: Field = method.calc(_padded(image0), _padded(image1), None)[:height, :width]
    return flow


def dis_refined(image0: Grey, image1: Grey) -> Field:
    """The flow of `dis`, refined once more at full resolution by `refine_variationally`, px."""
    return refine_variationally(image0, image1, dis(image0, image1))


def farneback(image0: Grey, image1: Grey) -> Field:
    """The flow from image 0 to image 1, px, by polynomial expansion of windows of 15 px.

    Source: Farneback 2003, "Two-frame motion estimation based on polynomial expansion"; OpenCV's
    example settings, with five levels.
    """
    height, width = image0.shape
    flow: Field = cv2.calcOpticalFlowFarneback(
        _padded(image0), _padded(image1), None, 0.5, 5, 15, 3, 7, 1.5, 0
    )[:height, :width]
    return flow


def coarse_to_fine(image0: Grey, image1: Grey) -> Field:
    """The flow from image 0 to image 1, px, by `corr.classical.lucas_kanade` on the CPU."""
    views = (torch.from_numpy(image)[None, None].float() / 255 for image in (image0, image1))
    with torch.inference_mode():
        flow = lucas_kanade.lucas_kanade(*views)[0].permute(1, 2, 0)
    return np.ascontiguousarray(flow.numpy())


def refine_variationally(
    image0: Grey, image1: Grey, flow: Field, *, iterations: int = REFINEMENT_ITERATIONS
) -> Field:
    """The flow moved to a smooth one that explains brightness and gradient, px.

    Args:
        image0: grey.
        image1: grey, of the same size.
        flow: px, known everywhere; the refinement starts from it, at this resolution.
        iterations: fixed-point ones.

    Source: Brox 2004, "High accuracy optical flow estimation based on a theory for warping", as
    OpenCV's `VariationalRefinement`.
    """
    height, width = image0.shape
    below, beside = max(0, MIN_SIDE - height), max(0, MIN_SIDE - width)
    start = np.pad(flow, ((0, below), (0, beside), (0, 0)), mode="edge")
    method = cv2.VariationalRefinement.create()
    method.setFixedPointIterations(iterations)
    refined: Field = method.calc(_padded(image0), _padded(image1), start)[:height, :width]
    return refined


METHODS = {
    "dis": dis,
    "dis-varref": dis_refined,
    "farneback": farneback,
    "lucas-kanade": coarse_to_fine,
}
"""By the name of the model."""


def _padded(image: Grey) -> UInt8[np.ndarray, "_ _"]:
    """The image, at least `MIN_SIDE` high and wide."""
    below, beside = (max(0, MIN_SIDE - side) for side in image.shape)
    padded: UInt8[np.ndarray, "_ _"] = cv2.copyMakeBorder(
        image, 0, below, 0, beside, cv2.BORDER_REPLICATE
    )
    return padded
