"""The base class of networks that tell where each pixel of an image went in another."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal, NamedTuple, get_args

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from corr.errors import OptionError, ShapeError
from corr.models.network import Network

Refinement = Literal["none", "variational", "lk", "lk-variational"]
"""What brings a flow closer to what the images show, see `corr.pipeline.flow_refinement`."""


def check_refinement(refine: str | None) -> None:
    """Refuse what is not a refinement; None is each model's own.

    Raises:
        OptionError: names it and those that there are.
    """
    if refine is not None and refine not in get_args(Refinement):
        known = ", ".join(f"'{name}'" for name in get_args(Refinement))
        raise OptionError(f"refine '{refine}' is not known; use one of {known}")


class ImageFeatures(NamedTuple):
    """What a flow network keeps of images of H x W px, so that it looks at each but once."""

    maps: tuple[Float[Tensor, "B _ _ _"], ...]
    """The network's own, or the images themselves where a pair is only seen together."""
    height: int
    width: int


class FlowNetwork(Network):
    """A network that tells where each pixel of one image went in another, of one size."""

    multiple: int = 64
    """Images are padded to heights and widths of so many px, at the right and below."""
    stride: int = 4
    """px between the vectors of its finest level."""
    refine: Refinement = "none"
    """How its flow is refined by `corr.flow`, unless asked otherwise."""

    @abstractmethod
    def forward(
        self, images0: Float[Tensor, "B 3 H W"], images1: Float[Tensor, "B 3 H W"]
    ) -> list[Float[Tensor, "B 2 _ _"]]:
        """The flow at every level that the network predicts, the coarsest first.

        Each is a map of the images padded as `multiple` says, reduced, whose vectors are px of the
        images as given (not of the reduced map).

        Args:
            images0: RGB in [0, 1].
            images1: the other images, of the same size.
        """

    def flow(
        self, images0: Float[Tensor, "B 3 H W"], images1: Float[Tensor, "B 3 H W"]
    ) -> Float[Tensor, "B 2 H W"]:
        """Where each pixel of image 0 went, px, from the finest level.

        Raises:
            ShapeError: the images differ in size.
        """
        return self.flow_between(self.features(images0), self.features(images1))

    def both(
        self, images0: Float[Tensor, "B 3 H W"], images1: Float[Tensor, "B 3 H W"]
    ) -> tuple[Float[Tensor, "B 2 H W"], Float[Tensor, "B 2 H W"]]:
        """The flow from images 0 to images 1, and that from images 1 to images 0, px.

        Raises:
            ShapeError: the images differ in size.
        """
        return self.both_between(self.features(images0), self.features(images1))

    def features(self, images: Float[Tensor, "B 3 H W"]) -> ImageFeatures:
        """What `flow_between` and `both_between` need of images, such as a frame of a video."""
        return ImageFeatures((images,), *images.shape[-2:])

    def flow_between(
        self, features0: ImageFeatures, features1: ImageFeatures
    ) -> Float[Tensor, "B 2 H W"]:
        """The same as `flow` of images whose features are known.

        Raises:
            ShapeError: the images differ in size.
        """
        check_sizes(features0, features1)
        levels = self.lean()(features0.maps[0], features1.maps[0])
        return self.enlarge(levels[-1], features0.height, features0.width)

    def both_between(
        self, features0: ImageFeatures, features1: ImageFeatures
    ) -> tuple[Float[Tensor, "B 2 H W"], Float[Tensor, "B 2 H W"]]:
        """The same as `both` of images whose features are known.

        Raises:
            ShapeError: the images differ in size.
        """
        return self.flow_between(features0, features1), self.flow_between(features1, features0)

    def lean(self) -> FlowNetwork:
        """The network that computes flow where no gradient is needed: itself, or a faster copy."""
        return self

    def enlarge(
        self, level: Float[Tensor, "B 2 _ _"], height: int, width: int
    ) -> Float[Tensor, "B 2 H W"]:
        """A level for each pixel of an image of `height` x `width`, by bilinear interpolation."""
        padded = [-(-side // self.multiple) * self.multiple for side in (height, width)]
        # Of channels last it takes three times as long.
        level = level.float().contiguous()
        full = F.interpolate(level, padded, mode="bilinear", align_corners=False)
        return full[..., :height, :width]


def check_sizes(features0: ImageFeatures, features1: ImageFeatures) -> None:
    """Refuse features of images that differ in number or size.

    Raises:
        ShapeError: names both.
    """
    sizes = [(len(given.maps[0]), given.height, given.width) for given in (features0, features1)]
    if sizes[0] != sizes[1]:
        first, second = (f"{count} of {width} x {height} px" for count, height, width in sizes)
        raise ShapeError(f"images 0 are {first} and images 1 {second}; flow needs one size")
