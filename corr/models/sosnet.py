"""SOSNet: HardNet's architecture, trained with second-order similarity."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from corr.geometry import PATCH_SIGMAS
from corr.models.hardnet import HardNet


class SOSNet(HardNet):
    """HardNet's layers; what differs is the loss that trains them, and how patches are normalised.

    1 334 560 parameters; 39 092 224 multiply-adds a patch.

    The paper is about the loss. The authors' code divides a patch by sqrt(variance + 1e-5) where
    HardNet's divides by its standard deviation + 1e-6: their weights expect that.

    Source: Tian 2019, "SOSNet: Second Order Similarity Regularization for Local Descriptor
    Learning"; the normalisation is that of the authors' published code.

    Args:
        descriptor_dim: length of a descriptor.
        dropout: share of features dropped before the last layer, while training.
        sigmas: side of the image region in a patch, in sigmas of its keypoint.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self, descriptor_dim: int = 128, dropout: float = 0.1, sigmas: float = PATCH_SIGMAS
    ) -> None:
        super().__init__(descriptor_dim, dropout, sigmas)

    def normalize(self, patches: Float[Tensor, "B 1 32 32"]) -> Float[Tensor, "B 1 32 32"]:
        """Each patch with mean 0 and variance 1, or less where there is little contrast."""
        return F.instance_norm(patches, eps=1e-5)
