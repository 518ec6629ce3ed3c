"""The base classes of losses that train descriptors."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod

from jaxtyping import Float
from torch import Tensor, nn

from corr.losses.guard import Guard
from corr.losses.labels import Labels


class TrainingLoss(nn.Module):
    """What training needs to know of any loss."""

    guard: Guard | None = None
    """Which pairs are no negatives; its `guarded_share` says how many. None: the loss has none."""
    needs_raw: bool = False
    """Whether training gives it descriptors as they are before they are normalised."""


class DescriptorLoss(TrainingLoss, ABC):
    """A loss over a batch of matching descriptors.

    Row i of both sides describes the same point, and every other row another point, so that all
    the pairs of different rows are negatives, unless `guard` leaves them out.

    Training gives labels only where the data has some: a loss that uses none need not take them.
    """

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
