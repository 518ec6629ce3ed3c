"""A flow field brought closer to what the images show."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from jaxtyping import Float32

from corr.classical.flow import refine_variationally
from corr.classical.lucas_kanade import polish
from corr.formats import to_tensor
from corr.geometry import to_grey
from corr.results import Picture


def refine_flow(
    how: str, view0: Picture, view1: Picture, flow: Float32[np.ndarray, "H W 2"]
) -> Float32[np.ndarray, "H W 2"]:
    """The flow from image 0 to image 1, refined at full resolution on the CPU.

    Args:
        how: `variational`, `lk`, or `none`, which gives the flow back.
        view0: the first image.
        view1: the second.
        flow: px, to start from; known everywhere.
    """
    if how == "none":
        return flow
    if how == "variational":
        greys = [cv2.cvtColor(view, cv2.COLOR_RGB2GRAY) for view in (view0, view1)]
        return refine_variationally(greys[0], greys[1], flow)
    with torch.inference_mode():
        start = torch.from_numpy(np.ascontiguousarray(flow)).permute(2, 0, 1)[None]
        grey0, grey1 = (to_grey(to_tensor(view)) for view in (view0, view1))
        polished = polish(grey0, grey1, start)[0].permute(1, 2, 0)
    return np.ascontiguousarray(polished.numpy())
