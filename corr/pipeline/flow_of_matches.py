"""Optical flow from the descriptors of every place: search, then fill."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch
from jaxtyping import Float32

from corr.geometry import spread_flow
from corr.models.network import DenseDescriptor
from corr.pipeline.dense_matching import match_dense
from corr.results import Picture
from corr.volume.flow_filling import consistent, fill_flow

MAX_PIXELS = 2**20
"""Larger images are reduced to so many pixels before places are searched for."""

AGREEMENT_STRIDES = 1.5
"""Largest difference of the flow of a match from those around that agree with it, in strides."""

LEAST_CONFIDENCE = 0.01
"""Of a match that agrees with those around it, whatever its runner-up says."""


class MatchedFlow(NamedTuple):
    """The flow of every pixel, and where it was matched."""

    flow: Float32[np.ndarray, "H W 2"]
    """px."""
    confidence: Float32[np.ndarray, "H W"]
    """Of the match of each pixel, as `corr.match_dense` has it; 0 where the flow was filled."""


def flow_of_matches(
    network: DenseDescriptor,
    view0: Picture,
    view1: Picture,
    *,
    mutual: bool = True,
    device: torch.device | None = None,
) -> MatchedFlow:
    """Match every cell of image 0 with the place of image 1 that looks like it, anywhere, and fill.

    Matches that the way back does not return to are left out, and those with which too few around
    agree; `corr.volume.flow_filling` gives the other cells a flow. Each image is described once.

    Args:
        network: describes every place.
        view0: the first image.
        view1: the second, of the same size.
        mutual: ask for the way back.
        device: where the network runs; where it is when not given.
    """
    size = view0.shape[0], view0.shape[1]
    seen = [_reduced(view) for view in (view0, view1)]
    found = match_dense(*seen, model=network, mutual=mutual, device=device)
    kept = consistent(found.flow, AGREEMENT_STRIDES * found.stride)
    confidence = np.where(kept, np.maximum(found.confidence, LEAST_CONFIDENCE), 0)
    colours = _cell_colours(seen[0], kept.shape)
    flow = fill_flow(np.where(kept[..., None], found.flow, np.nan), confidence, colours)
    seen_size = seen[0].shape[0], seen[0].shape[1]
    pixels = spread_flow(torch.from_numpy(flow), found.stride, seen_size).numpy()
    sure = confidence.astype(np.float32)
    rows, columns = (
        np.arange(side) * part // side // found.stride
        for side, part in zip(size, seen_size, strict=True)
    )
    if seen_size != size:
        scale = np.array([size[1] / seen_size[1], size[0] / seen_size[0]], np.float32)
        pixels = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_LINEAR) * scale
    return MatchedFlow(np.ascontiguousarray(pixels, np.float32), sure[rows][:, columns])


def _reduced(view: Picture) -> Picture:
    """The image with at most `MAX_PIXELS`."""
    height, width = view.shape[:2]
    scale = (MAX_PIXELS / (height * width)) ** 0.5
    if scale >= 1:
        return view
    size = max(1, int(scale * width)), max(1, int(scale * height))
    reduced: Picture = cv2.resize(view, size, interpolation=cv2.INTER_AREA)
    return reduced


def _cell_colours(view: Picture, shape: tuple[int, ...]) -> Float32[np.ndarray, "Hs Ws 3"]:
    """The mean colour of each cell, in [0, 1]; the last ones may be cut by the border."""
    small = cv2.resize(view, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)
    colours: Float32[np.ndarray, "Hs Ws 3"] = small.astype(np.float32) / 255
    return colours
