"""Average precision made smooth, so that it can be a loss (Smooth-AP)."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from corr.losses.blocks import by_rows
from corr.losses.checks import check_positive
from corr.losses.distances import distances_of, pairwise_similarity
from corr.losses.guard import Guard
from corr.losses.guarded import GuardedLoss
from corr.losses.labels import Labels


class SmoothAPLoss(GuardedLoss):
    """1 - mean average precision of each row as a query among the rows of the other side.

    Rows of the query's track, where tracks are known, are all to be found; otherwise its match
    alone is. What the guard leaves out is not in the ranking.

    Source: Brown 2020, "Smooth-AP: Smoothing the path towards large-scale image retrieval".

    Args:
        temperature: of the sigmoid that stands for "ranked above".
        both_ways: take the positives as queries too; the mean of both counts.
        guard: which pairs are no negatives.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self, temperature: float = 0.01, *, both_ways: bool = True, guard: Guard | None = None
    ) -> None:
        super().__init__(guard)
        check_positive(temperature=temperature)
        self.temperature = temperature
        self.both_ways = both_ways

    def compute(
        self,
        anchors: Float[Tensor, "B D"],
        positives: Float[Tensor, "B D"],
        labels: Labels | None,
    ) -> Float[Tensor, ""]:
        """The mean loss over the queries."""
        sides = [(anchors, positives), (positives, anchors)][: 2 if self.both_ways else 1]
        parts = [
            smooth_average_precision(*side, self.temperature, guard=self.guard, labels=labels)
            for side in sides
        ]
        return 1 - torch.cat(parts).mean()


def smooth_average_precision(
    queries: Float[Tensor, "B D"],
    gallery: Float[Tensor, "B D"],
    temperature: float,
    *,
    guard: Guard,
    labels: Labels | None = None,
) -> Float[Tensor, " B"]:
    """Average precision of each query, with a sigmoid in place of each step.

    Args:
        queries: unit-length descriptors.
        gallery: likewise; row i shows what row i of the queries shows.
        temperature: of the sigmoid.
        guard: which pairs are not in the ranking.
        labels: whose tracks say what else is to be found.
    """
    tracks = labels.tracks if labels is not None else None
    if tracks is None:
        tracks = torch.arange(len(queries), device=queries.device)
    num_wanted = 1 if labels is None or labels.tracks is None else _largest(tracks)

    def part(rows: slice) -> Tensor:
        similarity = pairwise_similarity(queries[rows], gallery)
        wanted = tracks[rows, None] == tracks
        ranked = wanted | guard.negatives(distances_of(similarity.detach()), rows, labels)
        order = wanted.byte().topk(num_wanted, dim=1).indices
        precision = torch.zeros_like(similarity[:, 0])
        for place in range(num_wanted):
            column = order[:, place : place + 1]
            gap = (similarity - similarity.gather(1, column)) / temperature
            above = gap.sigmoid() * ranked.scatter(1, column, False)
            among_wanted, among_all = 1 + (above * wanted).sum(1), 1 + above.sum(1)
            precision = precision + among_wanted / among_all * wanted.gather(1, column)[:, 0]
        return precision / wanted.sum(1)

    return by_rows(part, len(queries), len(gallery) * num_wanted)


def _largest(tracks: Int64[Tensor, " B"]) -> int:
    """How many rows the most frequent track has."""
    return int(torch.unique_consecutive(tracks.sort().values, return_counts=True)[1].max())
