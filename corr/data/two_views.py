"""Two views of one photograph, and where the same points are in both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Float32, UInt8
from torch import Tensor

from corr.data.cutting import Placed, cut_patches, placed_frames
from corr.data.photometric import Grey
from corr.data.viewpoints import Homography, local_affine


@dataclass(frozen=True, eq=False)
class TwoViews:
    """Row i of both sides is the same point."""

    photo: int
    """Number of the photograph."""
    first: Grey
    second: Grey
    homography_0to1: Homography
    placed0: Placed
    placed1: Placed
    """Where a detector might find them again."""
    mirrored: Bool[np.ndarray, " N"]
    """Whose patches are both turned upside down."""

    def __len__(self) -> int:
        return len(self.mirrored)

    @property
    def affine_0to1(self) -> Float32[Tensor, "N 2 2"]:
        """The derivative of the homography at the points."""
        _, slope = local_affine(self.homography_0to1, self.placed0[0])
        return torch.from_numpy(slope.astype(np.float32))

    def frames(
        self, sigmas: float, angles_deg: tuple[Float[np.ndarray, " N"], ...] | None = None
    ) -> tuple[Float32[Tensor, "N 2 3"], Float32[Tensor, "N 2 3"]]:
        """The frames of the patches in both views.

        Args:
            sigmas: side of a patch, in sigmas of its keypoint.
            angles_deg: of both sides, instead of the detector's.
        """
        first, second = (placed_frames(side, sigmas) for side in self._placed(angles_deg))
        flip = torch.from_numpy(np.where(self.mirrored, -1, 1).astype(np.float32))
        for side in (first, second):
            side[:, :, 1] *= flip[:, None]
        return first, second

    def patches(
        self, sigmas: float
    ) -> tuple[UInt8[np.ndarray, "N 32 32"], UInt8[np.ndarray, "N 32 32"]]:
        """The patches of both views, along the detector's orientation."""
        first, second = self.frames(sigmas)
        return cut_patches(self.first, first), cut_patches(self.second, second)

    def _placed(
        self, angles_deg: tuple[Float[np.ndarray, " N"], ...] | None
    ) -> tuple[Placed, Placed]:
        if angles_deg is None:
            return self.placed0, self.placed1
        first, second = angles_deg
        return self.placed0._replace(angle_deg=first), self.placed1._replace(angle_deg=second)
