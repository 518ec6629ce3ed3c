"""The nearest negatives of a match on either side: what SOSNet's and HyNet's losses compare."""

from __future__ import annotations

from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from corr.losses.guard import Guard
from corr.losses.labels import Labels
from corr.losses.mining import mine, mined_distances
from corr.search import hardest_negatives


class NearestNegatives(NamedTuple):
    """Of a batch of matching descriptors."""

    distances: Float[Tensor, " B"]
    """To the nearest negative of an anchor or its positive, on any side; infinite for none."""
    of_anchors: Int64[Tensor, "B K"]
    """The nearest other anchors of each, nearest first; -1 where too few are left."""
    of_positives: Int64[Tensor, "B K"]
    """Likewise for the positives."""


def nearest_negatives(
    anchors: Float[Tensor, "B D"],
    positives: Float[Tensor, "B D"],
    k: int = 1,
    *,
    guard: Guard,
    labels: Labels | None = None,
    search: str = "auto",
) -> NearestNegatives:
    """The hardest negative of each match, of four kinds, and neighbours within each side.

    The kinds are anchor and positive, positive and anchor, two anchors, and two positives.

    Args:
        anchors: unit-length descriptors.
        positives: likewise; row i shows what row i of the anchors shows.
        k: neighbours within a side.
        guard: which pairs are no negatives.
        labels: what is known of the rows.
        search: who finds them, as in `corr.search.nearest`.

    Source: Tian 2019, "SOSNet: Second order similarity regularization for local descriptor
    learning".
    """
    index, reverse = mine(anchors, positives, "hardest", guard=guard, labels=labels, search=search)
    assert reverse is not None
    across = torch.minimum(
        mined_distances(anchors, positives, index), mined_distances(positives, anchors, reverse)
    )
    excluded = guard.exclusion(len(anchors), labels)
    within = []
    for side in (anchors, positives):
        with torch.no_grad():
            found = hardest_negatives(
                side, side, excluded=excluded, k=min(k, len(side)), backend=search
            )
        within.append(found.index)
        across = torch.minimum(across, mined_distances(side, side, found.index[:, 0]))
    return NearestNegatives(across, *within)
