"""Mining: which negative of each row a loss compares with its positive."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from corr.losses.blocks import by_rows
from corr.losses.distances import paired_distances, pairwise_distances
from corr.losses.guard import Guard
from corr.losses.labels import Labels
from corr.search import hardest_negatives

Mining = Literal["hardest", "semi-hard", "distance-weighted", "random", "all"]
Search = Literal["auto", "exact", "faiss", "faiss-gpu"]
MINING = get_args(Mining)

MIN_SAMPLED, MAX_SAMPLED = 0.5, 1.4
"""Distances between which `distance-weighted` draws: closer ones count as the first, which bounds
the variance; at farther ones a loss is 0. Source: Wu 2017, see `mine`."""


@torch.no_grad()
def mine(
    anchors: Float[Tensor, "B D"],
    positives: Float[Tensor, "B D"],
    mining: str,
    *,
    guard: Guard,
    labels: Labels | None = None,
    both_ways: bool = True,
    search: str = "auto",
) -> tuple[Int64[Tensor, " B"], Int64[Tensor, " B"] | None]:
    """One negative of each anchor among the positives, and one of each positive among the anchors.

    `hardest` is the nearest one. `semi-hard` is the nearest of those that are farther than the
    row's positive, and the farthest of all where none is. `random` draws with equal chances,
    `distance-weighted` so that every distance is as likely as another.

    Args:
        anchors: unit-length descriptors.
        positives: likewise; row i shows what row i of the anchors shows.
        mining: all but `all`, which needs no choice.
        guard: which pairs are no negatives.
        labels: what is known of the rows.
        both_ways: whether the second part is wanted; None otherwise.
        search: who finds the hardest, as in `corr.search.nearest`.

    Returns:
        Rows of the other side, -1 where there is no negative.

    Source: Schroff 2015, "FaceNet" (semi-hard; its fallback is that of TensorFlow Addons); Wu 2017,
    "Sampling matters in deep embedding learning" (distance-weighted).
    """
    if mining == "hardest":
        found = hardest_negatives(
            anchors,
            positives,
            excluded=guard.exclusion(len(anchors), labels),
            both_ways=both_ways,
            backend=search,
        )
        return found.index[:, 0], found.reverse.index[:, 0] if found.reverse else None
    forward = _picked(anchors, positives, mining, guard, labels)
    return forward, _picked(positives, anchors, mining, guard, labels) if both_ways else None


def mined_distances(
    own: Float[Tensor, "B D"], others: Float[Tensor, "B D"], index: Int64[Tensor, " B"]
) -> Float[Tensor, " B"]:
    """Distance of each row to the one that was mined for it; infinite where there is none."""
    mined = others.index_select(0, index.clamp_min(0))
    return paired_distances(own, mined).masked_fill(index < 0, torch.inf)


def _picked(
    own: Tensor, others: Tensor, mining: str, guard: Guard, labels: Labels | None
) -> Int64[Tensor, " B"]:
    matched = paired_distances(own, others)

    def pick(rows: slice) -> Tensor:
        distances = pairwise_distances(own[rows], others)
        negative = guard.negatives(distances, rows, labels)
        if mining == "semi-hard":
            preference = _semi_hard(distances, matched[rows, None], negative)
        elif mining == "distance-weighted":
            preference = _noisy(_log_rarity(distances, own.shape[1], negative))
        else:
            preference = torch.rand_like(distances)
        best = preference.masked_fill(~negative, -torch.inf).argmax(1)
        return best.masked_fill(~negative.any(1), -1)

    return by_rows(pick, len(own), len(others))


def _semi_hard(
    distances: Float[Tensor, "R B"], matched: Float[Tensor, "R 1"], negative: Bool[Tensor, "R B"]
) -> Float[Tensor, "R B"]:
    """Highest for the nearest of those farther than the positive, or for the farthest of all."""
    farther = negative & (distances > matched)
    return torch.where(
        farther.any(1, keepdim=True), (-distances).masked_fill(~farther, -torch.inf), distances
    )


def _log_rarity(
    distances: Float[Tensor, "R B"], dim: int, negative: Bool[Tensor, "R B"]
) -> Float[Tensor, "R B"]:
    """Logarithm of the inverse density of distances between random points of the unit sphere.

    Rows whose negatives are all beyond `MAX_SAMPLED` get equal values.
    """
    near = negative & (distances < MAX_SAMPLED)
    squared = distances.clamp(MIN_SAMPLED, MAX_SAMPLED).square()
    log_density = (dim - 2) / 2 * squared.log() + (dim - 3) / 2 * (1 - squared / 4).log()
    rarity = (-log_density).masked_fill(~near, -torch.inf)
    return torch.where(near.any(1, keepdim=True), rarity, 0.0)


def _noisy(log_weight: Float[Tensor, "R B"]) -> Float[Tensor, "R B"]:
    """Whose largest value of a row is a draw by the weights (the Gumbel-max trick)."""
    return log_weight - torch.empty_like(log_weight).exponential_().log()
