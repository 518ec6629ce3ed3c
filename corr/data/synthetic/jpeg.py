"""The losses of JPEG: colour at half the resolution, and rounded cosine coefficients.

Source: ITU-T T.81, 1992, annex A.3.3 (cosine transform) and tables K.1 and K.2; the scale of the
quality is that of the Independent JPEG Group, `jcparam.c`.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

Pictures = Float[Tensor, "B 3 H W"]

_BRIGHTNESS = (
    *(16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55),
    *(14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29, 51, 87, 80, 62),
    *(18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92),
    *(49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99),
)
_COLOUR = (
    *(17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99),
    *(24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99),
    *(99,) * 32,
)
_TO_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
_FROM_YCC = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))


def compress(picture: Pictures, quality: Float[Tensor, " B"], kept: Bool[Tensor, " B"]) -> Pictures:
    """Pictures in [0, 1] as a file of that quality, 1 to 100, gives them back.

    Args:
        picture: what is compressed.
        quality: of each.
        kept: those that stay as they are.
    """
    height, width = picture.shape[-2:]
    bottom, right = -height % 16, -width % 16
    wide = F.pad(picture * 255, (0, right, 0, bottom), mode="replicate")
    ycc = _mix(_TO_YCC, wide)
    scale = torch.where(quality < 50, 5000 / quality, 200 - 2 * quality) / 100
    brightness = _rounded(ycc[:, :1] - 128, _BRIGHTNESS, scale) + 128
    colour = _rounded(F.avg_pool2d(ycc[:, 1:], 2), _COLOUR, scale)
    colour = F.interpolate(colour, scale_factor=2, mode="bilinear", align_corners=False)
    found = _mix(_FROM_YCC, torch.cat((brightness, colour), 1))[..., :height, :width]
    return torch.where(kept[:, None, None, None], picture, (found / 255).clamp(0, 1))


def _mix(matrix: tuple[tuple[float, ...], ...], picture: Pictures) -> Pictures:
    mixed = picture.new_tensor(matrix) @ picture.flatten(2)
    return mixed.reshape(picture.shape)


def _rounded(
    values: Float[Tensor, "B C H W"], table: tuple[int, ...], scale: Float[Tensor, " B"]
) -> Float[Tensor, "B C H W"]:
    """Values whose cosine coefficients are whole multiples of the table's entries."""
    num, channels, height, width = values.shape
    steps = values.new_tensor(table).reshape(8, 8) * scale[:, None, None]
    steps = torch.floor(steps + 0.5).clamp(1, 255)[:, None, None, :, None, :]
    cosines = _cosines(values)
    blocks = values.reshape(num, channels, height // 8, 8, width // 8, 8)
    turned = torch.einsum("ij,bcrjsk,lk->bcrisl", cosines, blocks, cosines)
    turned = (turned / steps).round() * steps
    back = torch.einsum("ij,bcrisl,lk->bcrjsk", cosines, turned, cosines)
    return back.reshape(values.shape)


def _cosines(like: Tensor) -> Float[Tensor, "8 8"]:
    """Row k is the k-th cosine, of length 1."""
    rows = [
        [
            math.sqrt((1 if k == 0 else 2) / 8) * math.cos((2 * n + 1) * k * math.pi / 16)
            for n in range(8)
        ]
        for k in range(8)
    ]
    return like.new_tensor(rows)
