"""Patch normalisation: from a keypoint's frame to the frame in which its patch is described."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn

from corr.geometry import compose_frames, extract_patches, transform_patches


class PatchNormalization(nn.Module, ABC):
    """Looks at the patch of a frame and turns, scales or shears the frame.

    An operation from frame to frame: the patch that is described is then cut from the image, so
    that it shows real pixels wherever the image has some.
    """

    finds_orientation: bool
    """Whether its frames turn with the image, so that no orientation need be given."""
    context: float = 1.0
    """Side of the patch that it looks at, in sides of the frame."""

    @abstractmethod
    def transforms(self, patches: Float[Tensor, "N 1 32 32"]) -> Float[Tensor, "N 2 2"]:
        """For each patch that it looks at the transform of the square [-1, 1] x [-1, 1]."""

    def forward(
        self, image: Float[Tensor, "1 1 H W"], frames: Float[Tensor, "N 2 3"]
    ) -> Float[Tensor, "N 2 3"]:
        """The frames after normalisation, about the same centres."""
        seen = extract_patches(image, compose_frames(frames, self._enlarge(frames)))
        return compose_frames(frames, self.transforms(seen).to(frames.dtype))

    def within(self, patches: Float[Tensor, "N 1 32 32"]) -> Float[Tensor, "N 2 2"]:
        """The transforms of patches without their image: what lies around them is not seen."""
        return self.transforms(transform_patches(patches, self._enlarge(patches)))

    def _enlarge(self, like: Tensor) -> Float[Tensor, "2 2"]:
        return self.context * torch.eye(2, dtype=like.dtype, device=like.device)


class InTurn(PatchNormalization):
    """Several normalisations, each of what the one before it gave."""

    def __init__(self, *parts: PatchNormalization) -> None:
        super().__init__()
        self.parts = nn.ModuleList(parts)
        self.finds_orientation = any(part.finds_orientation for part in parts)

    def transforms(self, patches: Float[Tensor, "N 1 32 32"]) -> Float[Tensor, "N 2 2"]:
        """All of them together."""
        return self.within(patches)

    def forward(
        self, image: Float[Tensor, "1 1 H W"], frames: Float[Tensor, "N 2 3"]
    ) -> Float[Tensor, "N 2 3"]:
        """The frames after all of them."""
        for part in self.parts:
            frames = part(image, frames)
        return frames

    def within(self, patches: Float[Tensor, "N 1 32 32"]) -> Float[Tensor, "N 2 2"]:
        """The product of the transforms."""
        identity = torch.eye(2, dtype=patches.dtype, device=patches.device)
        total = identity.expand(patches.shape[0], 2, 2)
        for part in self.parts:
            assert isinstance(part, PatchNormalization)
            seen = transform_patches(patches, total @ part._enlarge(patches))
            total = total @ part.transforms(seen)
        return total


def rotation_matrices(direction: Float[Tensor, "N 2"]) -> Float[Tensor, "N 2 2"]:
    """The rotations that take the x axis to unit vectors `(cos, sin)`."""
    cos, sin = direction.unbind(-1)
    return torch.stack((torch.stack((cos, -sin), -1), torch.stack((sin, cos), -1)), -2)
