"""Where an image is worth describing: two maps beside the descriptors of a dense network."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from corr.models.cells import PixelsToChannels

LOCAL_CELLS = 5
"""The grey values that the head sees are less the mean of so many cells in x and in y."""


RARE = -4.5
"""Logit at the start: about one pixel in a hundred is near a keypoint."""


class KeypointMaps(NamedTuple):
    """Logits."""

    repeatability: Float[Tensor, "B 1 H W"]
    """Of every pixel: whether another view of the place would have its keypoint here."""
    reliability: Float[Tensor, "B 1 Hs Ws"]
    """Of every cell: whether its descriptor would be found again."""


class KeypointHead(nn.Module):
    """Repeatability of every pixel, and reliability, from features and the pixels of their cell.

    The features know what the place looks like, the pixels know where in the cell it is: places
    are told at the resolution of the image though the features have the stride of the trunk.

    Source: pixels of a cell as channels are from DeTone 2018, "SuperPoint: Self-Supervised
    Interest Point Detection and Description"; the two maps from Revaud 2019, "R2D2: Repeatable and
    Reliable Detector and Descriptor".

    Args:
        channels: of the features.
        stride: px of a cell.
        width: channels between.
    """

    def __init__(self, channels: int, stride: int, width: int = 32) -> None:
        super().__init__()
        self.stride = stride
        self.pixels = PixelsToChannels(stride)
        last = nn.Conv2d(width, stride**2 + 1, 1)
        self.layers = nn.Sequential(
            nn.Conv2d(channels + stride**2, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            last,
        )
        with torch.no_grad():
            assert last.bias is not None
            last.bias[:-1] = RARE
        self.places = nn.PixelShuffle(stride) if stride > 1 else nn.Identity()

    def forward(
        self, features: Float[Tensor, "B C Hs Ws"], grey: Float[Tensor, "B 1 H W"]
    ) -> KeypointMaps:
        """The two maps.

        Args:
            features: of the trunk.
            grey: the image, of `stride` times their sides.
        """
        cells = self.pixels(grey.to(features.dtype))
        edge = LOCAL_CELLS // 2
        means = F.pad(cells.mean(1, keepdim=True), (edge,) * 4, mode="replicate")
        local = cells - F.avg_pool2d(means, LOCAL_CELLS, stride=1)
        found = self.layers(torch.cat((features, local), dim=1))
        return KeypointMaps(self.places(found[:, :-1]).float(), found[:, -1:].float())
