"""The hardest-contrastive loss, with two thresholds (FCGF)."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from corr.losses.checks import check_margin, check_positive
from corr.losses.contrastive import contrastive_cost
from corr.losses.distances import paired_distances
from corr.losses.guard import Guard
from corr.losses.guarded import GuardedLoss
from corr.losses.labels import Labels
from corr.losses.mining import Search, mine, mined_distances
from corr.search.checks import check_backend


class HardestContrastiveLoss(GuardedLoss):
    """A positive has to be closer than a threshold, the hardest negatives farther than another.

    Source: Choy 2019, "Fully convolutional geometric features", whose thresholds and weight
    are the defaults.

    Args:
        pos_margin: distance of unit-length descriptors that a positive may have.
        neg_margin: distance that a negative has to have.
        neg_weight: of the negatives of either side, beside the weight of 1 of the positives.
        search: who finds the hardest.
        guard: which pairs are no negatives.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self,
        pos_margin: float = 0.1,
        neg_margin: float = 1.4,
        *,
        neg_weight: float = 0.5,
        search: Search = "auto",
        guard: Guard | None = None,
    ) -> None:
        super().__init__(guard)
        check_margin("pos_margin", pos_margin, least=0.0)
        check_margin("neg_margin", neg_margin)
        check_positive(neg_weight=neg_weight)
        check_backend(search)
        self.pos_margin = pos_margin
        self.neg_margin = neg_margin
        self.neg_weight = neg_weight
        self.search = search

    def compute(
        self,
        anchors: Float[Tensor, "B D"],
        positives: Float[Tensor, "B D"],
        labels: Labels | None,
    ) -> Float[Tensor, ""]:
        """The mean over matching pairs, and the weighted means over the negatives of both sides."""
        return hardest_contrastive_loss(
            anchors, positives, self.pos_margin, self.neg_margin, neg_weight=self.neg_weight,
            guard=self.guard, labels=labels, search=self.search,
        )  # fmt: skip


def hardest_contrastive_loss(
    anchors: Float[Tensor, "B D"],
    positives: Float[Tensor, "B D"],
    pos_margin: float,
    neg_margin: float,
    *,
    neg_weight: float = 0.5,
    guard: Guard,
    labels: Labels | None = None,
    search: str = "auto",
) -> Float[Tensor, ""]:
    """The loss of a batch; the arguments are those of `HardestContrastiveLoss`.

    Rows without a negative do not count in the mean over negatives.
    """
    matched = paired_distances(anchors, positives)
    index, reverse = mine(anchors, positives, "hardest", guard=guard, labels=labels, search=search)
    assert reverse is not None
    loss = contrastive_cost(matched - pos_margin).mean()
    for distances in (
        mined_distances(anchors, positives, index),
        mined_distances(positives, anchors, reverse),
    ):
        push = contrastive_cost(neg_margin - distances).sum()
        loss = loss + neg_weight * push / distances.isfinite().sum().clamp_min(1)
    return loss
