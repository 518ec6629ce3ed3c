"""The probability of a match among all that it could be confused with, without a whole matrix."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from corr.losses.blocks import by_rows
from corr.losses.distances import (
    distances_of,
    paired_similarity,
    pairwise_distances,
    pairwise_similarity,
)
from corr.losses.guard import Guard
from corr.losses.labels import Labels


def matched_log_probability(
    own: Float[Tensor, "B D"],
    others: Float[Tensor, "B D"],
    temperature: float,
    *,
    guard: Guard,
    labels: Labels | None = None,
    unit: bool = True,
) -> Float[Tensor, " B"]:
    """Logarithm of the softmax, over the rows of the other side, at the one that matches.

    Args:
        own: descriptors.
        others: row i shows what row i of `own` shows.
        temperature: that inner products are divided by.
        guard: which pairs are no negatives; they are left out of the softmax.
        labels: what is known of the rows.
        unit: whether the descriptors are of unit length.
    """
    matched = paired_similarity(own, others) / temperature
    directions = [F.normalize(side.detach(), dim=1) for side in (own, others)]
    every = torch.arange(len(own), device=own.device)

    def part(rows: slice) -> Tensor:
        similarity = pairwise_similarity(own[rows], others)
        if unit:
            distances = distances_of(similarity.detach())
        else:
            distances = pairwise_distances(directions[0][rows], directions[1])
        counted = guard.negatives(distances, rows, labels) | (every[rows, None] == every)
        return (similarity / temperature).masked_fill(~counted, -torch.inf).logsumexp(1)

    return matched - by_rows(part, len(own), len(others))
