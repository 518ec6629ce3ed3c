"""HardNet: a plain convolutional descriptor of 32 x 32 grey patches."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from corr.geometry import PATCH_SIGMAS, PATCH_SIZE
from corr.models.network import PatchDescriptor, check_settings

INIT_GAIN = 0.6
"""Gain of the orthogonal initial weights. Source: the authors' published code."""


class HardNet(PatchDescriptor):
    """Seven convolutions from a patch to a unit-length descriptor, without any pooling.

    1 334 560 parameters; 39 092 224 multiply-adds a patch.

    Source: layers from Tian 2017, "L2-Net: Deep Learning of Discriminative Patch Descriptor in
    Euclidean Space"; dropout and the last layer as in Mishchuk 2017, "Working hard to
    know your neighbor's margins: Local descriptor learning loss".

    Args:
        descriptor_dim: length of a descriptor.
        dropout: share of features dropped before the last layer, while training.
        sigmas: side of the image region in a patch, in sigmas of its keypoint.

    Raises:
        OptionError: a setting outside its range.
    """

    STRIDES = (1, 1, 2, 1, 2, 1)
    """Of the 3 x 3 convolutions; the last convolution covers what they leave of the patch."""

    def __init__(
        self, descriptor_dim: int = 128, dropout: float = 0.3, sigmas: float = PATCH_SIGMAS
    ) -> None:
        super().__init__()
        check_settings(descriptor_dim=descriptor_dim, dropout=dropout, sigmas=sigmas)
        self.descriptor_dim = descriptor_dim
        self.sigmas = sigmas
        channels = (1, 32, 32, 64, 64, 128, 128)
        blocks = zip(channels, channels[1:], self.STRIDES, strict=False)
        self.layers = nn.Sequential(
            *(layer for block in blocks for layer in _block(*block)),
            nn.Dropout(dropout),
            nn.Conv2d(128, descriptor_dim, PATCH_SIZE // math.prod(self.STRIDES), bias=False),
            nn.BatchNorm2d(descriptor_dim, affine=False),
        )
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.orthogonal_(layer.weight, gain=INIT_GAIN)

    def forward(self, patches: Float[Tensor, "B 1 32 32"]) -> Float[Tensor, "B D"]:
        """Unit-length float32 descriptors, one for each patch in [0, 1]."""
        return F.normalize(self.raw(patches), dim=1)

    def raw(self, inputs: Float[Tensor, "B 1 32 32"]) -> Float[Tensor, "B D"]:
        """Descriptors before they are made of unit length."""
        patches = self.normalize(inputs).to(memory_format=torch.channels_last)
        features: Tensor = self.layers(patches)
        return features.flatten(1).float()

    def normalize(self, patches: Float[Tensor, "B 1 32 32"]) -> Float[Tensor, "B 1 32 32"]:
        """Patches as the first convolution reads them: `normalize_patches`."""
        return normalize_patches(patches)


def normalize_patches(patches: Float[Tensor, "B 1 P P"]) -> Float[Tensor, "B 1 P P"]:
    """Each patch with mean 0 and standard deviation 1; a flat patch becomes 0."""
    std, mean = torch.std_mean(patches, dim=(1, 2, 3), keepdim=True)
    return (patches - mean) / (std + 1e-6)


def _block(channels_in: int, channels_out: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(channels_out, affine=False),
        nn.ReLU(inplace=True),
    ]
