"""Two images of a moving scene -> a flow field."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from jaxtyping import Float32

from corr.classical.flow import dis
from corr.errors import ImageError, ModelError
from corr.formats import as_image
from corr.geometry import pixel_grid, sample
from corr.models.network import Network
from corr.pipeline import catalog
from corr.resources import resolve_device
from corr.results import FlowField

RELATIVE_ERROR, ABSOLUTE_ERROR = 0.01, 0.5
"""Largest squared disagreement of the two directions: a share of their squared lengths, plus px^2.
Source: Sundaram 2010, "Dense point trajectories by GPU-accelerated large displacement optical
flow", equation 5."""


def flow(
    image0: Any,
    image1: Any,
    *,
    model: str | Path | Network | None = None,
    device: str | torch.device | None = None,
) -> FlowField:
    """Where each pixel of image 0 went in image 1.

    The flow is computed in both directions. A pixel is occluded where the flow back from its
    target does not return to it, or where its target is outside image 1.

    Args:
        image0: a path, a uint8 array `(H, W, 3)` RGB or `(H, W)`, or a float tensor `(3, H, W)` in
            [0, 1].
        image1: the other image, of the same size.
        model: a name that `corr models` lists; `dis` when not given.
        device: where a network runs; classical methods run on the CPU.

    Raises:
        ImageError: an image cannot be read or used, or the two differ in size.
        ModelError: the model is unknown or does not do flow.
        OptionError: the device is not known or not present.
    """
    chosen = catalog.resolve(model, "flow")
    if isinstance(chosen, Network):
        raise ModelError(
            f"{type(chosen).__name__} does not do flow; use one of "
            f"{', '.join(catalog.names('flow'))}"
        )
    resolve_device(device)
    views = as_image(image0), as_image(image1)
    if views[0].shape != views[1].shape:
        sizes = [f"{view.shape[1]} x {view.shape[0]}" for view in views]
        raise ImageError(
            f"image 0 is {sizes[0]} and image 1 {sizes[1]} pixels; flow needs one size"
        )
    grey0, grey1 = (cv2.cvtColor(view, cv2.COLOR_RGB2GRAY) for view in views)
    flow_0to1 = dis(grey0, grey1)
    confidence = round_trip_confidence(flow_0to1, dis(grey1, grey0))
    return FlowField(flow_0to1, confidence == 0, confidence)


def round_trip_confidence(
    flow_0to1: Float32[np.ndarray, "H W 2"], flow_1to0: Float32[np.ndarray, "H W 2"]
) -> Float32[np.ndarray, "H W"]:
    """How well the way there and back returns to each pixel: 1 exactly, 0 where occluded.

    It falls with the squared disagreement and is 0 from the limit on, and outside image 1.
    """
    height, width = flow_0to1.shape[:2]
    there = torch.from_numpy(np.ascontiguousarray(flow_0to1))
    target = pixel_grid(height, width) + there
    backward = torch.from_numpy(np.ascontiguousarray(flow_1to0)).permute(2, 0, 1).unsqueeze(0)
    back = sample(backward, target.unsqueeze(0), padding="border").squeeze(0)
    error = (there + back).square().sum(-1)
    limit = RELATIVE_ERROR * (there.square().sum(-1) + back.square().sum(-1)) + ABSOLUTE_ERROR
    edge = torch.tensor([width, height]) - 0.5
    inside = ((target >= -0.5) & (target <= edge)).all(-1)
    confidence: Float32[np.ndarray, "H W"] = ((1 - error / limit).clamp(0, 1) * inside).numpy()
    return confidence
