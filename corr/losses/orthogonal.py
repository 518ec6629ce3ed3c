"""The global orthogonal regulariser: other points' descriptors as if drawn from the sphere."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from corr.losses.blocks import by_rows
from corr.losses.checks import check_positive
from corr.losses.descriptor import DescriptorLoss, loss_of
from corr.losses.distances import distances_of, pairwise_similarity
from corr.losses.guard import Guard
from corr.losses.guarded import GuardedLoss
from corr.losses.labels import Labels


class GlobalOrthogonalLoss(GuardedLoss):
    """Another loss, and the global orthogonal regulariser beside it.

    Source: Zhang 2017, "Learning spread-out local feature descriptors".

    Args:
        loss: which the regulariser is added to.
        weight: of the regulariser; the paper has 1.
        guard: which pairs are no negatives for the regulariser.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self, loss: DescriptorLoss, weight: float = 1.0, *, guard: Guard | None = None
    ) -> None:
        super().__init__(guard)
        check_positive(weight=weight)
        self.loss = loss
        self.weight = weight
        self.needs_raw = loss.needs_raw

    @property
    def margin(self) -> float:
        """That of the other loss; 0 where it has none."""
        return float(getattr(self.loss, "margin", 0.0))

    def compute(
        self,
        anchors: Float[Tensor, "B D"],
        positives: Float[Tensor, "B D"],
        labels: Labels | None,
    ) -> Float[Tensor, ""]:
        """The other loss plus the weighted regulariser."""
        loss = loss_of(self.loss, anchors, positives, labels)
        if self.needs_raw:
            anchors, positives = F.normalize(anchors, dim=1), F.normalize(positives, dim=1)
        term = global_orthogonal_term(anchors, positives, guard=self.guard, labels=labels)
        return loss + self.weight * term


def global_orthogonal_term(
    anchors: Float[Tensor, "B D"],
    positives: Float[Tensor, "B D"],
    *,
    guard: Guard,
    labels: Labels | None = None,
) -> Float[Tensor, ""]:
    """How far the inner products of negatives are from those of random directions.

    With M1 their mean and M2 their mean square: M1^2 + max(0, M2 - 1/D).

    Args:
        anchors: unit-length descriptors.
        positives: likewise; row i shows what row i of the anchors shows.
        guard: which pairs are no negatives.
        labels: what is known of the rows.

    Source: Zhang 2017, over all negatives of the batch in place of a sample.
    """

    def part(rows: slice) -> Tensor:
        similarity = pairwise_similarity(anchors[rows], positives)
        negative = guard.negatives(distances_of(similarity.detach()), rows, labels)
        similarity = similarity * negative
        sums = similarity.sum(1), similarity.square().sum(1), negative.sum(1).to(similarity.dtype)
        return torch.stack(sums, dim=1)

    total, squares, count = by_rows(part, len(anchors), len(anchors)).sum(0)
    count = count.clamp_min(1)
    mean: Tensor = total / count
    excess: Tensor = squares / count - 1 / anchors.shape[1]
    return mean.square() + excess.clamp_min(0)
