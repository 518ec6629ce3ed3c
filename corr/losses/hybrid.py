"""Hybrid similarity (HyNet): a triplet loss of distance and inner product together."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from corr.errors import OptionError
from corr.losses.checks import check_not_negative
from corr.losses.distances import paired_distances
from corr.losses.guard import Guard
from corr.losses.guarded import GuardedLoss
from corr.losses.labels import Labels
from corr.losses.mining import Search
from corr.losses.nearest_negatives import nearest_negatives
from corr.losses.triplet import triplet_cost
from corr.search.checks import check_backend


class HyNetLoss(GuardedLoss):
    """A triplet loss whose distance is hybrid, and a regulariser of the descriptors' length.

    It normalises what it is given. The regulariser acts on descriptors as they are before that,
    which training gives it; of unit-length ones it is 0.

    Source: Tian 2020, "HyNet: Learning local descriptor with hybrid similarity measure and triplet
    loss"; the scale of the hybrid distance, the margin and both weights are
    those of the authors' published code.

    Args:
        margin: by which the hardest negative, of four kinds, has to be farther than the positive.
        alpha: weight of 1 - inner product, beside 1 of the distance.
        length_weight: of the mean squared difference of the lengths of a match; 0 leaves it out.
        search: who finds the nearest.
        guard: which pairs are no negatives.

    Raises:
        OptionError: a setting outside its range.
    """

    needs_raw = True

    def __init__(
        self,
        margin: float = 1.2,
        *,
        alpha: float = 2.0,
        length_weight: float = 0.1,
        search: Search = "auto",
        guard: Guard | None = None,
    ) -> None:
        super().__init__(guard)
        check_not_negative(alpha=alpha, length_weight=length_weight)
        largest = 2 + 2 * alpha
        if not 0 < margin <= largest:
            raise OptionError(f"margin is {margin}; use a value in (0, {largest:g}]")
        check_backend(search)
        self.margin = margin
        self.alpha = alpha
        self.length_weight = length_weight
        self.search = search

    def compute(
        self,
        anchors: Float[Tensor, "B D"],
        positives: Float[Tensor, "B D"],
        labels: Labels | None,
    ) -> Float[Tensor, ""]:
        """The mean over the rows of both terms, of descriptors of any length."""
        loss = length_term(anchors, positives) * self.length_weight
        anchors, positives = F.normalize(anchors, dim=1), F.normalize(positives, dim=1)
        near = nearest_negatives(
            anchors, positives, guard=self.guard, labels=labels, search=self.search
        )
        positive, negative = (
            hybrid_distance(distances, self.alpha)
            for distances in (paired_distances(anchors, positives), near.distances)
        )
        return loss + triplet_cost(positive, negative, self.margin).mean()


def hybrid_distance(distances: Float[Tensor, " B"], alpha: float) -> Float[Tensor, " B"]:
    """Euclidean distances of unit-length descriptors plus alpha (1 - their inner product).

    Source: Tian 2020, without its constant factor.
    """
    return distances + alpha / 2 * distances.square()


def length_term(
    anchors: Float[Tensor, "B D"], positives: Float[Tensor, "B D"]
) -> Float[Tensor, ""]:
    """Mean squared difference of the lengths of matching descriptors.

    Source: Tian 2020, as for `HyNetLoss`.
    """
    dtype = torch.promote_types(anchors.dtype, torch.float32)
    lengths = [torch.linalg.vector_norm(side.to(dtype), dim=1) for side in (anchors, positives)]
    difference: Tensor = lengths[0] - lengths[1]
    return difference.square().mean()
