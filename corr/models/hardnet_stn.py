"""HardNet on normalised patches: turned, scaled or sheared by a spatial transformer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from corr.errors import OptionError
from corr.geometry import PATCH_SIGMAS, transform_patches
from corr.models.gradient_normalization import AffineShape, DominantOrientation
from corr.models.hardnet import HardNet
from corr.models.light_hardnet import LightHardNet
from corr.models.network import PatchDescriptor
from corr.models.normalization import InTurn, PatchNormalization
from corr.models.stn import SpatialTransformer

Normalization = Literal[
    "none", "dominant-orientation", "affine-shape", "both", "rotation", "similarity", "affine"
]

CLASSICAL: dict[str, Callable[[], PatchNormalization]] = {
    "dominant-orientation": DominantOrientation,
    "affine-shape": AffineShape,
    "both": lambda: InTurn(AffineShape(), DominantOrientation()),
}
"""Normalisations without parameters, for any network; `both` is the shape, then the orientation."""

LEARNED: dict[str, Callable[[], PatchNormalization]] = {
    "rotation": lambda: SpatialTransformer("rotation"),
    "similarity": lambda: SpatialTransformer("similarity"),
    "affine": lambda: SpatialTransformer("affine"),
}
"""Spatial transformers."""


class HardNetSTN(PatchDescriptor):
    """HardNet that first normalises the frames of its patches, trained jointly.

    1 435 570 parameters; 41 029 760 multiply-adds a patch; with the light trunk
    649 138 and 11 710 592.

    With an image at hand the patch is cut from it at the normalised frame. Patches alone, as in an
    exported file, are transformed within themselves instead, their border repeated.

    Args:
        normalization: `rotation`, `similarity` or `affine` by a spatial transformer;
            `dominant-orientation`, `affine-shape` or `both` by gradients; or `none`.
        light: whether the layers after it are `LightHardNet`'s.
        upright: whether frames are given to it at angle 0, so that no orientation is needed.
        descriptor_dim: length of a descriptor.
        dropout: share of features dropped before the last layer, while training.
        sigmas: side of the image region in a patch, in sigmas of its keypoint.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self,
        normalization: Normalization = "rotation",
        *,
        light: bool = False,
        upright: bool = True,
        descriptor_dim: int = 128,
        dropout: float = 0.3,
        sigmas: float = PATCH_SIGMAS,
    ) -> None:
        super().__init__()
        self.descriptor_dim = descriptor_dim
        self.sigmas = sigmas
        self.upright = upright
        self.normalization = build_normalization(normalization)
        self.trunk = (LightHardNet if light else HardNet)(descriptor_dim, dropout, sigmas)

    def forward(self, patches: Float[Tensor, "B 1 32 32"]) -> Float[Tensor, "B D"]:
        """Unit-length float32 descriptors of patches in [0, 1], normalised within themselves."""
        return self.describe_normalized(self._within(patches))

    def raw(self, inputs: Float[Tensor, "B 1 32 32"]) -> Float[Tensor, "B D"]:
        """The same before they are brought to unit length."""
        return self.raw_normalized(self._within(inputs))

    def normalize_frames(
        self, image: Float[Tensor, "1 1 H W"], frames: Float[Tensor, "N 2 3"]
    ) -> Float[Tensor, "N 2 3"]:
        """The frames as its normalisation turns, scales and shears them."""
        if self.normalization is None:
            return frames
        normalized: Tensor = self.normalization(image, frames)
        return normalized

    def describe_normalized(self, patches: Float[Tensor, "B 1 32 32"]) -> Float[Tensor, "B D"]:
        """The layers' descriptors of patches that are normalised already."""
        described: Tensor = self.trunk(patches)
        return described

    def raw_normalized(self, patches: Float[Tensor, "B 1 32 32"]) -> Float[Tensor, "B D"]:
        """The same before they are brought to unit length."""
        return self.trunk.raw(patches)

    def _within(self, patches: Float[Tensor, "B 1 32 32"]) -> Float[Tensor, "B 1 32 32"]:
        if self.normalization is None:
            return patches
        return transform_patches(patches, self.normalization.within(patches))


def build_normalization(name: str) -> PatchNormalization | None:
    """A normalisation by name; None for `none`.

    Raises:
        OptionError: the name is not known.
    """
    known = {**CLASSICAL, **LEARNED}
    if name == "none":
        return None
    if name not in known:
        raise OptionError(f"normalization '{name}' is not known; use none, {', '.join(known)}")
    return known[name]()
