"""The correspondence contrastive loss of the Universal Correspondence Network."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from corr.losses.checks import check_choice, check_margin
from corr.losses.contrastive import contrastive_cost
from corr.losses.distances import paired_distances
from corr.losses.guard import Guard
from corr.losses.guarded import GuardedLoss
from corr.losses.labels import Labels
from corr.losses.mining import Search, mine, mined_distances
from corr.search.checks import check_backend

MinedNegatives = Literal["hardest", "semi-hard", "distance-weighted", "random"]

GUARD = Guard(min_distance=0.0, radius=16.0)
"""A negative is farther than 16 px from the truth, however near its descriptor is."""


class CorrespondenceContrastiveLoss(GuardedLoss):
    """Equation (1): corresponding points are pulled together, others pushed a margin apart.

    `L = 1/(2N) sum_i { s_i d_i^2 + (1 - s_i) max(0, m - d_i)^2 }` over N pairs of points, d_i the
    distance of their descriptors and s_i 1 where they correspond. Each point, of either image, is
    in two pairs: with its correspondence, and with one negative. By default that is its nearest
    neighbour in feature space among the points of the batch, but for those of the image of its
    correspondence that are within the guard's radius of it; `random` takes any of them, for
    comparison. Points that are occluded or out of view have no correspondence, and are in no pair.

    Source: Choy 2016, "Universal Correspondence Network", equation 1 and section 3.3; the margin of
    1 for descriptors of unit length and the radius of 16 px are ours.

    Args:
        margin: m, the distance that a negative has to have.
        mining: the negative of a point, see `corr.losses.mining.mine`.
        search: who finds the hardest; the others need no search.
        guard: which pairs are no negatives; points within 16 px of the truth when not given.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self,
        margin: float = 1.0,
        *,
        mining: MinedNegatives = "hardest",
        search: Search = "auto",
        guard: Guard | None = None,
    ) -> None:
        super().__init__(guard or GUARD)
        check_margin("margin", margin)
        check_choice("mining", mining, get_args(MinedNegatives))
        check_backend(search)
        self.neg_margin = margin  # `margin` is what a triplet's distances differ by
        self.mining = mining
        self.search = search

    def compute(
        self,
        anchors: Float[Tensor, "B D"],
        positives: Float[Tensor, "B D"],
        labels: Labels | None,
    ) -> Float[Tensor, ""]:
        """Half of the mean cost of all pairs; a point without a negative is in one pair alone."""
        index, reverse = mine(
            anchors, positives, self.mining, guard=self.guard, labels=labels, search=self.search
        )
        assert reverse is not None
        near = paired_distances(anchors, positives).repeat(2)
        far = torch.cat(
            (
                mined_distances(anchors, positives, index),
                mined_distances(positives, anchors, reverse),
            )
        )
        num_pairs = len(near) + far.isfinite().sum()
        cost = near.square().sum() + contrastive_cost(self.neg_margin - far).sum()
        return cost / (2 * num_pairs)
