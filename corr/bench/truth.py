"""The nearest rows by float64 brute force, and how far an answer agrees with them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64, UInt8
from torch import Tensor

from corr.bench.descriptors import Tables

MAX_PRODUCTS = 10_000_000_000
"""Products of numbers spent in each direction; larger tables are checked on a sample of rows."""

LEAST_ROWS = 64

_TILE = 1 << 23
"""Scores of a tile: 64 MB."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What a method found."""

    forward: Int64[Tensor, " N"]
    """The database row nearest to each query; -1 for none."""
    backward: Int64[Tensor, " M"] | None
    """The query nearest to each database row; None of a method that returns only pairs that are
    each other's nearest, of which `forward` has the partners."""
    num_rescored: int | None = None
    """Rows of both sides that were scored again in float64, where that is done."""
    backend: str | None = None
    """Who searched, where another was asked for."""


@dataclass(frozen=True, eq=False)
class Truth:
    """The nearest of some rows of each side."""

    rows: Int64[Tensor, " R"]
    forward: Int64[Tensor, " R"]
    partner: Int64[Tensor, " R"]
    """As `forward` where that is mutual, else -1."""
    columns: Int64[Tensor, " C"]
    backward: Int64[Tensor, " C"]

    def agreement(self, answer: Answer) -> float:
        """Share of the checked rows, in both directions, whose index is the same."""
        found = answer.forward.cpu()[self.rows]
        if answer.backward is None:
            return float((found == self.partner).double().mean())
        back = answer.backward.cpu()[self.columns]
        same = torch.cat((found == self.forward, back == self.backward))
        return float(same.double().mean())


def find_truth(tables: Tables) -> Truth:
    """Search by brute force, for as many rows as `MAX_PRODUCTS` allow, drawn with a fixed seed."""
    queries, database = tables.first.cpu(), tables.second.cpu()
    if tables.is_binary:  # the inner product of signs falls by 2 with each bit that differs
        queries, database = _signs(queries), _signs(database)
    rows = _sample(len(queries), database.numel())
    forward = nearest_float64(queries[rows], database)
    columns = torch.unique(torch.cat((_sample(len(database), queries.numel()), forward)))
    backward = nearest_float64(database[columns], queries)
    mutual = backward[torch.searchsorted(columns, forward)] == rows
    return Truth(rows, forward, torch.where(mutual, forward, -1), columns, backward)


def nearest_float64(
    queries: Float32[Tensor, "N D"],
    database: Float32[Tensor, "M D"],
    allowed: Bool[Tensor, "N M"] | None = None,
) -> Int64[Tensor, " N"]:
    """The database row of the largest inner product with each query; of equal ones the lowest.

    Products of two float32 are exact in float64. A matrix product adds them in an order of its
    own, so where several rows lie within its rounding of the best, theirs are added again and
    rounded once.

    Args:
        queries: on the CPU.
        database: likewise; at least one row.
        allowed: which pairs may be neighbours; -1 is found for a query that has none.
    """
    width = queries.shape[1]
    rows, columns = queries.double(), database.double()
    lengths = torch.linalg.vector_norm(rows, dim=1) * torch.linalg.vector_norm(columns, dim=1).max()
    slack = 2 * width * torch.finfo(torch.float64).eps * lengths
    index = torch.empty(len(rows), dtype=torch.int64)
    step = max(1, _TILE // len(columns))
    for top in range(0, len(rows), step):
        part = slice(top, top + step)
        scores = rows[part] @ columns.T
        if allowed is not None:
            scores.masked_fill_(~allowed[part], -torch.inf)
        limit = (scores.amax(1) - slack[part]).unsqueeze(1)
        close = (scores >= limit) & (scores > -torch.inf)
        index[part] = torch.where(close.any(1), close.to(torch.uint8).argmax(1), -1)
        for doubtful in (close.sum(1) > 1).nonzero().flatten().tolist():
            candidates = close[doubtful].nonzero().flatten()
            products = (rows[top + doubtful] * columns[candidates]).tolist()
            sums = [math.fsum(terms) for terms in products]
            index[top + doubtful] = candidates[sums.index(max(sums))]
    return index


def _signs(packed: UInt8[Tensor, "N B"]) -> Float32[Tensor, "N D"]:
    return torch.from_numpy(2.0 * np.unpackbits(packed.numpy(), axis=1) - 1).float()


def _sample(num_rows: int, num_products: int) -> Int64[Tensor, " R"]:
    """Rows to check, in order, when each costs so many products."""
    wanted = max(LEAST_ROWS, MAX_PRODUCTS // max(num_products, 1))
    if wanted >= num_rows:
        return torch.arange(num_rows)
    generator = torch.Generator().manual_seed(0)
    return torch.randperm(num_rows, generator=generator)[:wanted].sort().values
