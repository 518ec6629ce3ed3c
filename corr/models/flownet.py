"""FlowNet: optical flow by a convolutional network that was trained for it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from math import ceil

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from corr.errors import OptionError
from corr.models.flow_network import FlowNetwork
from corr.models.flownet_layers import Hourglass, Tower, Widths, convolutions
from corr.models.flownet_refinement import SLOPE
from corr.models.ucn_trunks import pad_to_multiple
from corr.volume.correlation import correlation_layer

FLOW_UNIT = 20.0
"""px that a flow of 1 is, inside the networks, as published: weights of their own size."""
MEAN = (0.45, 0.432, 0.411)
"""Of the colours of Flying Chairs, R, G and B. Source: github.com/ClementPinard/FlowNetPytorch."""
MAX_DISPLACEMENT, DILATION = 20, 2
"""Of the correlation, in pixels of the map at 1/8: 441 displacements within 160 px of the image."""
REDIRECTED = 32
"""Channels of FlowNetC that image 0 gives beside the correlation, at width 1; at others a multiple
of 8, as processors like them."""


class FlowNet(FlowNetwork):
    """What FlowNetS and FlowNetC have in common: what comes in, and what unit goes out.

    Args:
        mean: of the colours R, G and B, which is taken from the images; None for that of each pair.

    Raises:
        OptionError: not three colours.
    """

    def __init__(self, mean: Sequence[float] | None) -> None:
        super().__init__()
        if mean is not None and len(mean) != 3:
            raise OptionError(f"mean is {list(mean)}; use three numbers, or null for each pair's")
        self.mean = None if mean is None else tuple(mean)

    def forward(
        self, images0: Float[Tensor, "B 3 H W"], images1: Float[Tensor, "B 3 H W"]
    ) -> list[Float[Tensor, "B 2 _ _"]]:
        """Flow in px at 1/64, 1/32, 1/16, 1/8 and 1/4 of the padded sides, in float32."""
        images = torch.cat((images0, images1))
        means = images.new_tensor(self.mean or (0, 0, 0)).view(1, 3, 1, 1)
        if self.mean is None:
            pairs = torch.stack((images0, images1)).mean((0, 3, 4))
            means = pairs.repeat(2, 1)[:, :, None, None]
        images = pad_to_multiple(images - means, self.multiple)
        images = images.contiguous(memory_format=torch.channels_last)
        return [FLOW_UNIT * level for level in self._levels(*images.chunk(2))]

    @abstractmethod
    def _levels(self, images0: Tensor, images1: Tensor) -> list[Tensor]:
        """Flow in the network's own unit, of padded images of mean 0."""


class FlowNetS(FlowNet):
    """One chain of convolutions that sees both images at once.

    Source: Dosovitskiy 2015, "FlowNet: Learning optical flow with convolutional networks", with
    the layer conv6_1 that all published code has.

    Args:
        width: factor of the channels of each layer; 1 for the paper's 38.68 million parameters.
        batch_norm: whether convolutions are followed by batch normalisation; the paper's are not.
        mean: of the colours R, G and B, which is taken from the images; None for that of each pair.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self,
        width: float = 1.0,
        *,
        batch_norm: bool = False,
        mean: Sequence[float] | None = MEAN,
    ) -> None:
        super().__init__(mean)
        widths = Widths.of(width)
        self.tower = Tower(6, widths, batch_norm=batch_norm)
        self.hourglass = Hourglass(
            widths.conv3, widths.conv2, widths, batch_norm=batch_norm, upsampling_bias=False
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in stubs

    def _levels(self, images0: Tensor, images1: Tensor) -> list[Tensor]:
        fine, coarse = self.tower(torch.cat((images0, images1), dim=1))
        levels: list[Tensor] = self.hourglass(coarse, fine)
        return levels


class FlowNetC(FlowNet):
    """Features of both images, compared by a correlation, and a chain of convolutions after it.

    Source: Dosovitskiy 2015, "FlowNet: Learning optical flow with convolutional networks", with
    the layer conv6_1 that all published code has.

    Args:
        width: factor of the channels of each layer; 1 for the paper's 39.18 million parameters.
        batch_norm: whether convolutions are followed by batch normalisation; the paper's are not.
        mean: of the colours R, G and B, which is taken from the images; None for that of each pair.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self,
        width: float = 1.0,
        *,
        batch_norm: bool = False,
        mean: Sequence[float] | None = MEAN,
    ) -> None:
        super().__init__(mean)
        widths = Widths.of(width)
        redirected = 8 * ceil(width * REDIRECTED / 8)
        displacements = (2 * (MAX_DISPLACEMENT // DILATION) + 1) ** 2
        self.tower = Tower(3, widths, batch_norm=batch_norm)
        self.conv_redir = convolutions(batch_norm=batch_norm)(widths.conv3, redirected, 1, 1)
        self.hourglass = Hourglass(
            redirected + displacements,
            widths.conv2,
            widths,
            batch_norm=batch_norm,
            upsampling_bias=True,
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in stubs

    def _levels(self, images0: Tensor, images1: Tensor) -> list[Tensor]:
        fine, coarse = self.tower(torch.cat((images0, images1)))
        skip, _ = fine.chunk(2)
        first, second = coarse.chunk(2)
        scores = correlation_layer(first, second, MAX_DISPLACEMENT, dilation=DILATION)
        scores = F.leaky_relu(scores, SLOPE)
        seen = torch.cat((self.conv_redir(first), scores.to(first.dtype)), dim=1)
        levels: list[Tensor] = self.hourglass(seen, skip)
        return levels
