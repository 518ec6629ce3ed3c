"""Descriptors of every pixel, from those of a coarser stride."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class Refinement(nn.Module):
    """Enlarges descriptors, and corrects each pixel's by what the pixels around it show.

    At full resolution memory is what a layer waits for, so that few channels look at the pixels:
    3 x 3 convolutions of grey values, and of features that say what they belong to.

    Args:
        channels: of the features.
        descriptor_dim: length of a descriptor.
        stride: of both, px.
        width: channels at full resolution.
    """

    def __init__(self, channels: int, descriptor_dim: int, stride: int, width: int = 16) -> None:
        super().__init__()
        self.stride = stride
        self.context = nn.Conv2d(channels, width, 1, bias=False)
        self.pixels = nn.Conv2d(1, width, 3, padding=1, bias=False)
        self.layers = nn.Sequential(
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, descriptor_dim, 1, bias=False),
        )

    def forward(
        self,
        descriptors: Float[Tensor, "B D Hs Ws"],
        features: Float[Tensor, "B C Hs Ws"],
        grey: Float[Tensor, "B 1 H W"],
    ) -> Float[Tensor, "B D H W"]:
        """Descriptors of the pixels of an image, of `stride` times the sides, of any length."""
        seen = enlarge(self.context(features), self.stride) + self.pixels(grey)
        corrected: Tensor = enlarge(descriptors, self.stride) + self.layers(seen)
        return corrected


def enlarge(maps: Float[Tensor, "B C Hs Ws"], stride: int) -> Float[Tensor, "B C H W"]:
    """Maps of a stride at every pixel, by the half-pixel rule."""
    return F.interpolate(maps, scale_factor=float(stride), mode="bilinear", align_corners=False)
