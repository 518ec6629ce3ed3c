"""GeMNet: a small residual network from a whole image to one vector."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from corr.models.network import ImageEmbedding, check_settings
from corr.models.pooling import GeneralizedMeanPooling

_MEAN, _STD = 0.45, 0.25
"""Of a photograph's colours, about: what the first convolution reads has mean 0 and deviation 1."""


class GeMNet(ImageEmbedding):
    """Three residual blocks, generalised-mean pooling and a linear layer, small enough for a CPU.

    327 713 parameters; 82 909 184 multiply-adds an image of 160 x 160.

    Source: the blocks are those of He 2016, "Deep Residual Learning for Image Recognition";
    pooling, linear layer and normalisation as in Radenovic 2019, "Fine-tuning CNN Image Retrieval
    with No Human Annotation".

    Args:
        descriptor_dim: length of a descriptor.
        width: channels of the first block; the second has twice, the third four times as many.
        exponent: of the pooling at the start; it is learned.
        side: images are resized to about `side` x `side` pixels, in their own proportions.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self, descriptor_dim: int = 128, width: int = 32, exponent: float = 3.0, side: int = 128
    ) -> None:
        super().__init__()
        check_settings(descriptor_dim=descriptor_dim, width=width, side=side)
        self.descriptor_dim = descriptor_dim
        self.side = side
        self.layers = nn.Sequential(
            nn.Conv2d(3, width, 7, stride=4, padding=3, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            _ResidualBlock(width, width, stride=1),
            _ResidualBlock(width, 2 * width, stride=2),
            _ResidualBlock(2 * width, 4 * width, stride=2),
            GeneralizedMeanPooling(exponent),
            nn.Linear(4 * width, descriptor_dim),
        )

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B D"]:
        """Unit-length float32 descriptors, one for each RGB image in [0, 1]."""
        return F.normalize(self.raw(images), dim=1)

    def raw(self, inputs: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B D"]:
        """Descriptors before they are made of unit length."""
        normal = ((inputs - _MEAN) / _STD).to(memory_format=torch.channels_last)
        features: Tensor = self.layers(normal)
        return features.float()


class _ResidualBlock(nn.Module):
    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
            nn.ReLU(inplace=True),
            nn.Conv2d(channels_out, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels_out),
        )
        self.shortcut: nn.Module = nn.Identity()
        if stride > 1 or channels_in != channels_out:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, channels_out, 1, stride=stride, bias=False),
                nn.BatchNorm2d(channels_out),
            )

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D H2 W2"]:
        return F.relu(self.shortcut(features) + self.residual(features))
