"""The contracting part of FlowNet: images to features at 1/64 of their sides."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from corr.errors import OptionError
from corr.models.flownet_refinement import SLOPE, FlowRefinement


class Widths(NamedTuple):
    """Channels of the layers."""

    conv1: int
    conv2: int
    conv3: int
    conv4: int
    conv5: int
    conv6: int

    @classmethod
    def of(cls, width: float) -> Widths:
        """Those of the paper times `width`.

        Raises:
            OptionError: a layer would have no channel.
        """
        if not 1 / 64 <= width <= 16:
            raise OptionError(f"width is {width}; use a value in [1/64, 16], such as 0.375")
        return cls(*(round(width * channels) for channels in (64, 128, 256, 512, 512, 1024)))


class Tower(nn.Module):
    """conv1 to conv3: features of an image, or of two that are stacked.

    Args:
        channels: that come in.
        widths: of the layers.
        batch_norm: whether each convolution is followed by batch normalisation.
    """

    def __init__(self, channels: int, widths: Widths, *, batch_norm: bool) -> None:
        super().__init__()
        layer = convolutions(batch_norm=batch_norm)
        self.conv1 = layer(channels, widths.conv1, 7, 2)
        self.conv2 = layer(widths.conv1, widths.conv2, 5, 2)
        self.conv3 = layer(widths.conv2, widths.conv3, 5, 2)
        self.channels = widths.conv3

    @property
    def dtype(self) -> torch.dtype:
        """Of the images that it takes."""
        return next(self.parameters()).dtype

    def forward(
        self, images: Float[Tensor, "B C H W"]
    ) -> tuple[Float[Tensor, "B _ H4 W4"], Float[Tensor, "B _ H8 W8"]]:
        """Features at 1/4 and at 1/8 of the sides."""
        fine = self.conv2(self.conv1(images))
        return fine, self.conv3(fine)


class Hourglass(nn.Module):
    """conv3_1 to conv6_1, and the refinement: features at 1/8 to flow at 1/64 to 1/4.

    Args:
        channels: of the features at 1/8.
        skip: of those at 1/4, which the last step of the refinement sees.
        widths: of the layers.
        batch_norm: as `Tower` takes it.
        upsampling_bias: as `FlowRefinement` takes it.
    """

    def __init__(
        self, channels: int, skip: int, widths: Widths, *, batch_norm: bool, upsampling_bias: bool
    ) -> None:
        super().__init__()
        layer = convolutions(batch_norm=batch_norm)
        self.conv3_1 = layer(channels, widths.conv3, 3, 1)
        self.conv4 = layer(widths.conv3, widths.conv4, 3, 2)
        self.conv4_1 = layer(widths.conv4, widths.conv4, 3, 1)
        self.conv5 = layer(widths.conv4, widths.conv5, 3, 2)
        self.conv5_1 = layer(widths.conv5, widths.conv5, 3, 1)
        self.conv6 = layer(widths.conv5, widths.conv6, 3, 2)
        self.conv6_1 = layer(widths.conv6, widths.conv6, 3, 1)
        self.refinement = FlowRefinement(
            (widths.conv6, widths.conv5, widths.conv4, widths.conv3, skip),
            (widths.conv5, widths.conv3, widths.conv2, widths.conv1),
            upsampling_bias=upsampling_bias,
        )

    def forward(
        self, features: Float[Tensor, "B _ H8 W8"], skip: Float[Tensor, "B _ H4 W4"]
    ) -> list[Tensor]:
        """Flow at five resolutions, the coarsest first, in the network's own unit."""
        eighth = self.conv3_1(features)
        sixteenth = self.conv4_1(self.conv4(eighth))
        thirty_second = self.conv5_1(self.conv5(sixteenth))
        sixty_fourth = self.conv6_1(self.conv6(thirty_second))
        levels: list[Tensor] = self.refinement(
            (sixty_fourth, thirty_second, sixteenth, eighth, skip)
        )
        return levels


def convolutions(*, batch_norm: bool) -> Callable[[int, int, int, int], nn.Sequential]:
    """What makes a layer of channels in and out, kernel and stride."""

    def layer(channels: int, width: int, kernel: int, stride: int) -> nn.Sequential:
        convolution = nn.Conv2d(
            channels, width, kernel, stride, padding=kernel // 2, bias=not batch_norm
        )
        nn.init.kaiming_normal_(convolution.weight, SLOPE)
        if convolution.bias is not None:
            nn.init.zeros_(convolution.bias)
        normalization = [nn.BatchNorm2d(width)] if batch_norm else []
        return nn.Sequential(convolution, *normalization, nn.LeakyReLU(SLOPE, inplace=True))

    return layer
