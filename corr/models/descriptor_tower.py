"""The features of a dense descriptor in the place of FlowNetC's own."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from corr.errors import ModelError
from corr.models.flownet_layers import convolutions
from corr.models.network import DenseDescriptor
from corr.models.saved import build_network, load_dense_descriptor, network_record


class DescriptorTower(nn.Module):
    """Maps at 1/4 and 1/8 of an image's sides, from descriptors of whatever stride.

    Args:
        record: of a `DenseDescriptor`, as `network.yaml` has it.
        skip: channels of the map at 1/4.

    Raises:
        ModelError: the record is damaged, or of another network.
    """

    def __init__(self, record: dict[str, Any], skip: int) -> None:
        super().__init__()
        descriptor = build_network(record, "the record of 'features'")
        if not isinstance(descriptor, DenseDescriptor):
            raise ModelError(
                f"features is a {type(descriptor).__name__}; use a network that describes whole "
                "images, such as ucn"
            )
        self.descriptor: DenseDescriptor = descriptor
        self.channels = descriptor.descriptor_dim
        self.skip = convolutions(batch_norm=False)(self.channels, skip, 3, 1)

    def forward(
        self, images: Float[Tensor, "B 3 H W"]
    ) -> tuple[Float[Tensor, "B _ H4 W4"], Float[Tensor, "B D H8 W8"]]:
        """Features at 1/4, and descriptors at 1/8 whose mean product is their cosine.

        Args:
            images: RGB in [0, 1], of sides that are multiples of 8.
        """
        normal = self.descriptor.normalize(self.descriptor.view(images))
        own = next((p.dtype for p in self.descriptor.parameters()), images.dtype)
        described = self.descriptor.describe_normalized(normal.to(own)).descriptors
        height, width = images.shape[-2:]
        fine = _resized(described, height // 4, width // 4)
        coarse = F.normalize(_resized(described, height // 8, width // 8)) * self.channels**0.5
        dtype = next(self.skip.parameters()).dtype
        return self.skip(fine.to(dtype)), coarse.to(dtype)

    @property
    def dtype(self) -> torch.dtype:
        """Of the images that it takes: their mean is to be told exactly."""
        return torch.float32


def described_by(name_or_folder: str) -> tuple[dict[str, Any], dict[str, Tensor]]:
    """Record and weights of a network that describes images, without the keypoints it may find.

    Args:
        name_or_folder: as `load_network` takes it.

    Raises:
        ModelError: there is no such network, or it describes something else.
    """
    network = load_dense_descriptor(name_or_folder)
    record = network_record(network)
    settings = dict(record["init_args"])
    if network.finds_keypoints and "keypoints" in settings:
        settings["keypoints"] = False
    record["init_args"] = settings
    wanted = build_network(record, f"model '{name_or_folder}'").state_dict().keys()
    return record, {name: value for name, value in network.state_dict().items() if name in wanted}


def _resized(maps: Float[Tensor, "B D _ _"], height: int, width: int) -> Float[Tensor, "B D H W"]:
    """Means over areas where a map becomes smaller, and between four vectors where larger."""
    if maps.shape[-2:] == (height, width):
        return maps
    if maps.shape[-2] >= height:
        return F.interpolate(maps, (height, width), mode="area")
    return F.interpolate(maps, (height, width), mode="bilinear", align_corners=False)
