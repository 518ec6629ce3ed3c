"""The base classes of networks that corr ships, trains and loads."""

from __future__ import annotations

from abc import ABC, abstractmethod

from jaxtyping import Float
from torch import Tensor, nn


class Network(nn.Module, ABC):
    """A network that `corr.models.saved` writes as `network.yaml` and `weights.safetensors`.

    A subclass takes plain settings (numbers, strings, lists) in its constructor, since they are
    what `network.yaml` holds.
    """


class PatchDescriptor(Network):
    """A network that describes a 32 x 32 grey patch by a unit-length vector."""

    descriptor_dim: int
    """Length of a descriptor."""
    sigmas: float
    """Side of the image region in a patch, in sigmas of its keypoint; see `corr.geometry`."""

    @abstractmethod
    def forward(self, patches: Float[Tensor, "B 1 32 32"]) -> Float[Tensor, "B D"]:
        """Unit-length descriptors, one for each patch in [0, 1]."""
