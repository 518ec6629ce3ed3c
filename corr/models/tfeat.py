"""TFeat: a shallow convolutional descriptor of 32 x 32 grey patches."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from corr.geometry import PATCH_SIGMAS
from corr.models.network import PatchDescriptor, check_settings


class TFeat(PatchDescriptor):
    """Two convolutions and a fully connected layer, each followed by tanh.

    599 808 parameters; 6 302 848 multiply-adds a patch.

    The paper leaves the length of its descriptors free; here it is 1, as everywhere in corr.

    Source: Balntas 2016, "Learning local feature descriptors with triplets and shallow
    convolutional neural networks"; each patch is normalised by itself, as in the
    authors' published code.

    Args:
        descriptor_dim: length of a descriptor.
        sigmas: side of the image region in a patch, in sigmas of its keypoint.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(self, descriptor_dim: int = 128, sigmas: float = PATCH_SIGMAS) -> None:
        super().__init__()
        check_settings(descriptor_dim=descriptor_dim, sigmas=sigmas)
        self.descriptor_dim = descriptor_dim
        self.sigmas = sigmas
        self.layers = nn.Sequential(
            nn.Conv2d(1, 32, kernel_size=7),
            nn.Tanh(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, kernel_size=6),
            nn.Tanh(),
            nn.Flatten(),
            nn.Linear(64 * 8 * 8, descriptor_dim),
            nn.Tanh(),
        )

    def forward(self, patches: Float[Tensor, "B 1 32 32"]) -> Float[Tensor, "B D"]:
        """Unit-length float32 descriptors, one for each patch in [0, 1]."""
        return F.normalize(self.raw(patches), dim=1)

    def raw(self, inputs: Float[Tensor, "B 1 32 32"]) -> Float[Tensor, "B D"]:
        """Descriptors before they are made of unit length."""
        features: Tensor = self.layers(F.instance_norm(inputs, eps=1e-5))
        return features.float()
