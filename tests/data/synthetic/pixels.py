"""Where pixels go, what lies there, and what lies beside them."""

import torch

from corr.geometry import pixel_grid


def targets(flow: torch.Tensor) -> torch.Tensor:
    """(H, W, 2): where each pixel goes."""
    return pixel_grid(*flow.shape[1:]) + flow.permute(1, 2, 0)


def nearest(values: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Values of the pixels in which the targets lie; those outside are moved in."""
    height, width = values.shape[-2:]
    x, y = target.clamp(-1e4, 1e4).round().long().unbind(-1)
    return values[..., y.clamp(0, height - 1), x.clamp(0, width - 1)]


def widened(mask: torch.Tensor) -> torch.Tensor:
    """True where a pixel or one beside it is."""
    return torch.nn.functional.max_pool2d(mask[None].float(), 3, 1, 1)[0] > 0
