"""A descriptor of every pixel for rectified pairs: a few small convolutions, made for CPUs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from corr.errors import OptionError
from corr.models.network import DenseDescription, DenseDescriptor, check_settings

MIN_CONTRAST = 0.01
"""Added to the deviation that a window is divided by, so that noise alone does not become one."""


class StereoDescriptor(DenseDescriptor):
    """Describes a pixel by what is a few pixels around it, at full resolution.

    37 888 parameters; 37 728 multiply-adds a pixel.

    After MC-CNN-fast: both views go through the same 3 x 3 convolutions, and the score of a match
    is the cosine of its vectors. Ours differ where a CPU gains: half the channels, two dilated
    layers for the surroundings (15 x 15 px), colour, and contrast that is normalised in a window
    about each pixel and not over the image, since two cameras never agree in their light. Beyond
    the border the outermost pixels repeat.

    Source: Zbontar and LeCun 2016, "Stereo Matching by Training a Convolutional Neural Network to
    Compare Image Patches", section 3.1.

    Args:
        descriptor_dim: length of a descriptor.
        width: channels of the layers before the last.
        dilations: of the 3 x 3 convolutions, one each.
        window: side of the square that mean and deviation are taken over, px, an odd number.

    Raises:
        OptionError: a setting outside its range.
    """

    stride = 1

    def __init__(
        self,
        descriptor_dim: int = 32,
        width: int = 32,
        dilations: Sequence[int] = (1, 1, 2, 2, 1),
        window: int = 15,
    ) -> None:
        super().__init__()
        check_settings(descriptor_dim=descriptor_dim, width=width)
        if len(dilations) == 0 or min(dilations) < 1:
            raise OptionError(f"dilations is {list(dilations)}; use one or more, each 1 or more")
        if window < 3 or window % 2 == 0:
            raise OptionError(f"window is {window}; use an odd number of 3 or more")
        self.descriptor_dim, self.window = descriptor_dim, window
        self.context = sum(dilations)
        channels = (3, *(len(dilations) - 1) * (width,), descriptor_dim)
        layers: list[nn.Module] = []
        for (before, after), dilation in zip(itertools.pairwise(channels), dilations, strict=True):
            layers += [nn.Conv2d(before, after, 3, dilation=dilation), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers[:-1])
        for layer in self.layers:
            if isinstance(layer, nn.Conv2d):
                # Biases keep theirs: of zeros a flat place would have no direction but rounding.
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")

    def forward(self, images: Float[Tensor, "B 3 H W"]) -> DenseDescription:
        """Unit-length float32 descriptors of RGB images in [0, 1]."""
        return self.describe_normalized(self.normalize(images))

    def normalize(self, images: Float[Tensor, "B _ H W"]) -> Float[Tensor, "B _ H W"]:
        """Each pixel less the mean of its window, in units of the deviation of all colours there.

        As much of the window counts as is inside the image.
        """
        centred = images - _box_mean(images, self.window)
        variance = _box_mean(centred.square().mean(1, keepdim=True), self.window)
        return centred / (variance.sqrt() + MIN_CONTRAST)

    def describe_normalized(self, images: Float[Tensor, "B _ H W"]) -> DenseDescription:
        """The same as `forward` of images that were normalised before."""
        assert self.context is not None
        padded = F.pad(images, 4 * (self.context,), mode="replicate")
        described = self.layers(padded.contiguous(memory_format=torch.channels_last)).float()
        length = torch.linalg.vector_norm(described, dim=1, keepdim=True).clamp_min(1e-12)
        # In the memory that they are in where no gradient needs them.
        unit = described / length if torch.is_grad_enabled() else described.div_(length)
        return DenseDescription(unit)


def _box_mean(images: Float[Tensor, "B C H W"], side: int) -> Float[Tensor, "B C H W"]:
    """Means over squares: along columns, then along rows, which is the same and far fewer sums."""
    half = side // 2
    columns = F.avg_pool2d(images, (side, 1), 1, (half, 0), count_include_pad=False)
    return F.avg_pool2d(columns, (1, side), 1, (0, half), count_include_pad=False)
