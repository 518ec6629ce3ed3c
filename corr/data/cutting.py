"""Patches of keypoints, cut from a grey image of 8 bits and stored as one."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64, UInt8
from torch import Tensor

from corr.classical.keypoints import Keypoints
from corr.geometry import extract_patches, patch_frames


class Placed(NamedTuple):
    """Where keypoints are, without how strong they are."""

    points: Float[np.ndarray, "N 2"]
    scale: Float[np.ndarray, " N"]
    angle_deg: Float[np.ndarray, " N"]

    @classmethod
    def of(cls, keypoints: Keypoints) -> Placed:
        """Those of a detector."""
        return cls(keypoints.points, keypoints.scale, keypoints.angle_deg)

    def take(self, rows: Int64[np.ndarray, " K"]) -> Placed:
        """Some of them, in a new order."""
        return Placed(self.points[rows], self.scale[rows], self.angle_deg[rows])


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
