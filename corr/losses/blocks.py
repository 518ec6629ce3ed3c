"""Sums over a matrix of all pairs, a block of its rows at a time, forwards and backwards."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.utils.checkpoint import checkpoint

BLOCK_VALUES = 1 << 19
"""Of a block: 2 MB in float32. A smaller matrix is one block."""


def by_rows(part: Callable[[slice], Tensor], num_rows: int, num_columns: int) -> Tensor:
    """What `part` makes of the rows of a matrix, one row of the result for each.

    The matrix is never there as a whole. What autograd would keep of a block is computed again in
    the backward pass.

    Args:
        part: from a range of rows to a tensor with as many rows; it must draw no random numbers
            where gradients are wanted.
        num_rows: of the matrix.
        num_columns: likewise, for the size of the blocks.
    """
    size = max(1, BLOCK_VALUES // max(num_columns, 1))
    if size >= num_rows:
        return part(slice(0, num_rows))
    blocks = [slice(row, min(row + size, num_rows)) for row in range(0, num_rows, size)]
    if torch.is_grad_enabled():
        parts = [
            checkpoint(part, rows, use_reentrant=False, preserve_rng_state=False) for rows in blocks
        ]
    else:
        parts = [part(rows) for rows in blocks]
    return torch.cat(parts)


def sums_and_counts(
    values: Float[Tensor, "R B"], counted: Bool[Tensor, "R B"]
) -> Float[Tensor, "R 2"]:
    """Of each row of a block, the sum of what counts, and how much does."""
    total = values.masked_fill(~counted, 0).sum(1)
    return torch.stack((total, counted.sum(1).to(values.dtype)), dim=1)


def mean_of(sums: Float[Tensor, "N 2"]) -> Float[Tensor, ""]:
    """The mean over all that counts, from sums and counts; 0 where nothing does."""
    total, count = sums.unbind(1)
    return total.sum() / count.sum().clamp_min(1)
