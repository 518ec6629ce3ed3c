"""Spatial transformers of patches: a small network says how to turn, scale and shear a frame."""

from __future__ import annotations

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from corr.errors import OptionError
from corr.models.hardnet import normalize_patches
from corr.models.normalization import PatchNormalization, rotation_matrices

Transform = Literal["rotation", "similarity", "affine"]

CONTEXT = 1.25
"""Side of the patch that is looked at, in sides of the frame: most of what a turned one shows."""

_OUTPUTS = {"rotation": 2, "similarity": 3, "affine": 5}
_GROUPS = 4


class SpatialTransformer(PatchNormalization):
    """A localisation network for the patch, and the transform of the frame that it predicts.

    101 010 parameters; 1 937 536 multiply-adds a patch, for a rotation. The last layer starts at
    zero, so that an untrained one leaves every frame exactly as it is. There is no translation: the
    position is the detector's. Its layers are normalised over groups of channels and not over the
    batch, so that a patch is turned alike whatever patches are beside it.

    - `rotation`: by the angle of a vector (cos, sin).
    - `similarity`: and a scale of 1/2 to 2.
    - `affine`: and before it a shear of determinant 1 that keeps the y axis' direction, lengths of
      the axes at most 2 : 1, as AffNet's.

    Source: Jaderberg 2015, "Spatial Transformer Networks", section 3; the orientation as in Yi
    2016, "Learning to Assign Orientations to Feature Points", section 3; the shear as in Mishkin
    2018, "Repeatability Is Not Enough: Learning Affine Regions via Discriminability", section 3.

    Args:
        transform: what it may predict.

    Raises:
        OptionError: the transform is not known.
    """

    finds_orientation = True
    context = CONTEXT

    def __init__(self, transform: Transform = "rotation") -> None:
        super().__init__()
        if transform not in get_args(Transform):
            known = ", ".join(get_args(Transform))
            raise OptionError(f"transform '{transform}' is not known; use {known}")
        self.transform = transform
        self.localization = nn.Sequential(
            *_block(1, 16, kernel=5, stride=2),
            *_block(16, 16),
            *_block(16, 32, stride=2),
            *_block(32, 32),
            *_block(32, 64, stride=2),
            nn.Conv2d(64, 64, 4),
            nn.ReLU(inplace=True),
            nn.Flatten(),
        )
        for layer in self.localization:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight)
        self.regression = nn.Linear(64, _OUTPUTS[transform])
        nn.init.zeros_(self.regression.weight)
        with torch.no_grad():
            self.regression.bias.copy_(torch.eye(1, _OUTPUTS[transform])[0])

    def transforms(self, patches: Float[Tensor, "N 1 32 32"]) -> Float[Tensor, "N 2 2"]:
        """Transforms of the frame, the identity at the start."""
        patches = normalize_patches(patches).contiguous(memory_format=torch.channels_last)
        found = self.regression(self.localization(patches))
        found = found.to(torch.promote_types(found.dtype, torch.float32))
        turn = rotation_matrices(F.normalize(found[:, :2], dim=1))
        if self.transform == "rotation":
            return turn
        scaled = 2 ** torch.tanh(found[:, 2, None, None]) * turn
        return scaled if self.transform == "similarity" else _sheared(scaled, found[:, 3:])


def _sheared(
    transforms: Float[Tensor, "N 2 2"], found: Float[Tensor, "N 2"]
) -> Float[Tensor, "N 2 2"]:
    """`L @ transforms` with lower-triangular L of determinant 1 and bounded entries."""
    stretch, slant = torch.tanh(found).unsqueeze(-1).unbind(1)
    first = 2 ** (0.5 * stretch)
    x, y = transforms.unbind(1)
    return torch.stack((first * x, slant * x + y / first), 1)


def _block(
    channels_in: int, channels_out: int, *, kernel: int = 3, stride: int = 1
) -> list[nn.Module]:
    return [
        nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, bias=False),
        nn.GroupNorm(_GROUPS, channels_out),
        nn.ReLU(inplace=True),
    ]
