"""HardNet: a plain convolutional descriptor of 32 x 32 grey patches."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from corr.errors import OptionError
from corr.geometry import PATCH_SIGMAS
from corr.models.network import PatchDescriptor

INIT_GAIN = 0.6
"""Gain of the orthogonal initial weights. Source: the authors' published code."""


class HardNet(PatchDescriptor):
    """Seven convolutions from a patch to a unit-length descriptor, without any pooling.

    Source: layers from Tian 2017, "L2-Net: Deep Learning of Discriminative Patch Descriptor in
    Euclidean Space", figure 1; dropout and the last layer as in Mishchuk 2017, "Working hard to
    know your neighbor's margins: Local descriptor learning loss", section 4.

    Args:
        descriptor_dim: length of a descriptor.
        dropout: share of features dropped before the last layer, while training.
        sigmas: side of the image region in a patch, in sigmas of its keypoint.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self, descriptor_dim: int = 128, dropout: float = 0.3, sigmas: float = PATCH_SIGMAS
    ) -> None:
        super().__init__()
        if descriptor_dim < 1:
            raise OptionError(f"descriptor_dim is {descriptor_dim}; use 1 or more")
        if not 0 <= dropout < 1:
            raise OptionError(f"dropout is {dropout}; use a value in [0, 1)")
        if not sigmas > 0:
            raise OptionError(f"sigmas is {sigmas}; use a value above 0")
        self.descriptor_dim = descriptor_dim
        self.sigmas = sigmas
        self.layers = nn.Sequential(
            *_block(1, 32),
            *_block(32, 32),
            *_block(32, 64, stride=2),
            *_block(64, 64),
            *_block(64, 128, stride=2),
            *_block(128, 128),
            nn.Dropout(dropout),
            nn.Conv2d(128, descriptor_dim, kernel_size=8, bias=False),
            nn.BatchNorm2d(descriptor_dim, affine=False),
        )
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.orthogonal_(layer.weight, gain=INIT_GAIN)

    def forward(self, patches: Float[Tensor, "B 1 32 32"]) -> Float[Tensor, "B D"]:
        """Unit-length float32 descriptors, one for each patch in [0, 1]."""
        features = self.layers(normalize_patches(patches).to(memory_format=torch.channels_last))
        return F.normalize(features.flatten(1).float(), dim=1)


def normalize_patches(patches: Float[Tensor, "B 1 P P"]) -> Float[Tensor, "B 1 P P"]:
    """Each patch with mean 0 and standard deviation 1; a flat patch becomes 0."""
    std, mean = torch.std_mean(patches, dim=(1, 2, 3), keepdim=True)
    return (patches - mean) / (std + 1e-6)


def _block(channels_in: int, channels_out: int, stride: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(channels_out, affine=False),
        nn.ReLU(inplace=True),
    ]
