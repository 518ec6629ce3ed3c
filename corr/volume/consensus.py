"""Scores of all pairs of places, supported by those of their neighbours."""

from __future__ import annotations

import math

import torch
from jaxtyping import Float
from torch import Tensor


def dual_softmax(
    scores: Float[Tensor, "H0 W0 H1 W1"], temperature: float
) -> Float[Tensor, "H0 W0 H1 W1"]:
    """How likely two places are each other's, among all places of the other map: in [0, 1].

    The geometric mean of the softmax in both directions.
    """
    table = scores.flatten(2).flatten(0, 1) / temperature
    both = (table.log_softmax(1) + table.log_softmax(0)) / 2
    return both.exp().reshape(scores.shape)


def neighbourhood_consensus(
    scores: Float[Tensor, "H0 W0 H1 W1"], sigma: float
) -> Float[Tensor, "H0 W0 H1 W1"]:
    """Each score, averaged with those of pairs that are displaced alike.

    `result(p, q) = sum_d w(d) score(p + d, q + d)` with a Gaussian w, zero beyond the maps: what
    moves together supports each other, as in matching by larger patches, but place by place.

    Source: the idea is that of Rocco 2018, "Neighbourhood consensus networks", which learns the
    weights of a 4-D convolution; these are fixed.

    Args:
        scores: of places of map 0 with those of map 1, none below 0.
        sigma: of the Gaussian, cells; 0 leaves the scores as they are.
    """
    if sigma <= 0:
        return scores
    for rows in (True, False):
        scores = _along(scores, sigma, rows)
    return scores


def _along(
    scores: Float[Tensor, "H0 W0 H1 W1"], sigma: float, rows: bool
) -> Float[Tensor, "H0 W0 H1 W1"]:
    """The Gaussian is a product of one along x and one along y."""
    first, second = (0, 2) if rows else (1, 3)
    reach = math.ceil(2.5 * sigma)
    weights = [math.exp(-(step**2) / (2 * sigma**2)) for step in range(-reach, reach + 1)]
    total = torch.zeros_like(scores)
    for weight, step in zip(weights, range(-reach, reach + 1), strict=True):
        num_first, num_second = (scores.shape[axis] - abs(step) for axis in (first, second))
        if min(num_first, num_second) < 1:
            continue
        to, source = max(0, -step), max(0, step)
        part = scores.narrow(first, source, num_first).narrow(second, source, num_second)
        into = total.narrow(first, to, num_first).narrow(second, to, num_second)
        into.add_(part, alpha=weight / sum(weights))
    return total
