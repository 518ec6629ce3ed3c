"""Descriptors as torch multiplies them, on any device: the sibling of `tables` for tiles of torch.

The margin is derived in `tables`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from corr.search.margin import Lengths, margin_of, unit_weights


@dataclass(frozen=True, eq=False)
class Space:
    """Both sides of a search and how two rows of them are compared."""

    metric: str
    tables: tuple[Tensor, Tensor]
    """As given."""
    low: tuple[Tensor, Tensor]
    """(N, D) in the precision of the tiles."""
    lengths: tuple[Lengths, Lengths]
    weights: tuple[Tensor, Tensor]
    """(N,) float64."""

    @property
    def rounds(self) -> bool:
        """Whether the scores of the tiles are rounded."""
        return self.metric != "hamming"

    @property
    def width(self) -> int:
        """Numbers of a row."""
        return self.low[0].shape[1]

    @property
    def scale(self) -> float:
        """What inner products are multiplied by, beside the lengths of rows."""
        if self.metric in ("cosine", "hamming"):
            return 1.0
        return float(self.weights[0][0] * self.weights[1][0])

    def num_rows(self, second: bool) -> int:
        """Of one side."""
        return len(self.tables[second])

    def margins(self) -> tuple[Tensor, Tensor]:
        """Largest error of a score from the tiles, of each row and of each column."""
        if not self.rounds:
            nothing = [torch.zeros(len(x), device=x.device).double() for x in self.tables]
            return nothing[0], nothing[1]
        first, second = self.lengths
        return margin_of(first, second, self.width), margin_of(second, first, self.width)

    def tile(self, row: slice, column: slice) -> Tensor:
        """(R, C) float32 scores, within the margins."""
        tile = _product(self.low[0][row], self.low[1][column])
        if self.metric == "hamming":  # a quarter of the bits that agree, less those that differ
            tile.mul_(2).sub_(self.width / 2)
        if self.metric == "l2":
            tile += self.lengths[0].bias[row, None].float()
            tile += self.lengths[1].bias[column].float()
        return tile

    def in_tile(self, score: float) -> float:
        """A score of `exact` as the tiles hold it."""
        return self.width / 4 + score / 2 if self.metric == "hamming" else score

    def exact(self, rows: Tensor, columns: Tensor) -> Tensor:
        """(P,) float64 scores of pairs."""
        pair = self.tables[0][rows], self.tables[1][columns]
        if self.metric == "hamming":
            return -_bits(pair[0] ^ pair[1]).sum(1).double()
        first, second = pair[0].double(), pair[1].double()
        if self.metric == "l2":
            score = -0.5 * (first - second).square().sum(1)
        else:
            score = (first * second).sum(1)
        return score * (self.weights[0][rows] * self.weights[1][columns])

    def exact_rows(self, names: Tensor, turned: bool) -> Tensor:
        """(P, M) float64 scores of some rows against all of the other side."""
        others = torch.arange(self.num_rows(not turned), device=names.device)
        scores = torch.empty(len(names), len(others), dtype=torch.float64, device=names.device)
        for spot, name in enumerate(names):
            same = name.expand(len(others))
            scores[spot] = self.exact(others, same) if turned else self.exact(same, others)
        return scores

    def scores(self, value: Tensor) -> Tensor:
        """What `nearest` promises, from `exact`."""
        if self.metric == "dot":
            return value / self.scale
        if self.metric == "l2":
            return -(-2 * value).sqrt() / self.weights[0][0]
        return value


def make_space(queries: Tensor, database: Tensor, metric: str) -> Space:
    """Measure both sides; neither is empty."""
    tables = queries, database
    if metric == "hamming":
        signs = [_bits(x).float() - 0.5 for x in tables]  # +-1/2: products are exact
        ones = [torch.ones(len(x), device=x.device).double() for x in tables]
        empty = Lengths(ones[0], ones[0], ones[0], ones[0])
        return Space(metric, tables, (signs[0], signs[1]), (empty, empty), (ones[0], ones[1]))
    centre = database.double().mean(0) if metric == "l2" else queries.new_zeros(()).double()
    if metric == "cosine":
        weights = [unit_weights(x) for x in tables]
    else:
        largest = [_largest(x) + _largest(centre) for x in tables]
        if metric == "l2":
            largest = [max(largest)] * 2
        scales = [2.0 ** -int(torch.tensor(x).log2().ceil()) if x else 1.0 for x in largest]
        weights = [
            torch.full((len(x),), scale, dtype=torch.float64, device=x.device)
            for x, scale in zip(tables, scales, strict=True)
        ]
    precision = torch.bfloat16 if queries.is_cuda else torch.float32
    sides = [_low(x, centre, w, precision, metric) for x, w in zip(tables, weights, strict=True)]
    return Space(
        metric,
        tables,
        (sides[0][0], sides[1][0]),
        (sides[0][1], sides[1][1]),
        (weights[0], weights[1]),
    )


def _largest(values: Tensor) -> float:
    """The largest magnitude, found without a copy of the values."""
    low, high = torch.aminmax(values)
    return max(float(high), -float(low))


def _low(
    table: Tensor, centre: Tensor, weight: Tensor, precision: torch.dtype, metric: str
) -> tuple[Tensor, Lengths]:
    low = torch.empty(table.shape, dtype=precision, device=table.device)
    own, low_length, residual = (torch.empty_like(weight) for _ in range(3))
    for start in range(0, len(table), 65536):
        part = slice(start, start + 65536)
        real = (table[part].double() - centre) * weight[part, None]
        low[part] = real.float().to(precision)
        own[part] = torch.linalg.vector_norm(real, dim=1)
        low_length[part] = torch.linalg.vector_norm(low[part].double(), dim=1)
        lost = torch.linalg.vector_norm(real - low[part].double(), dim=1)
        residual[part] = lost + 2.0**-50 * own[part]
    bias = -0.5 * own.square() if metric == "l2" else torch.zeros_like(own)
    return low, Lengths(own, low_length, residual, bias)


def _product(first: Tensor, second: Tensor) -> Tensor:
    """Inner products, summed in float32."""
    if first.is_cuda and first.dtype == torch.bfloat16:
        return torch.mm(first, second.T, out_dtype=torch.float32)
    before = torch.backends.cuda.matmul.allow_tf32
    torch.backends.cuda.matmul.allow_tf32 = False
    try:
        return first.float() @ second.float().T
    finally:
        torch.backends.cuda.matmul.allow_tf32 = before


def _bits(packed: Tensor) -> Tensor:
    shifts = torch.arange(8, dtype=torch.uint8, device=packed.device)
    return ((packed.unsqueeze(-1) >> shifts) & 1).flatten(1)
