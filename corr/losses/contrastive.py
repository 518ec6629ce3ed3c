"""The contrastive loss over a batch, with any mining."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from corr.losses.blocks import by_rows, mean_of, sums_and_counts
from corr.losses.checks import check_choice, check_margin
from corr.losses.distances import paired_distances, pairwise_distances
from corr.losses.guard import Guard
from corr.losses.guarded import GuardedLoss
from corr.losses.labels import Labels
from corr.losses.mining import MINING, Mining, Search, mine, mined_distances
from corr.search.checks import check_backend


class ContrastiveLoss(GuardedLoss):
    """A positive has to be closer than one margin, a negative farther than another.

    Matching and other pairs weigh the same: half of the mean over either.

    Source: Hadsell 2006, "Dimensionality reduction by learning an invariant mapping"; its margin
    for positives is 0.

    Args:
        pos_margin: distance of unit-length descriptors that a positive may have.
        neg_margin: distance that a negative has to have.
        squared: square the hinges, as in the paper.
        mining: negatives that count: one of each row and each column, see
            `corr.losses.mining.mine`, or `all` of them.
        search: who finds the hardest; the others need no search.
        guard: which pairs are no negatives.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self,
        pos_margin: float = 0.0,
        neg_margin: float = 1.0,
        *,
        squared: bool = True,
        mining: Mining = "all",
        search: Search = "auto",
        guard: Guard | None = None,
    ) -> None:
        super().__init__(guard)
        check_margin("pos_margin", pos_margin, least=0.0)
        check_margin("neg_margin", neg_margin)
        check_choice("mining", mining, MINING)
        check_backend(search)
        self.pos_margin = pos_margin
        self.neg_margin = neg_margin
        self.squared = squared
        self.mining = mining
        self.search = search

    def compute(
        self,
        anchors: Float[Tensor, "B D"],
        positives: Float[Tensor, "B D"],
        labels: Labels | None,
    ) -> Float[Tensor, ""]:
        """Half of the mean cost of matching pairs and half of that of the others."""
        matched = paired_distances(anchors, positives)
        pull = contrastive_cost(matched - self.pos_margin, squared=self.squared).mean()
        if self.mining == "all":
            push = self._push_all(anchors, positives, labels)
        else:
            push = self._push_mined(anchors, positives, labels)
        return (pull + push) / 2

    def _push_all(self, anchors: Tensor, positives: Tensor, labels: Labels | None) -> Tensor:
        def part(rows: slice) -> Tensor:
            distances = pairwise_distances(anchors[rows], positives)
            cost = contrastive_cost(self.neg_margin - distances, squared=self.squared)
            return sums_and_counts(cost, self.guard.negatives(distances, rows, labels))

        return mean_of(by_rows(part, len(anchors), len(anchors)))

    def _push_mined(self, anchors: Tensor, positives: Tensor, labels: Labels | None) -> Tensor:
        index, reverse = mine(
            anchors, positives, self.mining, guard=self.guard, labels=labels, search=self.search
        )
        assert reverse is not None
        distances = torch.cat(
            (
                mined_distances(anchors, positives, index),
                mined_distances(positives, anchors, reverse),
            )
        )
        cost = contrastive_cost(self.neg_margin - distances, squared=self.squared)
        return cost.sum() / distances.isfinite().sum().clamp_min(1)


def contrastive_cost(
    violation: Float[Tensor, "*shape"], *, squared: bool = True
) -> Float[Tensor, "*shape"]:
    """The hinge of what a margin is violated by, or its square."""
    hinge = violation.clamp_min(0)
    return hinge.square() if squared else hinge
