"""What a search returns."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float32, Int64
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Neighbors:
    """The database rows that are nearest to each query, best first; equal scores by lowest index.

    `K` is the number asked for, or all there are where the database is smaller.
    """

    index: Int64[Tensor, "N K"]
    """Rows of the database."""
    scores: Float32[Tensor, "N K"]
    """Rises when better: the inner product, or minus the distance."""
    reverse: Neighbors | None = None
    """The queries that are nearest to each database row, where both ways were asked for."""
    backend: str = "exact"
    """Who searched: `exact`, `faiss` or `faiss-gpu`."""


@dataclass(frozen=True, eq=False)
class Best:
    """The best `K` candidates of each row of one side, best first."""

    index: Int64[Tensor, "N K"]
    scores: Float32[Tensor, "N K"]

    @classmethod
    def nothing(cls, num_rows: int, k: int, device: torch.device | None = None) -> Best:
        """No candidate seen yet."""
        index = torch.zeros(num_rows, k, dtype=torch.int64, device=device)
        return cls(index, torch.full(index.shape, -torch.inf, device=device))
