"""What a search returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from jaxtyping import Float32, Int64
from torch import Tensor

from corr.search.constraints import Constraint


@dataclass(frozen=True, eq=False)
class Neighbors:
    """The database rows that are nearest to each query, best first; equal scores by lowest index.

    Batches have a first dimension more. Where a constraint or a mask leaves a query fewer than `K`,
    the rest has index -1 and score -inf.
    """

    index: Int64[Tensor, "*batch N K"]
    """Rows of the database."""
    scores: Float32[Tensor, "*batch N K"]
    """Rises when better: the inner product or the cosine, or minus the distance."""
    reverse: Neighbors | None = None
    """The queries that are nearest to each database row, where both ways were asked for."""
    second: Float32[Tensor, "*batch N"] | None = None
    """Score of the best row that is not among the `K`, where it was asked for; -inf without one."""
    backend: str = "exact"
    """Who searched: `exact`, `faiss` or `faiss-gpu`."""
    num_rescored: int = 0
    """Queries that the first, low precision left in doubt, so that float64 had to decide."""
    num_products: int = 0
    """Pairs of rows that were scored, where that is known."""


@dataclass(frozen=True, eq=False)
class Found:
    """The best of one side, as a backend finds them."""

    index: Int64[Tensor, "N K"]
    scores: Float32[Tensor, "N K"]
    num_rescored: int = 0
    num_products: int = 0


@dataclass(frozen=True, eq=False)
class Request:
    """What a backend is asked for; see `nearest`."""

    counts: tuple[int, int]
    """How many to find for each row and for each column; 0 finds none."""
    metric: str
    constraint: Constraint | None = None
    backend: str = "auto"
    on_progress: Callable[[float], None] | None = None
