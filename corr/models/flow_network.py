"""The base class of networks that tell where each pixel of an image went in another."""

from __future__ import annotations

from abc import abstractmethod

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from corr.errors import ShapeError
from corr.models.network import Network


class FlowNetwork(Network):
    """A network that tells where each pixel of one image went in another, of one size."""

    multiple: int = 64
    """Images are padded to heights and widths of so many px, at the right and below."""
    refine: str = "none"
    """How its flow is refined unless asked otherwise, see `corr.flow`: none, variational or lk."""

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
        if images0.shape != images1.shape:
            raise ShapeError(
                f"images of {tuple(images0.shape)} and {tuple(images1.shape)} were given; flow "
                "needs one size"
            )
        return self.enlarge(self(images0, images1)[-1], images0.shape[-2], images0.shape[-1])

    def enlarge(
        self, level: Float[Tensor, "B 2 _ _"], height: int, width: int
    ) -> Float[Tensor, "B 2 H W"]:
        """A level for each pixel of an image of `height` x `width`, by bilinear interpolation."""
        padded = [-(-side // self.multiple) * self.multiple for side in (height, width)]
        full = F.interpolate(level.float(), padded, mode="bilinear", align_corners=False)
        return full[..., :height, :width]
