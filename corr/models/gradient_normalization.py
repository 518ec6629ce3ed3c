"""Classical patch normalisation, from the gradients in a patch: nothing is learned."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from corr.geometry import PATCH_SIZE
from corr.models.hardnet import normalize_patches
from corr.models.normalization import PatchNormalization, rotation_matrices

ROUNDNESS = 0.05
"""Share of a circle that is added to second moments: no axis grows above 4.6 times the other."""


class DominantOrientation(PatchNormalization):
    """Turns the x axis along the direction that most gradients point in.

    Source: Lowe 2004, "Distinctive Image Features from Scale-Invariant Keypoints", section 5; of
    its peaks only the highest. The histogram is kornia's.
    """

    finds_orientation = True
    context = 1.0

    def __init__(self) -> None:
        from kornia.feature import PatchDominantGradientOrientation

        super().__init__()
        # In a tuple, so that kornia's constants are neither trained nor saved.
        self._estimators = (PatchDominantGradientOrientation(PATCH_SIZE).requires_grad_(False),)

    @torch.no_grad()
    def transforms(self, patches: Float[Tensor, "N 1 32 32"]) -> Float[Tensor, "N 2 2"]:
        """Rotations."""
        angle = -self._estimators[0](normalize_patches(patches.float()))  # kornia's turns left
        return rotation_matrices(torch.stack((angle.cos(), angle.sin()), -1))


class AffineShape(PatchNormalization):
    """Shears the frame so that gradients are equally strong in all directions, its area unchanged.

    The y axis keeps its direction, so an orientation has to be given or found afterwards.

    Source: Baumberg 2000, "Reliable Feature Matching Across Widely Separated Views", section 3; one
    step of its iteration. The second moments are kornia's.
    """

    finds_orientation = False
    context = 1.0

    def __init__(self) -> None:
        from kornia.feature import PatchAffineShapeEstimator

        super().__init__()
        self._estimators = (PatchAffineShapeEstimator(PATCH_SIZE),)

    @torch.no_grad()
    def transforms(self, patches: Float[Tensor, "N 1 32 32"]) -> Float[Tensor, "N 2 2"]:
        """Lower-triangular matrices T of determinant 1, `T @ T.mT` the inverse moments' shape."""
        moments = self._estimators[0](normalize_patches(patches.float()))[:, 0]
        round_part = 0.5 * ROUNDNESS * (moments[:, 0] + moments[:, 2])
        a, b, c = moments[:, 0] + round_part, moments[:, 1], moments[:, 2] + round_part
        root = (a * c - b * b).clamp_min(1e-12).sqrt()
        # The Cholesky factor of [[c, -b], [-b, a]] / root, the inverse at determinant 1.
        first = (c / root).sqrt()
        zero = torch.zeros_like(first)
        rows = (torch.stack((first, zero), -1), torch.stack((-b / root / first, 1 / first), -1))
        return torch.stack(rows, -2)
