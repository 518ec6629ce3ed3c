"""The base class of losses that train descriptors, and the distances they compare."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import torch
from jaxtyping import Float
from torch import Tensor, nn

from corr.losses.labels import Labels

if TYPE_CHECKING:
    from corr.losses.guard import Guard

MIN_SQUARED_DISTANCE = 1e-8
"""Below it a distance counts as 1e-4 with no gradient: a square root has none at 0."""


class DescriptorLoss(nn.Module, ABC):
    """A loss over a batch of matching descriptors.

    Row i of both sides describes the same point, and every other row another point, so that all
    the pairs of different rows are negatives, unless `guard` leaves them out.

    Training gives labels only where the data has some: a loss that uses none need not take them.
    """

    guard: Guard | None = None
    """Which pairs are no negatives; its `guarded_share` says how many. None: the loss has none."""
    needs_raw: bool = False
    """Whether training gives it descriptors as they are before they are normalised."""

    @abstractmethod
    def forward(
        self,
        anchors: Float[Tensor, "B D"],
        positives: Float[Tensor, "B D"],
        labels: Labels | None = None,
    ) -> Float[Tensor, ""]:
        """The loss of a batch of descriptors, of unit length unless the loss says otherwise.

        Args:
            anchors: descriptors.
            positives: row i shows what row i of the anchors shows.
            labels: what else is known of the rows.
        """


def loss_of(
    loss: DescriptorLoss,
    anchors: Float[Tensor, "B D"],
    positives: Float[Tensor, "B D"],
    labels: Labels | None = None,
) -> Float[Tensor, ""]:
    """The loss of a batch, with the labels where there are any and the loss takes them."""
    takes_labels = "labels" in inspect.signature(loss.forward).parameters
    known = (labels,) if labels is not None and takes_labels else ()
    value: Tensor = loss(anchors, positives, *known)
    return value


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
