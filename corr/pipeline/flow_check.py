"""Which pixels of a flow field the way back confirms."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Bool, Float32

from corr.geometry import pixel_grid, sample

RELATIVE_ERROR, ABSOLUTE_ERROR = 0.01, 0.5
"""Largest squared disagreement of the two directions: a share of their squared lengths, plus px^2.
Source: Sundaram 2010, "Dense point trajectories by GPU-accelerated large displacement optical
flow", equation 5."""


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
    agreement = (1 - error / limit).clamp(0, 1).numpy()
    confidence: Float32[np.ndarray, "H W"] = np.where(stays_inside(flow_0to1), agreement, 0)
    return confidence


def stays_inside(flow_0to1: Float32[np.ndarray, "H W 2"]) -> Bool[np.ndarray, "H W"]:
    """True where the target of a pixel is inside image 1."""
    height, width = flow_0to1.shape[:2]
    target = pixel_grid(height, width).numpy() + flow_0to1
    inside: np.ndarray = ((target >= -0.5) & (target <= np.array([width, height]) - 0.5)).all(2)
    return inside
