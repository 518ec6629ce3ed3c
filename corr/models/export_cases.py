"""What goes into exported networks, and what comes out."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn

from corr.errors import ModelError, OptionError
from corr.geometry import PATCH_SIZE
from corr.models.flow_network import FlowNetwork
from corr.models.network import Network, PatchDescriptor

FLOW_SIZE = (384, 512)
"""Height and width of the images of an exported flow network, unless others are asked for."""

TOLERANCE, FLOW_TOLERANCE = 1e-4, 0.01
"""How far an entry of descriptors, and one of flow in px, may be from the network's own."""
_BATCHES = (1, 5)
"""Sizes of the batches that an export is checked on; it is traced with another."""
_FLOW_BATCHES = (1, 3)


class ExportCase(NamedTuple):
    """How a network is called once it is exported; the first axis of all is the batch."""

    name: str
    """Of the network's class."""
    module: nn.Module
    inputs: tuple[str, ...]
    output: str
    shape: tuple[int, ...]
    """Of one input, without the batch."""
    batches: tuple[int, ...]
    """Sizes of batches to be compared on."""
    tolerance: float
    """How far an entry may be from the network's own."""

    def examples(self, count: int, device: torch.device | None) -> tuple[Tensor, ...]:
        """Random inputs in [0, 1]."""
        generator = torch.Generator().manual_seed(count)
        made = torch.rand(len(self.inputs), count, *self.shape, generator=generator)
        return made.to(device).unbind()


def export_case(network: Network, size: tuple[int, int] | None = None) -> ExportCase:
    """The case of a network.

    Args:
        network: describes patches, or tells flow.
        size: height and width of the images of a flow network; `FLOW_SIZE` when not given.

    Raises:
        ModelError: the network does something else.
        OptionError: a size was given where patches have theirs, or is below 1.
    """
    name = type(network).__name__
    if isinstance(network, FlowNetwork):
        height, width = FLOW_SIZE if size is None else size
        if min(height, width) < 1:
            raise OptionError(f"size is {height} x {width} px; use 1 or more")
        inputs, shape = ("images0", "images1"), (3, height, width)
        return ExportCase(
            name, _Flow(network), inputs, "flow", shape, _FLOW_BATCHES, FLOW_TOLERANCE
        )
    if size is not None:
        raise OptionError(f"a size was given for a {name}; only networks of flow take one")
    if isinstance(network, PatchDescriptor):
        shape = (1, PATCH_SIZE, PATCH_SIZE)
        return ExportCase(name, network, ("patches",), "descriptors", shape, _BATCHES, TOLERANCE)
    raise ModelError(
        f"a network of type {name} does not describe patches or tell flow, "
        "and only those that do can be exported"
    )


class _Flow(nn.Module):
    """The flow alone, of each pixel."""

    def __init__(self, network: FlowNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(
        self, images0: Float[Tensor, "B 3 H W"], images1: Float[Tensor, "B 3 H W"]
    ) -> Float[Tensor, "B 2 H W"]:
        """px, in float32."""
        finest = self.network(images0, images1)[-1]
        return self.network.enlarge(finest, images0.shape[-2], images0.shape[-1])
