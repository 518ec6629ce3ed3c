"""Second-order similarity (SOSNet): neighbours have to be as far on one side as on the other."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from corr.errors import OptionError
from corr.losses.checks import check_margin, check_not_negative
from corr.losses.distances import MIN_SQUARED_DISTANCE, paired_distances
from corr.losses.guard import Guard
from corr.losses.guarded import GuardedLoss
from corr.losses.labels import Labels
from corr.losses.mining import Search
from corr.losses.nearest_negatives import nearest_negatives
from corr.losses.triplet import triplet_cost
from corr.search.checks import check_backend


class SOSNetLoss(GuardedLoss):
    """A squared triplet loss, and a regulariser of the distances between neighbours.

    Source: Tian 2019, "SOSNet: Second order similarity regularization for local descriptor
    learning".

    Args:
        margin: by which the hardest negative, of four kinds, has to be farther than the positive.
        num_neighbors: of each descriptor on either side, whose distances are compared.
        weight: of the regulariser; 0 leaves it out.
        search: who finds the nearest.
        guard: which pairs are no negatives, and no neighbours.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self,
        margin: float = 1.0,
        *,
        num_neighbors: int = 8,
        weight: float = 1.0,
        search: Search = "auto",
        guard: Guard | None = None,
    ) -> None:
        super().__init__(guard)
        check_margin("margin", margin)
        if num_neighbors < 1:
            raise OptionError(f"num_neighbors is {num_neighbors}; use 1 or more")
        check_not_negative(weight=weight)
        check_backend(search)
        self.margin = margin
        self.num_neighbors = num_neighbors
        self.weight = weight
        self.search = search

    def compute(
        self,
        anchors: Float[Tensor, "B D"],
        positives: Float[Tensor, "B D"],
        labels: Labels | None,
    ) -> Float[Tensor, ""]:
        """The mean over the rows of both terms."""
        near = nearest_negatives(
            anchors, positives, self.num_neighbors, guard=self.guard, labels=labels,
            search=self.search,
        )  # fmt: skip
        matched = paired_distances(anchors, positives)
        loss = triplet_cost(matched, near.distances, self.margin).square().mean()
        if self.weight > 0:
            neighbors = torch.cat((near.of_anchors, near.of_positives), dim=1)
            loss = loss + self.weight * second_order_term(anchors, positives, neighbors)
        return loss


def second_order_term(
    anchors: Float[Tensor, "B D"],
    positives: Float[Tensor, "B D"],
    neighbors: Int64[Tensor, "B K"],
) -> Float[Tensor, ""]:
    """Mean over the rows of how much the distances to their neighbours differ between the sides.

    Args:
        anchors: unit-length descriptors.
        positives: likewise; row i shows what row i of the anchors shows.
        neighbors: of each row; one that comes twice counts once, -1 not at all.

    Source: Tian 2019, as for `SOSNetLoss`.
    """
    ordered = neighbors.sort(dim=1).values
    counted = ordered >= 0
    counted[:, 1:] &= ordered[:, 1:] != ordered[:, :-1]
    total = torch.zeros(len(anchors), device=anchors.device)
    for column, counts in zip(ordered.T, counted.T, strict=True):
        other = column.clamp_min(0)
        on_anchors = paired_distances(anchors, anchors.index_select(0, other))
        on_positives = paired_distances(positives, positives.index_select(0, other))
        total = total + (on_anchors - on_positives).square() * counts
    return total.clamp_min(MIN_SQUARED_DISTANCE).sqrt().mean()
