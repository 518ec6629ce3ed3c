"""Trunks of the Universal Correspondence Network: images to feature maps.

Every layer that changes the resolution has an even kernel, so that its pixels lie where the
half-pixel rule of `corr.geometry` says: a feature map of stride s is an image reduced by s.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from corr.models.cells import PixelsToChannels


class Trunk(nn.Module, ABC):
    """Turns normalised images into feature maps."""

    stride: int
    """px of the image from one vector to the next."""
    multiple: int
    """Sides of the images that it takes are multiples of it."""
    channels: int
    """Length of a feature vector."""
    sees_colour: bool
    """Whether images are RGB, or grey."""
    context: int
    """px beyond a place that reach its feature vector or its keypoints, at most."""

    @abstractmethod
    def forward(self, images: Float[Tensor, "B _ H W"]) -> Float[Tensor, "B C Hs Ws"]:
        """Feature maps of `H / stride` rows."""


class LightTrunk(Trunk):
    """A small U-Net of residual blocks from stride 4 to stride 16 and back, for CPUs.

    It looks at grey, and has no layer of more than 16 channels at a finer resolution than stride 4:
    there memory is what a layer waits for. Width grows where the pixels are few.

    Args:
        widths: channels at strides 4, 8 and 16.
    """

    stride = 4
    multiple = 16
    sees_colour = False
    context = 160

    def __init__(self, widths: tuple[int, int, int] = (32, 64, 128)) -> None:
        super().__init__()
        fine, middle, coarse = widths
        self.channels = fine
        self.stride4 = nn.Sequential(
            PixelsToChannels(4), *_convolution(16, fine), ResidualBlock(fine)
        )
        self.stride8 = nn.Sequential(*_reduction(fine, middle), ResidualBlock(middle))
        self.stride16 = nn.Sequential(
            *_reduction(middle, coarse), ResidualBlock(coarse), ResidualBlock(coarse)
        )
        self.to_stride8 = Merge(coarse, middle)
        self.to_stride4 = Merge(middle, fine)

    def forward(self, images: Float[Tensor, "B 1 H W"]) -> Float[Tensor, "B C Hs Ws"]:
        """Feature maps of a quarter of the sides."""
        fine = self.stride4(images)
        middle = self.stride8(fine)
        middle = self.to_stride8(self.stride16(middle), middle)
        merged: Tensor = self.to_stride4(middle, fine)
        return merged


class ResUNetTrunk(Trunk):
    """A U-Net of residual blocks with features at every pixel.

    Source: the layout (three reductions, widths, a residual block at each stride) is that of
    Choy 2019, "Fully Convolutional Geometric Features", which the authors of the network took up
    for images.

    Args:
        widths: channels at strides 1, 2, 4 and 8.
    """

    stride = 1
    multiple = 8
    sees_colour = True
    context = 64

    def __init__(self, widths: tuple[int, int, int, int] = (32, 64, 128, 256)) -> None:
        super().__init__()
        self.channels = widths[0]
        self.first = nn.Sequential(*_convolution(3, widths[0]), ResidualBlock(widths[0]))
        self.down = nn.ModuleList(
            nn.Sequential(*_reduction(fine, coarse), ResidualBlock(coarse))
            for fine, coarse in itertools.pairwise(widths)
        )
        self.up = nn.ModuleList(Merge(coarse, fine) for fine, coarse in itertools.pairwise(widths))

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B C H W"]:
        """Feature maps of the size of the images."""
        levels = [self.first(images)]
        for down in self.down:
            levels.append(down(levels[-1]))
        features: Tensor = levels.pop()
        for up in reversed(self.up):
            features = up(features, levels.pop())
        return features


class ResidualBlock(nn.Module):
    """Two 3 x 3 convolutions beside the identity.

    Source: He 2016, "Deep Residual Learning for Image Recognition".
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            *_convolution(channels, channels),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, features: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
        """As many feature vectors."""
        return F.relu(features + self.residual(features))


class Merge(nn.Module):
    """Coarse features at twice the resolution, added to fine ones."""

    def __init__(self, coarse: int, fine: int) -> None:
        super().__init__()
        self.lateral = nn.Conv2d(coarse, fine, 1, bias=False)
        self.merge = nn.Sequential(*_convolution(fine, fine))

    def forward(
        self, coarse: Float[Tensor, "B C H W"], fine: Float[Tensor, "B D H2 W2"]
    ) -> Float[Tensor, "B D H2 W2"]:
        """Fine features that know their surroundings."""
        # The 1 x 1 convolution commutes with the enlargement, and comes first since it is cheaper.
        enlarged = F.interpolate(
            self.lateral(coarse), scale_factor=2.0, mode="bilinear", align_corners=False
        )
        merged: Tensor = self.merge(fine + enlarged)
        return merged


def pad_to_multiple(images: Float[Tensor, "B C H W"], multiple: int) -> Float[Tensor, "B C H1 W1"]:
    """The images with their last row and column repeated until both sides are multiples."""
    height, width = images.shape[-2:]
    below, right = -height % multiple, -width % multiple
    # Padding by nothing copies, too.
    return F.pad(images, (0, right, 0, below), mode="replicate") if below or right else images


def normalize_images(images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    """Each image with mean 0 and deviation 1 over all its channels; a flat one becomes 0."""
    centred = images - images.mean((1, 2, 3), keepdim=True)  # `std_mean` takes ten times as long
    return centred / (centred.square().mean((1, 2, 3), keepdim=True).sqrt() + 1e-4)


def _convolution(channels_in: int, channels_out: int) -> list[nn.Module]:
    return [
        nn.Conv2d(channels_in, channels_out, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    ]


def _reduction(channels_in: int, channels_out: int) -> list[nn.Module]:
    """To half the resolution: pixel j of the result looks at 2j - 1 to 2j + 2."""
    return [
        nn.Conv2d(channels_in, channels_out, 4, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU(inplace=True),
    ]
