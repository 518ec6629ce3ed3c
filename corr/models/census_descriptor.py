"""A descriptor of every pixel for rectified pairs: a census whose bits are weighed by learning."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from corr.errors import OptionError
from corr.geometry import to_grey
from corr.models.network import DenseDescription, DenseDescriptor, check_settings

RESIDUAL = 0.3
"""Weight that the layers begin with, beside the linear part."""


class CensusDescriptor(DenseDescriptor):
    """Describes a pixel by which of its neighbours are brighter and which are darker.

    14 288 parameters; 14 112 multiply-adds a pixel, besides the differences.

    Each neighbour in a window gives one number, `tanh(sharpness * difference)`, a census bit that
    is soft for small differences. All bits of a pixel go through a linear map and, beside it, two
    hidden layers, pixel by pixel. The cosine of two vectors of untransformed bits is `1 - 2 h / n`
    with h of n bits different, so that the network begins as a census and learns which bits, and
    which patterns of them, to trust.

    A bit never looks further than to its own pixel's window, and no bit counts more for a stronger
    edge. So the description of a pixel beside the edge of a nearer thing is not that of the edge,
    as with descriptors of patches (`StereoDescriptor`), whose nearer things grow. Outside the image
    the border repeats.

    Source: the bits are those of Zabih and Woodfill 1994, "Non-parametric local transforms for
    computing visual correspondence", section 3; the learned map is ours.

    Args:
        descriptor_dim: length of a descriptor.
        width: of the hidden layers.
        window: rows and columns of neighbours, odd numbers; that of the model `census`.
        sharpness: of a bit, for brightness in [0, 1].

    Raises:
        OptionError: a setting outside its range.
    """

    stride = 1

    def __init__(
        self,
        descriptor_dim: int = 48,
        width: int = 64,
        window: Sequence[int] = (7, 9),
        sharpness: float = 150.0,
    ) -> None:
        super().__init__()
        check_settings(descriptor_dim=descriptor_dim, width=width)
        if len(window) != 2 or min(window) < 1 or max(window) < 3 or 0 in (n % 2 for n in window):
            raise OptionError(
                f"window is {list(window)}; use two odd numbers, at least one of them 3 or more"
            )
        rows, columns = window
        if not sharpness > 0:
            raise OptionError(f"sharpness is {sharpness}; use a value above 0")
        self.descriptor_dim, self.sharpness = descriptor_dim, sharpness
        self.reach = (rows // 2, columns // 2)
        self.context = max(self.reach)
        count = rows * columns - 1
        self.linear = nn.Conv2d(count, descriptor_dim, 1, bias=False)
        self.layers = nn.Sequential(
            nn.Conv2d(count, width, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, width, 1),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, descriptor_dim, 1),
        )
        nn.init.orthogonal_(self.linear.weight)
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> DenseDescription:
        """Unit-length float32 descriptors of RGB images in [0, 1]."""
        return self.describe_normalized(self.view(images))

    def view(self, images: Float[Tensor, "B 3 H W"]) -> Float[Tensor, "B 1 H W"]:
        """Grey values."""
        return to_grey(images)

    def bits(self, grey: Float[Tensor, "B 1 H W"]) -> Float[Tensor, "B N H W"]:
        """In [-1, 1], one for each neighbour, row by row: above 0 where it is brighter."""
        (up, side), (height, width) = self.reach, grey.shape[-2:]
        scaled = grey * self.sharpness
        padded = F.pad(scaled, (side, side, up, up), mode="replicate")
        places = itertools.product(range(2 * up + 1), range(2 * side + 1))
        neighbours = torch.cat(
            [
                padded[:, :, y : y + height, x : x + width]
                for y, x in places
                if (y, x) != self.reach
            ],
            dim=1,
        )
        return neighbours.sub_(scaled).tanh_()  # in the memory that it is in

    def describe_normalized(self, images: Float[Tensor, "B 1 H W"]) -> DenseDescription:
        """The same of grey images."""
        bits = self.bits(images)  # in float32: bfloat16 has no fine grey levels
        if torch.is_autocast_enabled(bits.device.type):  # a smaller copy than that of float32
            bits = bits.to(torch.get_autocast_dtype(bits.device.type))
        bits = bits.contiguous(memory_format=torch.channels_last)
        described = self.linear(bits) + RESIDUAL * self.layers(bits)
        return DenseDescription(F.normalize(described.float(), dim=1))
