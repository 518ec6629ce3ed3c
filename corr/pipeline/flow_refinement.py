"""A flow field brought closer to what the images show."""

from __future__ import annotations

from math import log2

import cv2
import numpy as np
import torch
from jaxtyping import Float32, UInt8

from corr.classical.flow import MIN_SIDE, REFINEMENT_ITERATIONS, refine_variationally
from corr.classical.lucas_kanade import polish
from corr.results import Picture

COARSE_ITERATIONS = 20
"""Of the variational refinement at all levels but the last, which together are a third of it."""

Grey = UInt8[np.ndarray, "_ _"]
Field = Float32[np.ndarray, "_ _ 2"]


def refine_flow(how: str, view0: Picture, view1: Picture, flow: Field, *, start: int = 1) -> Field:
    """The flow from image 0 to image 1, refined on the CPU.

    A flow that was found at a fraction of the resolution is wrong by more px than either method
    reaches at full resolution; there it is refined from coarse to fine.

    Args:
        how: `variational`, `lk`, `lk-variational` (at each level one, then the other), or `none`,
            which gives the flow back.
        view0: the first image.
        view1: the second.
        flow: px, to start from; known everywhere.
        start: how many times smaller the images are where it begins; of other numbers than powers
            of 2 the next lower one.

    Source: Dosovitskiy 2015, "FlowNet: Learning optical flow with convolutional networks", section
    3, for `variational` from coarse to fine, the paper's `+v`, with other numbers of iterations.
    """
    if how == "none":
        return flow
    height, width = flow.shape[:2]
    greys = [cv2.cvtColor(view, cv2.COLOR_RGB2GRAY) for view in (view0, view1)]
    finest = max(1, min(height, width) // MIN_SIDE)
    for level in range(int(log2(min(start, finest))), -1, -1):
        size = width >> level, height >> level
        image0, image1 = (_resized(grey, size) for grey in greys)
        scale = np.array([size[0] / flow.shape[1], size[1] / flow.shape[0]], np.float32)
        flow = _resized(flow, size) * scale
        if how != "variational":
            flow = _polished(image0, image1, flow)
        if how != "lk":
            iterations = COARSE_ITERATIONS if level else REFINEMENT_ITERATIONS
            flow = refine_variationally(image0, image1, flow, iterations=iterations)
    return flow


def _resized(values: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Values of each pixel of an image of another width and height."""
    if values.shape[1] == size[0] and values.shape[0] == size[1]:
        return values
    smaller = size[0] < values.shape[1] or size[1] < values.shape[0]
    way = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    resized: np.ndarray = cv2.resize(values, size, interpolation=way)
    return resized


def _polished(image0: Grey, image1: Grey, flow: Field) -> Field:
    with torch.inference_mode():
        start = torch.from_numpy(np.ascontiguousarray(flow)).permute(2, 0, 1)[None]
        view0, view1 = (torch.from_numpy(image)[None, None] / 255 for image in (image0, image1))
        polished = polish(view0, view1, start)[0].permute(1, 2, 0)
    return np.ascontiguousarray(polished.numpy())
