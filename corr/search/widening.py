"""What an exclusion leaves, from a searcher that cannot exclude: ask for more until it is enough.

Few neighbours are excluded as a rule, so a few more than are sought suffice for most rows. The rows
that are still short ask for four times as many; those that would need very many, of which a
searcher finds no more than a limit, are searched by corr itself.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool
from torch import Tensor

from corr.search.exclusion import of_rows
from corr.search.neighbors import Found
from corr.search.rules import CEILING, Rule, allowed_at, with_ceiling
from corr.search.spaces import Space, make_space

Search = Callable[[Tensor, Tensor, int], Found]

SPARE = 7
"""Neighbours asked for at first beyond those sought."""

MOST = 1024
"""Neighbours asked for at last; FAISS finds at most 2048 on a GPU."""

GATHERED = 1 << 22
"""Numbers of the tables that are gathered at a time, to measure distances in float64."""


def search_allowed(  # noqa: PLR0917
    search: Search,
    search_exactly: Callable[[Tensor, Tensor, int, Rule], Found],
    queries: Tensor,
    database: Tensor,
    k: int,
    metric: str,
    rule: Rule,
) -> Found:
    """The `k` best of each row that an exclusion allows; index -1 where fewer are left.

    Args:
        search: finds the nearest rows, whatever they are.
        search_exactly: finds the nearest rows that a rule allows.
        queries: not empty.
        database: likewise.
        k: how many.
        metric: as in `nearest`.
        rule: of an `Exclusion`.
    """
    index = torch.full((len(queries), k), -1, device=queries.device)
    scores = torch.full(index.shape, -torch.inf, device=queries.device)
    space = make_space(queries, database, metric) if rule.conditions & CEILING else None
    rows, width = torch.arange(len(queries), device=queries.device), k + SPARE
    while len(rows) and width <= MOST:
        width = min(width, len(database))
        found = search(queries[rows], database, width)
        # True stays in front of False, and the order among the allowed is kept.
        allowed = _allowed(rule, metric, space, rows, found.index)
        order = allowed.int().argsort(dim=1, descending=True, stable=True)[:, :k]
        there = allowed.gather(1, order)
        index[rows, : order.shape[1]] = torch.where(there, found.index.gather(1, order), -1)
        scores[rows, : order.shape[1]] = torch.where(
            there, found.scores.gather(1, order), -torch.inf
        )
        if width == len(database):
            return Found(index, scores)
        rows, width = rows[allowed.sum(1) < k], 4 * width
    if len(rows):
        found = search_exactly(
            queries[rows], database, min(k, len(database)), of_rows(rule, rows.cpu().numpy())
        )
        index[rows, : found.index.shape[1]] = found.index
        scores[rows, : found.index.shape[1]] = found.scores
    return Found(index, scores)


def _allowed(
    rule: Rule, metric: str, space: Space | None, rows: Tensor, found: Tensor
) -> Bool[Tensor, "N K"]:
    """Which of the rows found are not excluded, by distances in float64."""
    there = found >= 0
    columns = found.clamp_min(0)
    allowed = there & allowed_at(
        rule, rows.cpu().numpy()[:, None], columns.cpu().numpy(), found.device
    )
    if space is None:
        return allowed
    ceiling = with_ceiling(rule, metric, space.scale).ceiling
    height = max(1, GATHERED // (found.shape[1] * space.width))
    for start in range(0, len(rows), height):
        part = slice(start, start + height)
        own = rows[part, None].expand_as(columns[part]).flatten()
        score = space.exact(own, columns[part].flatten()).view_as(columns[part])
        allowed[part] &= score <= ceiling
    return allowed
