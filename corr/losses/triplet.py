"""The triplet loss over a batch: by a margin, a soft margin or a ratio, with any mining."""

from __future__ import annotations

from typing import Literal, get_args

import torch
import torch.nn.functional as F
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

Kind = Literal["margin", "soft-margin", "ratio"]


class TripletLoss(GuardedLoss):
    """A positive has to be closer than a negative.

    With the defaults it is HardNet's loss.

    Source: Mishchuk 2017, "Working hard to know your neighbor's margins: Local descriptor learning
    loss", for the hardest negatives in a batch.

    Args:
        margin: by how much, as a distance of unit-length descriptors; only of the kind `margin`.
        mining: negatives that count: one of each row, see `corr.losses.mining.mine`, or the mean
            over `all` of them.
        swap: seek negatives of the positive among the anchors too, not only of the anchor; with
            one negative of each, the nearer counts.
        search: who finds the hardest; the others need no search.
        kind: what a triplet costs, see `triplet_cost`.
        anchor_swap: compare a negative with the other of the pair where that is nearer to it.
        guard: which pairs are no negatives.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self,
        margin: float = 1.0,
        mining: Mining = "hardest",
        swap: bool = True,
        search: Search = "auto",
        *,
        kind: Kind = "margin",
        anchor_swap: bool = False,
        guard: Guard | None = None,
    ) -> None:
        super().__init__(guard)
        check_margin("margin", margin)
        check_choice("mining", mining, MINING)
        check_choice("kind", kind, get_args(Kind))
        check_backend(search)
        self.margin = margin
        self.mining = mining
        self.swap = swap
        self.search = search
        self.kind = kind
        self.anchor_swap = anchor_swap

    def compute(
        self,
        anchors: Float[Tensor, "B D"],
        positives: Float[Tensor, "B D"],
        labels: Labels | None,
    ) -> Float[Tensor, ""]:
        """The mean loss over the rows, or over all triplets."""
        if self.mining == "all":
            return all_triplet_loss(
                anchors, positives, self.margin, swap=self.swap, kind=self.kind,
                anchor_swap=self.anchor_swap, guard=self.guard, labels=labels,
            )  # fmt: skip
        return mined_triplet_loss(
            anchors, positives, self.margin, mining=self.mining, swap=self.swap, kind=self.kind,
            anchor_swap=self.anchor_swap, guard=self.guard, labels=labels, search=self.search,
        )  # fmt: skip


def triplet_cost(
    positive: Float[Tensor, ...],
    negative: Float[Tensor, ...],
    margin: float,
    kind: Kind = "margin",
) -> Float[Tensor, ...]:
    """What triplets cost, from the distances of their two pairs.

    With p and n for them: `margin` max(0, p - n + margin); `soft-margin` log(1 + exp(p - n));
    `ratio` 2 (exp(p) / (exp(p) + exp(n)))^2.

    Source: Hermans 2017, "In defense of the triplet loss for person re-identification" (soft
    margin); Balntas 2016, "Learning local feature descriptors with triplets and shallow
    convolutional neural networks" (ratio).
    """
    gap = positive - negative
    if kind == "margin":
        return (gap + margin).clamp_min(0)
    return F.softplus(gap) if kind == "soft-margin" else 2 * gap.sigmoid().square()


def mined_triplet_loss(
    anchors: Float[Tensor, "B D"],
    positives: Float[Tensor, "B D"],
    margin: float = 1.0,
    *,
    mining: str = "hardest",
    swap: bool = True,
    kind: Kind = "margin",
    anchor_swap: bool = False,
    guard: Guard,
    labels: Labels | None = None,
    search: str = "auto",
) -> Float[Tensor, ""]:
    """Mean cost of each positive against a mined negative of its anchor, or of both.

    Memory grows with B alone: there is no matrix of distances. The arguments are those of
    `TripletLoss`. A row without a negative costs nothing.

    Source: Balntas 2016, for the anchor swap.
    """
    matched = paired_distances(anchors, positives)
    index, reverse = mine(
        anchors, positives, mining, guard=guard, labels=labels, both_ways=swap, search=search
    )
    nearest = mined_distances(anchors, positives, index)
    if anchor_swap:
        nearest = torch.minimum(nearest, mined_distances(positives, positives, index))
    if reverse is not None:
        nearest = torch.minimum(nearest, mined_distances(positives, anchors, reverse))
        if anchor_swap:
            nearest = torch.minimum(nearest, mined_distances(anchors, anchors, reverse))
    return triplet_cost(matched, nearest, margin, kind).mean()


def all_triplet_loss(
    anchors: Float[Tensor, "B D"],
    positives: Float[Tensor, "B D"],
    margin: float = 1.0,
    *,
    swap: bool = True,
    kind: Kind = "margin",
    anchor_swap: bool = False,
    guard: Guard,
    labels: Labels | None = None,
) -> Float[Tensor, ""]:
    """Mean cost of each positive against every negative of its anchor, or of both.

    The arguments are those of `TripletLoss`.
    """
    matched = paired_distances(anchors, positives)

    def part(rows: slice) -> Tensor:
        distances = pairwise_distances(anchors[rows], positives)
        negative = guard.negatives(distances, rows, labels)
        nearest = distances
        if anchor_swap:
            nearest = torch.minimum(distances, pairwise_distances(positives[rows], positives))
        cost = triplet_cost(matched[rows, None], nearest, margin, kind)
        if swap:
            if anchor_swap:
                nearest = torch.minimum(distances, pairwise_distances(anchors[rows], anchors))
            cost = (cost + triplet_cost(matched[None], nearest, margin, kind)) / 2
        return sums_and_counts(cost, negative)

    return mean_of(by_rows(part, len(anchors), len(anchors)))
