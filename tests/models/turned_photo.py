"""Frames in a photograph, and both turned by a quarter; networks that turn frames."""

from __future__ import annotations

import torch

from corr.geometry import patch_frames
from corr.models import HardNetSTN

SIZE = 240
QUARTER = torch.tensor([[0.0, -1.0], [1.0, 0.0]])


def some_frames(count: int = 40, angle_deg: float = 0.0, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    points = 60 + (SIZE - 120) * torch.rand(count, 2, generator=generator)
    scale = 1 + 2 * torch.rand(count, generator=generator)
    return patch_frames(points, scale, torch.full((count,), angle_deg))


def turned(image: torch.Tensor, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Both a quarter turn clockwise, exactly; the frames stay upright."""
    x, y = frames[:, :, 2].unbind(1)
    centres = torch.stack((image.shape[-2] - 1 - y, x), 1)
    upright = torch.cat((frames[:, :, :2], centres[:, :, None]), 2)
    return image.transpose(2, 3).flip(3), upright


def planted(transform: str, seed: int = 0) -> HardNetSTN:
    """A network whose transformer is no identity any more."""
    torch.manual_seed(seed)
    network = HardNetSTN(transform, light=True).eval()
    with torch.no_grad():
        network.normalization.regression.weight.normal_(0, 0.3)
    return network
