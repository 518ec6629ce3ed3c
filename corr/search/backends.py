"""Who searches: the one asked for, or the one that suits the tables."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from corr.errors import OptionError
from corr.search.constraints import RowBand
from corr.search.exclusion import Exclusion, turned
from corr.search.neighbors import Found, Request
from corr.search.rules import ANY, Rule

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
    return name, _by_corr(queries, database, request, rule)


def _by_corr(
    queries: Tensor, database: Tensor, request: Request, rule: Rule
) -> tuple[Found, Found]:
    if queries.device.type != "cpu":
        from corr.search import tiles_torch

        return tiles_torch.search(
            queries,
            database,
            request.counts,
            request.metric,
            rule=rule,
            on_progress=request.on_progress,
        )
    from corr.search import exact, pruning

    order, ranges = pruning.plan(rule, len(queries)) or (None, None)
    return exact.search(
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
    k, both_ways, gpu = max(request.counts), request.counts[1] > 0, name == "faiss-gpu"
    band = request.constraint
    if band is None:
        from corr.search import faiss

        found = faiss.search(queries, database, k, request.metric, both_ways, gpu=gpu)
    elif isinstance(band, RowBand):
        from corr.search.faiss_rows import search_row_band

        found = search_row_band(
            queries,
            database,
            k,
            request.metric,
            both_ways,
            points0=torch.from_numpy(band.points0),
            points1=torch.from_numpy(band.points1),
            max_disparity=band.max_disparity,
            tolerance=band.tolerance,
            gpu=gpu,
        )
    elif isinstance(band, Exclusion):
        return _by_faiss_excluding(queries, database, request, band.rule())
    else:
        raise OptionError(
            f"search '{name}' cannot keep to a {type(band).__name__}, only to a RowBand or an "
            "Exclusion; use 'exact'"
        )
    back = found.reverse or _nothing(database, 0)
    return Found(found.index, found.scores), Found(back.index, back.scores)


def _by_faiss_excluding(
    queries: Tensor, database: Tensor, request: Request, rule: Rule
) -> tuple[Found, Found]:
    """FAISS's neighbours that are not excluded, for which it is asked for more than are sought."""
    from corr.search import widening

    def one_way(rows: Tensor, columns: Tensor, k: int, rule: Rule) -> Found:
        if k == 0:
            return _nothing(rows, 0)
        return widening.search_allowed(
            partial(_faiss_one_way, request), partial(_exact_one_way, request), rows, columns, k,
            request.metric, rule,
        )  # fmt: skip

    return (
        one_way(queries, database, request.counts[0], rule),
        one_way(database, queries, request.counts[1], turned(rule)),
    )


def _faiss_one_way(request: Request, queries: Tensor, database: Tensor, k: int) -> Found:
    plain = replace(request, counts=(k, 0), constraint=None)
    return _by_faiss(queries, database, plain, request.backend)[0]


def _exact_one_way(
    request: Request, queries: Tensor, database: Tensor, k: int, rule: Rule
) -> Found:
    return _by_corr(queries, database, replace(request, counts=(k, 0)), rule)[0]


def _nothing(table: Tensor, k: int) -> Found:
    scores = torch.zeros(len(table), k, device=table.device)
    return Found(scores.long(), scores)
