"""Optical flow from the descriptors of every place: search, then fill."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float32

from corr.geometry import spread_flow
from corr.models.network import DenseDescriptor
from corr.pipeline.dense_matching import match_dense
from corr.results import DenseMatches, Picture
from corr.volume.flow_filling import consistent, fill_flow

MAX_PIXELS = 2**20
"""Larger images are reduced to so many pixels before places are searched for."""

AGREEMENT_STRIDES = 1.5
"""Largest difference of the flow of a match from those around that agree with it, in strides."""

LEAST_CONFIDENCE = 0.01
"""Of a match that agrees with those around it, whatever its runner-up says, and where filled."""


class MatchedFlow(NamedTuple):
    """The flow of every pixel, matched or filled, px."""

    there: Float32[np.ndarray, "H W 2"]
    """From image 0 to image 1."""
    back: Float32[np.ndarray, "H W 2"] | None
    """From image 1 to image 0, from the same matches; None if it was not asked for."""
    confidence: Float32[np.ndarray, "H W"]
    """Of the match of each pixel of image 0, as `corr.match_dense` has it, whatever the flow back
    says; `LEAST_CONFIDENCE` where the flow was filled."""


def flow_of_matches(
    network: DenseDescriptor,
    view0: Picture,
    view1: Picture,
    *,
    both: bool = True,
    device: torch.device | None = None,
) -> MatchedFlow:
    """Match every cell of image 0 with the place of image 1 that looks like it, anywhere, and fill.

    Matches that the way back does not return to are left out, and those with which too few around
    agree; `corr.volume.flow_filling` gives the other cells a flow. Each image is described once.

    The flow back is filled from the same matches, each seen from its place in image 1. What image 1
    hides has no match: its flow is that of what lies around it in image 0, and leads to what hides
    it, from where the flow back leads elsewhere. A place that was not matched for lack of texture
    lies in both images among matches that agree, and the two flows do.

    Args:
        network: describes every place.
        view0: the first image.
        view1: the second, of the same size.
        both: ask for the way back.
        device: where the network runs; where it is when not given.
    """
    size = view0.shape[0], view0.shape[1]
    seen0, seen1 = _reduced(view0), _reduced(view1)
    found = match_dense(seen0, seen1, model=network, mutual=both, device=device)
    kept = consistent(found.flow, AGREEMENT_STRIDES * found.stride)
    confidence = np.where(kept, np.maximum(found.confidence, LEAST_CONFIDENCE), 0)
    there = _filled(found.flow, confidence, seen0, found.stride, size)
    back = None
    if both:
        back = _filled(*_opposite(found, confidence), seen1, found.stride, size)
    rows, columns = (
        np.arange(side) * part // side // found.stride
        for side, part in zip(size, seen0.shape, strict=False)
    )
    sure = np.maximum(confidence, LEAST_CONFIDENCE).astype(np.float32)
    return MatchedFlow(there, back, sure[rows][:, columns])


def _opposite(
    found: DenseMatches, confidence: Float[np.ndarray, "Hs Ws"]
) -> tuple[Float[np.ndarray, "Hs Ws 2"], Float[np.ndarray, "Hs Ws"]]:
    """The matches of cells of image 1, and their confidence, from those of image 0.

    Of several that end in one cell the most confident one stays.
    """
    flow, sure = np.full_like(found.flow, np.nan), np.zeros_like(confidence)
    order = np.argsort(confidence, axis=None, kind="stable")
    order = order[confidence.ravel()[order] > 0]
    moved = found.flow.reshape(-1, 2)[order]
    ends = found.points.reshape(-1, 2)[order] + moved
    column, row = ((ends + 0.5) // found.stride).astype(int).T
    flow[row, column], sure[row, column] = -moved, confidence.ravel()[order]
    return flow, sure


def _filled(
    matches: Float[np.ndarray, "Hs Ws 2"],
    confidence: Float[np.ndarray, "Hs Ws"],
    view: Picture,
    stride: int,
    size: tuple[int, int],
) -> Float32[np.ndarray, "H W 2"]:
    """The flow of every pixel of an image of `size`, of which `view` may be a reduced one."""
    flow = fill_flow(matches, confidence, _cell_colours(view, confidence.shape))
    seen = view.shape[0], view.shape[1]
    pixels = spread_flow(torch.from_numpy(flow), stride, seen).numpy()
    if seen != size:
        scale = np.array([size[1] / seen[1], size[0] / seen[0]], np.float32)
        pixels = cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_LINEAR) * scale
    return np.ascontiguousarray(pixels, np.float32)


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
