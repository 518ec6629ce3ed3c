"""How far two frames of the same point are from showing the same part of the scene."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor


def frame_mismatch(
    frames0: Float[Tensor, "B 2 3"],
    frames1: Float[Tensor, "B 2 3"],
    affine_0to1: Float[Tensor, "B 2 2"],
) -> Float[Tensor, "B 2 2"]:
    """Where the points of a patch of view 0 lie in that of view 1; the identity at its best."""
    axes0, axes1 = (frames[:, :, :2].double() for frames in (frames0, frames1))
    mismatch: Tensor = torch.linalg.inv(axes1) @ affine_0to1.double() @ axes0
    return mismatch


def frame_distance(mismatch: Float[Tensor, "B 2 2"]) -> Float[Tensor, ""]:
    """Mean square of how far the points of one patch lie off in the other, in half sides.

    Over the disc of radius 1, and over both directions, so that smaller frames gain nothing.
    """
    away = mismatch - torch.eye(2, dtype=mismatch.dtype, device=mismatch.device)
    back = torch.linalg.inv(mismatch) - torch.eye(2, dtype=mismatch.dtype, device=mismatch.device)
    off: Tensor = away.square().sum((1, 2)) + back.square().sum((1, 2))
    return 0.125 * off.mean().float()


def turn_deg(mismatch: Float[Tensor, "B 2 2"]) -> Float[Tensor, " B"]:
    """By how much the patches are turned against each other, 0 to 180 degrees."""
    sine = mismatch[:, 1, 0] - mismatch[:, 0, 1]
    cosine = mismatch[:, 0, 0] + mismatch[:, 1, 1]
    return torch.rad2deg(torch.atan2(sine, cosine)).abs().float()
