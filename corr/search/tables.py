"""Descriptors as the tiles of a CPU need them: in panels, in low precision."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import no_type_check

import numpy as np
import torch
from torch import Tensor

from corr.compiled import compiled, in_parallel
from corr.search.candidates import BITS, DOT, L2, Pair
from corr.search.margin import UNIT_EPSILONS, Lengths, margin_of
from corr.search.microkernel import HAS_BF16

FLOAT32, BF16, WORDS = 0, 1, 2
"""What a word of a panel holds: a float32, two bfloat16, or 32 bits."""

BF16_FROM = 1 << 22
"""Products from which two bytes a value pay, though more candidates are left."""

LEAST_ROWS = 2048
"""Rows for which a thread for each table pays."""


@dataclass(frozen=True, eq=False)
class Table:
    """One side of a search."""

    values: np.ndarray
    """(N, D) float32 or float64, or (N, W) words of 32 bits."""
    centre: np.ndarray
    """(D,) subtracted first."""
    weight: np.ndarray
    """(N,) multiplied with then."""
    lengths: Lengths


@dataclass(frozen=True, eq=False)
class Prepared:
    """Both sides of a search, ready for the tiles."""

    table0: Table
    table1: Table
    kind: int
    num_words: int
    """Words of a row in a panel."""
    pair: Pair

    def margins(self) -> tuple[np.ndarray, np.ndarray]:
        """Largest error of a score from the tiles, of each row and of each column."""
        if self.kind == WORDS:
            return np.zeros(len(self.table0.values)), np.zeros(len(self.table1.values))
        first, second = self.table0.lengths, self.table1.lengths
        width = self.table0.values.shape[1]
        margins = margin_of(first, second, width), margin_of(second, first, width)
        return margins[0].numpy(), margins[1].numpy()


def prepare(queries: Tensor, database: Tensor, metric: str) -> Prepared:
    """Measure both sides; neither is empty.

    Args:
        queries: (N, D) floating; (N, B) uint8 for `hamming`; on the CPU.
        database: (M, D) likewise.
        metric: as in `nearest`.
    """
    if metric == "hamming":
        return _prepare_bits(queries.numpy(), database.numpy())
    exact = torch.promote_types(torch.promote_types(queries.dtype, database.dtype), torch.float32)
    values = [x.to(exact).contiguous().numpy() for x in (queries, database)]
    width = queries.shape[1]
    pays = len(queries) * len(database) * width >= BF16_FROM
    kind = BF16 if HAS_BF16 and pays else FLOAT32
    # Distances keep their precision far from the origin when measured from the middle.
    centre = values[1].mean(0, dtype=float) if metric == "l2" else np.zeros(width)
    if metric == "cosine":
        scales: list[float | None] = [None, None]
    else:
        largest = [_largest(x) + _largest(centre) for x in values]
        if metric == "l2":
            largest = [max(largest)] * 2
        scales = [float(2.0 ** -np.ceil(np.log2(most))) if most else 1.0 for most in largest]
    epsilons = [torch.finfo(x.dtype).eps for x in (queries, database)]
    tables: list[Table | None] = [None, None]

    def measure(side: int) -> None:
        scale = scales[side]
        if scale is None:
            weight = _inverse_lengths(values[side], epsilons[side])
        else:
            weight = np.full(len(values[side]), scale)
        tables[side] = _measured(values[side], centre, weight, kind, metric)

    if max(len(x) for x in values) < LEAST_ROWS:
        measure(0)
        measure(1)
    else:
        in_parallel([partial(measure, 0), partial(measure, 1)])
    table0, table1 = tables
    assert table0 is not None and table1 is not None
    metric_number = L2 if metric == "l2" else DOT
    pair = Pair(metric_number, values[0], values[1], table0.weight, table1.weight)
    return Prepared(table0, table1, kind, width if kind == FLOAT32 else -(-width // 2), pair)


def _largest(values: np.ndarray) -> float:
    """The largest magnitude, found without a copy of the values."""
    return max(float(values.max()), -float(values.min()))


def _inverse_lengths(values: np.ndarray, epsilon: float) -> np.ndarray:
    """(N,) 1 for rows of unit length up to rounding of their type, 0 for rows of zeros."""
    length = np.empty(len(values))
    _lengths(values, length)
    inverse = np.divide(1, length, where=length > 0, out=np.zeros(len(length)))
    return np.where(np.abs(length - 1) <= UNIT_EPSILONS * epsilon, 1.0, inverse)


def _measured(
    values: np.ndarray, centre: np.ndarray, weight: np.ndarray, kind: int, metric: str
) -> Table:
    real, low, lost = (np.empty(len(values)) for _ in range(3))
    _measure(values, centre, weight, kind, real, low, lost)
    bias = -0.5 * real**2 if metric == "l2" else np.zeros(len(values))
    return Table(values, centre, weight, Lengths(*map(torch.from_numpy, (real, low, lost, bias))))


def _prepare_bits(queries: np.ndarray, database: np.ndarray) -> Prepared:
    tables = [
        np.pad(x, ((0, 0), (0, -x.shape[1] % 4))).view(np.uint32) for x in (queries, database)
    ]
    nothing = np.zeros(0)
    sides = []
    for table in tables:
        zeros = torch.zeros(len(table), dtype=torch.float64)
        sides.append(Table(table, nothing, nothing, Lengths(zeros, zeros, zeros, zeros)))
    unused = np.zeros((0, 0), np.float32)
    pair = Pair(BITS, unused, unused, nothing, nothing)
    return Prepared(sides[0], sides[1], WORDS, tables[0].shape[1], pair)


@compiled
@no_type_check
def _lengths(values, length):
    for i in range(len(values)):
        total = 0.0
        for d in range(values.shape[1]):
            total += np.float64(values[i, d]) * np.float64(values[i, d])
        length[i] = np.sqrt(total)


@compiled
@no_type_check
def _bf16(value):
    """The 16 bits of the nearest bfloat16, of two as near the even one."""
    bits = np.float32(value).view(np.uint32)
    return (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)


@compiled
@no_type_check
def _measure(values, centre, weight, kind, real, low_length, lost):  # noqa: PLR0917
    """Lengths of the transformed rows, of their low precision, and of the difference."""
    for i in range(len(values)):
        total, low_total, lost_total = 0.0, 0.0, 0.0
        for d in range(values.shape[1]):
            value = (np.float64(values[i, d]) - centre[d]) * weight[i]
            low = np.float32(value)
            if kind == BF16:
                low = np.uint32(_bf16(low) << np.uint32(16)).view(np.float32)
            difference = value - np.float64(low)
            total += value * value
            low_total += np.float64(low) * np.float64(low)
            lost_total += difference * difference
        real[i], low_length[i] = np.sqrt(total), np.sqrt(low_total)
        # The transform itself is rounded, in float64.
        lost[i] = np.sqrt(lost_total) + 2.0**-50 * np.sqrt(total)


@compiled
@no_type_check
def pack(values, centre, weight, kind, names, width, words):  # noqa: PLR0917
    """Write rows in panels of `width`; rows beyond the last are zeros.

    Args:
        values: (N, D) of a table.
        centre: of the table.
        weight: of the table.
        kind: what a word holds.
        names: (T,) the rows to write.
        width: rows of a panel.
        words: (P, W, width) uint32, written.
    """
    words[:] = 0
    for place in range(len(names)):
        i, panel, lane = names[place], place // width, place % width
        for d in range(values.shape[1]):
            if kind == WORDS:
                words[panel, d, lane] = np.uint32(values[i, d])
                continue
            value = np.float32((np.float64(values[i, d]) - centre[d]) * weight[i])
            if kind == FLOAT32:
                words[panel, d, lane] = value.view(np.uint32)
            else:
                half = np.uint32(d & 1) * np.uint32(16)
                words[panel, d >> 1, lane] |= np.uint32(_bf16(value)) << half
