"""HyNet: L2-Net's convolutions with filter response normalisation."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from corr.geometry import PATCH_SIGMAS
from corr.models.filter_response import FilterResponseNorm, ThresholdedLinearUnit
from corr.models.network import PatchDescriptor, check_settings


class HyNet(PatchDescriptor):
    """Seven convolutions; the patch, and what each but the last gives, go through FRN and TLU.

    1 336 355 parameters; 39 092 224 multiply-adds a patch.

    Patches enter as they are, in [0, 1]: their contrast is normalised by the first FRN, their
    brightness is not.

    Source: Tian 2020, "HyNet: Learning Local Descriptor with Hybrid Similarity Measure and Triplet
    Loss".

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
        check_settings(descriptor_dim=descriptor_dim, dropout=dropout, sigmas=sigmas)
        self.descriptor_dim = descriptor_dim
        self.sigmas = sigmas
        self.layers = nn.Sequential(
            FilterResponseNorm(1),
            ThresholdedLinearUnit(1),
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

    def forward(self, patches: Float[Tensor, "B 1 32 32"]) -> Float[Tensor, "B D"]:
        """Unit-length float32 descriptors, one for each patch in [0, 1]."""
        return F.normalize(self.raw(patches), dim=1)

    def raw(self, inputs: Float[Tensor, "B 1 32 32"]) -> Float[Tensor, "B D"]:
        """Descriptors before they are made of unit length."""
        features: Tensor = self.layers(inputs.to(memory_format=torch.channels_last))
        return features.flatten(1).float()


def _block(channels_in: int, channels_out: int, stride: int = 1) -> list[nn.Module]:
    return [
        nn.Conv2d(channels_in, channels_out, 3, stride=stride, padding=1),
        FilterResponseNorm(channels_out),
        ThresholdedLinearUnit(channels_out),
    ]
