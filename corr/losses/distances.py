"""Similarities and distances of descriptors, in enough precision."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

MIN_SQUARED_DISTANCE = 1e-8
"""Below it a distance counts as 1e-4 with no gradient: a square root has none at 0."""


def pairwise_similarity(
    anchors: Float[Tensor, "N D"], positives: Float[Tensor, "M D"]
) -> Float[Tensor, "N M"]:
    """Inner products, in float32 at least, even under autocast.

    Small distances are the difference of large numbers, which half a precision would not tell.
    """
    dtype = torch.promote_types(anchors.dtype, torch.float32)
    with torch.autocast(anchors.device.type, enabled=False):
        return anchors.to(dtype) @ positives.to(dtype).T


def paired_similarity(
    anchors: Float[Tensor, "N D"], positives: Float[Tensor, "N D"]
) -> Float[Tensor, " N"]:
    """Inner product of each row with its partner: the diagonal of `pairwise_similarity`."""
    dtype = torch.promote_types(anchors.dtype, torch.float32)
    with torch.autocast(anchors.device.type, enabled=False):
        return (anchors.to(dtype) * positives.to(dtype)).sum(1)


def pairwise_distances(
    anchors: Float[Tensor, "N D"], positives: Float[Tensor, "M D"]
) -> Float[Tensor, "N M"]:
    """Euclidean distances of unit-length descriptors, from one matrix product."""
    return distances_of(pairwise_similarity(anchors, positives))


def paired_distances(
    anchors: Float[Tensor, "N D"], positives: Float[Tensor, "N D"]
) -> Float[Tensor, " N"]:
    """Euclidean distance of each row to its partner: the diagonal of `pairwise_distances`."""
    return distances_of(paired_similarity(anchors, positives))


def distances_of(similarity: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Euclidean distances of unit-length descriptors from their inner products."""
    return (2 - 2 * similarity).clamp_min(MIN_SQUARED_DISTANCE).sqrt()
