"""Corr's own search: each pair is scored once, in tiles that are folded and forgotten."""

from __future__ import annotations

import torch
from torch import Tensor

from corr.search.neighbors import Best, Neighbors


def search(queries: Tensor, database: Tensor, k: int, metric: str, both_ways: bool) -> Neighbors:
    """The nearest rows; the arguments are those of `nearest`, checked."""
    sizes = len(queries), len(database)
    counts = min(k, sizes[1]), min(k, sizes[0]) if both_ways else 0
    if 0 in sizes:
        forward, backward = (
            Best.nothing(n, c, queries.device) for n, c in zip(sizes, counts, strict=True)
        )
    else:
        forward, backward = _search_tiles(queries, database, metric, counts)
    if metric == "l2":
        forward = _true_distances(queries, database, forward)
        backward = _true_distances(database, queries, backward)
    reverse = Neighbors(backward.index, backward.scores) if both_ways else None
    return Neighbors(forward.index, forward.scores, reverse)


def _search_tiles(
    queries: Tensor, database: Tensor, metric: str, counts: tuple[int, int]
) -> tuple[Best, Best]:
    if queries.device.type == "cpu":
        from corr.search import tiles_cpu

        if metric == "hamming":
            return tiles_cpu.search_bits(queries, database, counts)
        return tiles_cpu.search_products(*as_products(queries, database, metric), counts)
    from corr.search import tiles_torch

    rows, columns = as_products(queries, database, metric)
    forward, backward = tiles_torch.search_products(rows, columns, counts)
    if metric == "hamming":
        num_bits = rows.shape[1]
        for best in (forward, backward):
            best.scores.sub_(num_bits).div_(2)
    return forward, backward


def as_products(queries: Tensor, database: Tensor, metric: str) -> tuple[Tensor, Tensor]:
    """Float32 rows whose inner product rises with the score of the two descriptors."""
    if metric == "hamming":  # +1 and -1: bits that agree less bits that differ
        return _signs(queries), _signs(database)
    queries, database = queries.float(), database.float()
    if metric == "dot":
        return queries, database
    # -|q - d|^2 / 2 = q.d - |q|^2 / 2 - |d|^2 / 2, whose terms are small about the median (the
    # mean would do as well, but leave no whole numbers whole).
    centre = database.median(0).values
    queries, database = queries - centre, database - centre
    half0, half1 = (-0.5 * x.square().sum(1, keepdim=True) for x in (queries, database))
    rows = torch.cat((queries, half0, torch.ones_like(half0)), 1)
    columns = torch.cat((database, torch.ones_like(half1), half1), 1)
    return rows, columns


def _signs(packed: Tensor) -> Tensor:
    shifts = torch.arange(8, dtype=torch.uint8, device=packed.device)
    bits = (packed.unsqueeze(-1) >> shifts) & 1
    return bits.flatten(1).float() * 2 - 1


def _true_distances(queries: Tensor, database: Tensor, best: Best) -> Best:
    """The same neighbours in the order of their distances, computed by differences."""
    if not best.index.numel():
        return best
    index = best.index.sort(dim=1).values
    queries = queries.float()
    scores = torch.stack(
        [-torch.linalg.vector_norm(queries - database[i].float(), dim=1) for i in index.T], dim=1
    )
    order = scores.argsort(dim=1, descending=True, stable=True)
    return Best(index.gather(1, order), scores.gather(1, order))
