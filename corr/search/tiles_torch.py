"""The same search by torch alone, for any device: what a CUDA tensor is searched by.

Each tile leaves a few candidates more than are sought. A row whose last one could still be among
the best, by the margin of `tables`, is searched again in float64.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from corr.search.neighbors import Found
from corr.search.rules import ANY, CEILING, Rule, allowed_at, allowed_pairs, with_ceiling
from corr.search.spaces import Space, make_space

TILE = (2048, 16384)
"""Rows and columns of a tile: 128 MB of scores."""

SPARE = 6
"""Candidates kept beyond those sought."""

GATHERED = 1 << 24
"""Numbers of the tables that are gathered at a time, to be scored in float64."""

RANKS = 2.0**32
"""More than there are columns."""

_LAST = torch.iinfo(torch.int64).max


@dataclass(eq=False)
class _Side:
    """The best so far of each row of one side, by low precision, best first."""

    value: Tensor
    index: Tensor
    margin: Tensor
    k: int
    doubtful: Tensor
    """(N,) True where float64 has to search the whole row."""

    @classmethod
    def empty(cls, num_rows: int, num_others: int, k: int, margin: Tensor, rounds: bool) -> _Side:
        width = min(k + SPARE, num_others) if k else 0
        dtype = torch.float32 if rounds else torch.float64
        value = margin.new_full((num_rows, width), -torch.inf, dtype=dtype)
        doubtful = torch.zeros(num_rows, dtype=torch.bool, device=margin.device)
        return cls(value, torch.zeros_like(value, dtype=torch.int64), margin, k, doubtful)

    def take(self, part: slice, tile: Tensor, first: int) -> None:
        """The best of a tile, whose columns begin at `first`.

        Whole numbers, where ties are the rule, are ranked by score and lowest index.
        """
        if self.value.dtype == torch.float64:
            places = torch.arange(first, first + tile.shape[1], device=tile.device)
            tile = tile.double() * RANKS - places
        value, index = tile.topk(min(self.value.shape[1], tile.shape[1]), dim=1)
        value = torch.cat((self.value[part], value), 1)
        index = torch.cat((self.index[part], index + first), 1)
        self.value[part], order = value.topk(self.value.shape[1], dim=1)
        self.index[part] = index.gather(1, order)


@torch.no_grad()
def search(
    queries: Tensor,
    database: Tensor,
    counts: tuple[int, int],
    metric: str,
    *,
    rule: Rule = ANY,
    on_progress: Callable[[float], None] | None = None,
) -> tuple[Found, Found]:
    """The best of each row and of each column; the arguments are those of `exact.search`."""
    space = make_space(queries, database, metric)
    rule = with_ceiling(rule, metric, space.scale)
    sizes = len(queries), len(database)
    sides = tuple(
        _Side.empty(n, m, k, margin, space.rounds)
        for n, m, k, margin in zip(sizes, sizes[::-1], counts, space.margins(), strict=True)
    )
    for top in range(0, sizes[0], TILE[0]):
        row = slice(top, min(top + TILE[0], sizes[0]))
        for left in range(0, sizes[1], TILE[1]):
            column = slice(left, min(left + TILE[1], sizes[1]))
            tile = space.tile(row, column)
            if rule.conditions:
                _apply(rule, space.in_tile(rule.ceiling), tile, row, column, sides)
            if counts[0]:
                sides[0].take(row, tile, left)
            if counts[1]:
                sides[1].take(column, tile.T, top)
        if on_progress is not None:
            on_progress(row.stop / sizes[0])
    forward, backward = (
        _finish(side, space, rule, turned)
        for side, turned in zip(sides, (False, True), strict=True)
    )
    return forward, backward


def _apply(  # noqa: PLR0917
    rule: Rule, ceiling: float, tile: Tensor, row: slice, column: slice, sides: tuple[_Side, ...]
) -> None:
    """Take what is not allowed out of a tile; a score too near the ceiling leaves doubt."""
    tile.masked_fill_(~allowed_pairs(rule, row, column, tile.device), -torch.inf)
    if rule.conditions & CEILING:
        near = (tile - ceiling).abs() <= sides[0].margin[row, None]
        sides[0].doubtful[row] |= near.any(1)
        sides[1].doubtful[column] |= near.any(0)
        tile.masked_fill_(tile > ceiling, -torch.inf)


def _finish(side: _Side, space: Space, rule: Rule, turned: bool) -> Found:
    """The best by float64 among the candidates; among all where more could be."""
    products = space.num_rows(False) * space.num_rows(True)
    k = min(side.k, side.value.shape[1])
    if k == 0:
        empty = side.value[:, :0]
        return Found(side.index[:, :0], empty, 0, products)
    # Ranks have no ties; of scores the k best may lie two margins lower.
    lowest = side.value[:, k - 1].double() - 2 * side.margin
    keeps = (side.value >= lowest[:, None]) & (side.value > -torch.inf)
    others = space.num_rows(not turned)
    # Ties at the end leave doubt, which of them has the lowest index.
    full = keeps[:, -1] if others > side.value.shape[1] else torch.zeros_like(side.doubtful)
    doubtful = side.doubtful | full
    index = torch.where(keeps, side.index, _LAST)
    index = index.sort(dim=1).values
    exact = side.margin.new_full(index.shape, -torch.inf)
    width = max(1, GATHERED // (index.shape[1] * space.width))
    for start in range(0, len(index), width):
        part = index[start : start + width]
        there = part != _LAST
        rows = torch.arange(start, start + len(part), device=part.device)[:, None].expand_as(part)
        pairs = (part[there], rows[there]) if turned else (rows[there], part[there])
        exact[start : start + width][there] = space.exact(*pairs)
    value, order = exact.sort(dim=1, descending=True, stable=True)
    index = index.gather(1, order)[:, :k]
    value = value[:, :k]
    _search_again(doubtful.nonzero().flatten(), k, space, rule, turned, index, value)
    index = torch.where(value > -torch.inf, index, -1)
    rescored = int((doubtful | (keeps.sum(1) > k)).sum()) if space.rounds else 0
    return Found(index, space.scores(value).float(), rescored, products)


def _search_again(  # noqa: PLR0917
    rows: Tensor, k: int, space: Space, rule: Rule, turned: bool, index: Tensor, value: Tensor
) -> None:
    """Search some rows in float64 and write what is found: the first of equal scores is first."""
    others = space.num_rows(not turned)
    height = max(1, GATHERED // others)
    for start in range(0, len(rows), height):
        names = rows[start : start + height]
        scores = space.exact_rows(names, turned)
        if rule.conditions:
            scores.masked_fill_(~_allowed_rows(rule, names, others, turned), -torch.inf)
            scores.masked_fill_(scores > rule.ceiling, -torch.inf)
        everyone = torch.arange(others, device=scores.device)
        for spot in range(k):
            best = scores.amax(1, keepdim=True)
            place = torch.where(scores == best, everyone, others).amin(1, keepdim=True)
            value[names, spot], index[names, spot] = best[:, 0], place[:, 0]
            scores.scatter_(1, place, -torch.inf)


def _allowed_rows(rule: Rule, names: Tensor, others: int, turned: bool) -> Tensor:
    own, everyone = names.cpu().numpy()[:, None], np.arange(others)[None]
    rows, columns = (everyone, own) if turned else (own, everyone)
    return allowed_at(rule, rows, columns, names.device)
