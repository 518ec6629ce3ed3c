"""Patches of keypoints, cut from a grey image of 8 bits and stored as one."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from corr.geometry import extract_patches, patch_frames

Placed = tuple[Float[np.ndarray, "N 2"], Float[np.ndarray, " N"], Float[np.ndarray, " N"]]
"""Points, scales and angles (degrees) of keypoints."""


def placed_frames(placed: Placed, sigmas: float) -> Float32[Tensor, "N 2 3"]:
    """The frames of keypoints, whose patches have a side of so many sigmas."""
    tables = (torch.as_tensor(values, dtype=torch.float32) for values in placed)
    return patch_frames(*tables, sigmas=sigmas)


def cut_patches(
    view: UInt8[np.ndarray, "H W"], frames: Float32[Tensor, "N 2 3"]
) -> UInt8[np.ndarray, "N 32 32"]:
    """The patches at frames."""
    image = torch.from_numpy(view).float()[None, None]
    return extract_patches(image, frames)[:, 0].round().clamp(0, 255).byte().numpy()
