"""The distances that a batch is judged by while training."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from corr.losses import Guard, Labels
from corr.losses.descriptor import TrainingLoss
from corr.losses.distances import paired_distances
from corr.losses.mining import mine, mined_distances

_UNGUARDED = Guard(min_distance=0.0)


class BatchDistances(NamedTuple):
    """Of the rows of a batch of matching descriptors."""

    positive: Float[Tensor, " B"]
    """Of each pair."""
    negative: Float[Tensor, " B"]
    """To the nearest negative of either of the pair; infinite where there is none."""

    def active_share(self, margin: float) -> Float[Tensor, ""]:
        """Share of the rows whose negative is not farther than their positive by a margin."""
        return (self.positive + margin > self.negative).float().mean()


@torch.no_grad()
def batch_distances(
    anchors: Float[Tensor, "B D"],
    positives: Float[Tensor, "B D"],
    labels: Labels | None,
    loss: TrainingLoss,
) -> BatchDistances:
    """The distances of a batch, in memory for its rows alone, whatever the loss mines.

    Args:
        anchors: unit-length descriptors.
        positives: likewise; row i shows what row i of the anchors shows.
        labels: what else is known of the rows.
        loss: its guard says which pairs are no negatives.
    """
    index, reverse = mine(
        anchors, positives, "hardest", guard=loss.guard or _UNGUARDED, labels=labels
    )
    assert reverse is not None
    negative = torch.minimum(
        mined_distances(anchors, positives, index), mined_distances(positives, anchors, reverse)
    )
    return BatchDistances(paired_distances(anchors, positives), negative)
