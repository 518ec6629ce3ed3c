"""The one search of the project: nearest neighbours of descriptors, anywhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Shaped
from torch import Tensor

from corr.errors import OptionError, ShapeError
from corr.search import backends
from corr.search.checks import as_tensor, check_count, check_descriptors, check_options, check_room
from corr.search.constraints import Constraint
from corr.search.neighbors import Found, Neighbors, Request

Progress = Callable[[float], None]


@torch.no_grad()
def nearest(
    queries: Shaped[np.ndarray | Tensor, ...],
    database: Shaped[np.ndarray | Tensor, ...],
    k: int = 1,
    *,
    metric: str = "cosine",
    both_ways: bool = False,
    return_second: bool = False,
    constraint: Constraint | None = None,
    query_mask: Shaped[Tensor, ...] | None = None,
    database_mask: Shaped[Tensor, ...] | None = None,
    backend: str = "auto",
    on_progress: Progress | None = None,
) -> Neighbors:
    """The `k` nearest database rows of each query: those of float64 brute force, exactly.

    Every pair is scored once, also where both ways are asked for, and scores are dropped tile by
    tile: beyond the inputs, memory grows with N + M only. The first scores are of low precision
    (bfloat16 where the hardware multiplies it) and every row that their error leaves in doubt is
    scored again in float64. Of equal scores, the lowest index is first.

    Args:
        queries: (N, D) descriptors, a tensor on any device or an array; floating, or uint8 rows of
            packed bits for `hamming`. (B, N, D) is a batch, whose items are searched each for
            itself.
        database: (M, D) or (B, M, D), of the same kind and on the same device.
        k: how many neighbours; at most as many as the database has.
        metric: `cosine`, of the rows divided by their length (one of 1 within rounding stays as
            it is, and a row of zeros scores 0); `dot`, the inner product; `l2`, minus the
            Euclidean distance; or `hamming`, minus the number of bits that differ.
        both_ways: also find the nearest queries of each database row, as `.reverse`.
        return_second: also give the score of the best row that is not among the `k`, as `.second`.
        constraint: which pairs may be neighbours.
        query_mask: (N,) or (B, N), True for the rows that take part; the others are padding.
        database_mask: (M,) or (B, M) likewise.
        backend: `exact`, corr's own; `faiss`, on the CPU; `faiss-gpu`; `auto` chooses.
        on_progress: told the share that is done, now and then.

    Raises:
        OptionError: an option outside what is accepted, values that are not finite, tables on
            different devices, or a result that does not fit in memory.
        ShapeError: rows of different length, or masks or points of another number.
        MissingExtraError: faiss was asked for and is not installed, or does not work here.
    """
    check_options(k, metric, backend)
    queries, database = as_tensor(queries), as_tensor(database)
    masks = query_mask, database_mask
    check_descriptors(queries, database, metric, masks)
    if constraint is not None and (queries.ndim == 3 or masks != (None, None)):
        raise OptionError("a constraint is for one pair of tables without masks")
    if queries.ndim == 3:
        items = [
            nearest(
                queries[b],
                database[b],
                k,
                metric=metric,
                both_ways=both_ways,
                return_second=return_second,
                query_mask=None if query_mask is None else query_mask[b],
                database_mask=None if database_mask is None else database_mask[b],
                backend=backend,
            )
            for b in range(len(queries))
        ]
        return _stack(items)
    sizes = len(queries), len(database)
    if constraint is not None and constraint.sizes() not in (None, sizes):
        raise ShapeError(
            f"the constraint is for {constraint.sizes()} rows, and the tables have {sizes}"
        )
    check_count(k, sizes, both_ways)
    wanted = k + return_second
    check_room(sizes, wanted, both_ways, queries.device)
    counts = min(wanted, sizes[1]), min(wanted, sizes[0]) if both_ways else 0
    request = Request(counts, metric, constraint, backend, on_progress)
    if masks == (None, None):
        name, found = backends.search(queries, database, request)
    else:
        name, found = _search_masked(queries, database, request, masks)
    reverse = _neighbors(found[1], k, return_second, name) if both_ways else None
    return _neighbors(found[0], k, return_second, name, reverse)


def _neighbors(
    found: Found, k: int, with_second: bool, backend: str, reverse: Neighbors | None = None
) -> Neighbors:
    index, scores, second = found.index, found.scores, None
    if with_second:
        second = scores.new_full((len(scores),), -torch.inf)
        if scores.shape[1] > k:
            second = scores[:, k].clone()
        index, scores = index[:, :k].contiguous(), scores[:, :k].contiguous()
    return Neighbors(
        index, scores, reverse, second, backend, found.num_rescored, found.num_products
    )


def _search_masked(
    queries: Tensor,
    database: Tensor,
    request: Request,
    masks: tuple[Tensor | None, Tensor | None],
) -> tuple[str, tuple[Found, Found]]:
    """Search among the rows that take part, so that the others cannot matter."""
    sizes = len(queries), len(database)
    names = [
        torch.arange(len(table), device=table.device) if mask is None else mask.nonzero().flatten()
        for table, mask in zip((queries, database), masks, strict=True)
    ]
    tables = queries[names[0]], database[names[1]]
    counts = min(request.counts[0], len(tables[1])), min(request.counts[1], len(tables[0]))
    name, found = backends.search(*tables, replace(request, counts=counts))
    forward, backward = (
        _spread(part, own, other, size, k)
        for part, own, other, size, k in zip(
            found, names, names[::-1], sizes, request.counts, strict=True
        )
    )
    return name, (forward, backward)


def _spread(found: Found, own: Tensor, other: Tensor, num_rows: int, k: int) -> Found:
    """The result of some rows in the places of all."""
    index = found.index.new_full((num_rows, k), -1)
    scores = found.scores.new_full((num_rows, k), -torch.inf)
    width = found.index.shape[1]
    if len(own) and width:
        there = found.index >= 0
        index[own, :width] = torch.where(there, other[found.index.clamp_min(0)], -1)
        scores[own, :width] = found.scores
    return Found(index, scores, found.num_rescored, found.num_products)


def _stack(items: list[Neighbors]) -> Neighbors:
    """The results of a batch as one."""
    if not items:
        raise OptionError("the batch is empty; give at least one pair of tables")
    reverse = [item.reverse for item in items if item.reverse is not None]
    seconds = [item.second for item in items if item.second is not None]
    return Neighbors(
        torch.stack([item.index for item in items]),
        torch.stack([item.scores for item in items]),
        _stack(reverse) if reverse else None,
        torch.stack(seconds) if seconds else None,
        items[0].backend,
        sum(item.num_rescored for item in items),
        sum(item.num_products for item in items),
    )
