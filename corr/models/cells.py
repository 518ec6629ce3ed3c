"""The pixels of a cell as channels."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn


class PixelsToChannels(nn.Module):
    """`nn.PixelUnshuffle` whose result has the memory format of channels last.

    That of `nn.PixelUnshuffle` has not, nor has what any layer behind it gives then: on a CPU
    those take half the time again.

    Args:
        stride: px of a cell.
    """

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D Hs Ws"]:
        """The pixels of each cell row by row, of each channel, `D = C * stride^2`."""
        batch, channels, height, width = images.shape
        side = self.stride
        cells = images.reshape(batch, channels, height // side, side, width // side, side)
        rows = cells.permute(0, 2, 4, 1, 3, 5).reshape(
            batch, height // side, width // side, channels * side**2
        )
        return rows.permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)
