"""Pictures whose pixels are known: noise, a ramp that says where it was read, a smooth one."""

import torch

from corr import geometry


def noise(height: int, width: int, channels: int = 1, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, channels, height, width, generator=generator)


def ramp(height: int, width: int) -> torch.Tensor:
    """Two channels that hold x and y: reading one tells where it was read."""
    return geometry.pixel_grid(height, width).permute(2, 0, 1).unsqueeze(0)


def smooth(points: torch.Tensor) -> torch.Tensor:
    """A picture without fine detail, defined at every point of the plane."""
    x, y = points.unbind(-1)
    return 0.5 + 0.2 * torch.sin(x / 9) * torch.cos(y / 13) + 0.2 * torch.sin((x + 2 * y) / 23)


def draw(height: int, width: int, to_source: torch.Tensor | None = None) -> torch.Tensor:
    """The smooth picture, or what a camera sees whose pixels lie at `to_source` in it."""
    grid = geometry.pixel_grid(height, width)
    if to_source is not None:
        grid = grid @ to_source[:, :2].T + to_source[:, 2]
    return smooth(grid)[None, None]
