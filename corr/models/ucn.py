"""The Universal Correspondence Network: a descriptor at every place of an image."""

from __future__ import annotations

from typing import Literal, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from corr.errors import OptionError
from corr.geometry import to_grey
from corr.models.keypoint_head import KeypointHead
from corr.models.network import DenseDescription, DenseDescriptor, check_settings
from corr.models.ucn_trunks import (
    LightTrunk,
    ResUNetTrunk,
    Trunk,
    normalize_images,
    pad_to_multiple,
)

TrunkName = Literal["light", "resunet"]
_TRUNKS: dict[str, type[Trunk]] = {"light": LightTrunk, "resunet": ResUNetTrunk}


class UniversalCorrespondenceNetwork(DenseDescriptor):
    """Fully convolutional: unit-length descriptors of images of any size, and their keypoints.

    One pass describes all places of an image, and says where it is worth to be described: the
    keypoint head is our addition. Each image is brought to mean 0 and deviation 1 first.

    Source: Choy, Gwak, Savarese, Chandraker 2016, "Universal Correspondence Network"; trunks are
    ours, see `corr.models.ucn_trunks`.

    Args:
        trunk: `light`, of stride 4 on grey images, for CPUs; `resunet`, of stride 1 on colours.
        descriptor_dim: length of a descriptor.
        keypoints: whether it has a keypoint head.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self, trunk: TrunkName = "light", descriptor_dim: int = 64, keypoints: bool = True
    ) -> None:
        super().__init__()
        check_settings(descriptor_dim=descriptor_dim)
        if trunk not in _TRUNKS:
            raise OptionError(f"trunk is '{trunk}'; use {' or '.join(get_args(TrunkName))}")
        self.descriptor_dim = descriptor_dim
        self.finds_keypoints = keypoints
        self.trunk = _TRUNKS[trunk]()
        self.stride, self.multiple = self.trunk.stride, self.trunk.multiple
        self.context = self.trunk.context
        self.describe = nn.Conv2d(self.trunk.channels, descriptor_dim, 1)
        self.head = KeypointHead(self.trunk.channels, self.stride) if keypoints else None

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> DenseDescription:
        """Unit-length float32 descriptors and keypoint maps of RGB images in [0, 1]."""
        return self.describe_normalized(self.normalize(images))

    def normalize(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B _ H W"]:
        """Mean 0 and deviation 1 of each image, in the channels that the trunk sees."""
        return normalize_images(images if self.trunk.sees_colour else to_grey(images))

    def describe_normalized(self, images: Float[Tensor, "B _ H W"]) -> DenseDescription:
        """The same as `forward` of images that were normalised before."""
        height, width = images.shape[-2:]
        padded = pad_to_multiple(images, self.trunk.multiple)
        features = self.trunk(padded.contiguous(memory_format=torch.channels_last))
        rows, columns = -(-height // self.stride), -(-width // self.stride)
        raw = self.describe(features).float()[:, :, :rows, :columns]
        repeatability = reliability = None
        if self.head is not None:
            grey = to_grey(padded) if self.trunk.sees_colour else padded
            found = self.head(features, grey)
            repeatability = found.repeatability[:, :, :height, :width]
            reliability = found.reliability[:, :, :rows, :columns]
        return DenseDescription(F.normalize(raw, dim=1), repeatability, reliability)
