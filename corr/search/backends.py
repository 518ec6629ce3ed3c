"""Who searches: the one asked for, or the one that suits the tables."""

from __future__ import annotations

import torch
from torch import Tensor

from corr.errors import OptionError
from corr.search.neighbors import Found, Request
from corr.search.rules import ANY

BACKENDS = ("auto", "exact", "faiss", "faiss-gpu")


def search(queries: Tensor, database: Tensor, request: Request) -> tuple[str, tuple[Found, Found]]:
    """Who searched, and the best of each row and of each column."""
    name = "exact" if request.backend == "auto" else request.backend
    if 0 in (len(queries), len(database)):
        forward, backward = (
            _nothing(table, k) for table, k in zip((queries, database), request.counts, strict=True)
        )
        return name, (forward, backward)
    if name != "exact":
        return name, _by_faiss(queries, database, request, name)
    rule = request.constraint.rule() if request.constraint else ANY
    if queries.device.type != "cpu":
        from corr.search import tiles_torch

        return name, tiles_torch.search(
            queries,
            database,
            request.counts,
            request.metric,
            rule=rule,
            on_progress=request.on_progress,
        )
    from corr.search import exact, pruning

    order, ranges = pruning.plan(rule, len(queries)) or (None, None)
    return name, exact.search(
        queries,
        database,
        request.counts,
        request.metric,
        rule=rule,
        order=order,
        ranges=ranges,
        on_progress=request.on_progress,
    )


def _by_faiss(
    queries: Tensor, database: Tensor, request: Request, name: str
) -> tuple[Found, Found]:
    from corr.search import faiss

    if request.constraint is not None:
        raise OptionError(
            f"search '{name}' cannot keep to a {type(request.constraint).__name__}; use 'exact'"
        )
    k, both_ways = max(request.counts), request.counts[1] > 0
    found = faiss.search(queries, database, k, request.metric, both_ways)
    back = found.reverse or _nothing(database, 0)
    return Found(found.index, found.scores), Found(back.index, back.scores)


def _nothing(table: Tensor, k: int) -> Found:
    scores = torch.zeros(len(table), k, device=table.device)
    return Found(scores.long(), scores)
