"""The base class of losses that train descriptors, and the distances they compare."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor, nn

MIN_SQUARED_DISTANCE = 1e-8
"""Below it a distance counts as 1e-4 with no gradient: a square root has none at 0."""


class DescriptorLoss(nn.Module, ABC):
    """A loss over a batch of matching descriptors.

    Row i of both sides describes the same point, and every other row another point, so that all
    the pairs of different rows are negatives.
    """

    @abstractmethod
    def forward(
        self, anchors: Float[Tensor, "B D"], positives: Float[Tensor, "B D"]
    ) -> Float[Tensor, ""]:
        """The loss of a batch of unit-length descriptors."""


def pairwise_distances(
    anchors: Float[Tensor, "N D"], positives: Float[Tensor, "M D"]
) -> Float[Tensor, "N M"]:
    """Euclidean distances of unit-length descriptors, from one matrix product.

    They are computed in float32 at least, even under autocast, since small distances are the
    difference of large numbers.
    """
    dtype = torch.promote_types(anchors.dtype, torch.float32)
    with torch.autocast(anchors.device.type, enabled=False):
        similarity = anchors.to(dtype) @ positives.to(dtype).T
    return distances_of(similarity)


def paired_distances(
    anchors: Float[Tensor, "N D"], positives: Float[Tensor, "N D"]
) -> Float[Tensor, " N"]:
    """Euclidean distance of each row to its partner: the diagonal of `pairwise_distances`."""
    dtype = torch.promote_types(anchors.dtype, torch.float32)
    with torch.autocast(anchors.device.type, enabled=False):
        similarity = (anchors.to(dtype) * positives.to(dtype)).sum(1)
    return distances_of(similarity)


def distances_of(similarity: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Euclidean distances of unit-length descriptors from their inner products."""
    return (2 - 2 * similarity).clamp_min(MIN_SQUARED_DISTANCE).sqrt()
