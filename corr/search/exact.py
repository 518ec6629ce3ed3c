"""Corr's own search on a CPU: each pair is scored once, in tiles that are compared and forgotten.

The scores of the tiles are low precision with a certain margin (see `tables`), which leaves few
candidates; these are scored in float64. So the neighbours are those of float64 brute force.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from queue import Empty, SimpleQueue

import numpy as np
import torch
from torch import Tensor

from corr.compiled import in_parallel, in_pieces, num_threads
from corr.search.candidates import Side, absorb, empty_side, finish
from corr.search.microkernel import COLUMNS, ROWS
from corr.search.neighbors import Found
from corr.search.rules import ANY, Rule, with_ceiling
from corr.search.scan import Block, Ranges, scan
from corr.search.tables import Prepared, Table, pack, prepare

BLOCK0 = 64 * ROWS
"""Rows of a block: its panels stay in the second-level cache."""

BLOCK1 = 340 * COLUMNS
"""Columns whose candidates each thread keeps at a time: some 4 MB of them."""

LEAST_PIECE = 4096
"""Rows for which another thread pays."""

ALONE = 1 << 27
"""Products up to which starting a second thread costs more than it saves."""


def search(
    queries: Tensor,
    database: Tensor,
    counts: tuple[int, int],
    metric: str,
    *,
    rule: Rule = ANY,
    order: tuple[np.ndarray, np.ndarray] | None = None,
    ranges: Ranges | None = None,
    on_progress: Callable[[float], None] | None = None,
) -> tuple[Found, Found]:
    """The best of each row and of each column; no table is empty.

    Args:
        queries: on the CPU.
        database: likewise.
        counts: how many to find for each row and for each column; 0 finds none.
        metric: as in `nearest`.
        rule: which pairs are allowed.
        order: the rows and the columns in the order in which to go through them.
        ranges: what of that to score, for groups of rows; all of it when not given.
        on_progress: told the share that is done.
    """
    ready = prepare(queries.detach(), database.detach(), metric)
    weights = ready.pair.weight0, ready.pair.weight1
    scale = 1.0 if metric in ("cosine", "hamming") else float(weights[0][0] * weights[1][0])
    names = order or (np.arange(len(queries)), np.arange(len(database)))
    rule = with_ceiling(rule, metric, scale)
    task = _Search(ready, counts, rule, names, ranges, on_progress)
    task.run()
    forward, backward = (_found(result, metric, ready) for result in task.results)
    return forward, backward


@dataclass(eq=False)
class _Search:
    """One search: the candidates of all rows, and of a block of columns at a time."""

    ready: Prepared
    counts: tuple[int, int]
    rule: Rule
    names: tuple[np.ndarray, np.ndarray]
    ranges: Ranges | None
    on_progress: Callable[[float], None] | None

    def __post_init__(self) -> None:
        tables = self.ready.table0, self.ready.table1
        self.margins = [m[n] for m, n in zip(self.ready.margins(), self.names, strict=True)]
        self.biases = [
            table.lengths.bias.numpy()[n] for table, n in zip(tables, self.names, strict=True)
        ]
        self.results = [_Result(len(n), k) for n, k in zip(self.names, self.counts, strict=True)]
        size0, size1 = (len(n) for n in self.names)
        self.num_steps = -(-size0 // BLOCK0) * -(-size1 // BLOCK1)
        self.num_done = 0

    def run(self) -> None:
        size0, size1 = (len(n) for n in self.names)
        rows = empty_side(self.margins[0], self.counts[0], _padded(size0, ROWS))
        alone = size0 * size1 * self.ready.num_words <= ALONE
        num_workers = 1 if alone else min(num_threads(), -(-size0 // BLOCK0))
        for left in range(0, size1, BLOCK1):
            part = slice(left, left + BLOCK1)
            names = self.names[1][part]
            columns = self._block(self.ready.table1, names, self.biases[1][part], COLUMNS, 0)
            sides = [
                empty_side(self.margins[1][part], self.counts[1], _padded(len(names), COLUMNS))
                for _ in range(num_workers)
            ]
            tops: SimpleQueue[int] = SimpleQueue()
            for top in range(0, size0, BLOCK0):
                tops.put(top)
            limits = [side.limit for side in sides]
            in_parallel(
                [partial(self._work, tops, rows, side, columns, left, limits) for side in sides]
            )
            if self.counts[1]:
                for other in sides[1:]:
                    absorb(sides[0], self.ready.pair, names, True, other)
                self._finish(1, sides[0], names)
        self._finish(0, rows, self.names[0])

    def _work(  # noqa: PLR0917
        self,
        tops: SimpleQueue[int],
        rows: Side,
        side: Side,
        columns: Block,
        left: int,
        limits: list[np.ndarray],
    ) -> None:
        """Scan blocks of rows until none is left; another thread takes others.

        What another thread has found of the columns raises the limits of this one.
        """
        while True:
            try:
                top = tops.get_nowait()
            except Empty:
                return
            part = slice(top, top + BLOCK0)
            names = self.names[0][part]
            ranges = self._ranges_of(top, len(names), left // COLUMNS)
            if ranges is not None:
                for other in limits:
                    np.maximum(side.limit, other, out=side.limit)
                block = self._block(self.ready.table0, names, self.biases[0][part], ROWS, top)
                arguments = ranges, left // COLUMNS, rows, side, self.ready.pair, self.rule
                count = scan(block, columns, self.ready.kind, *arguments)
                self.results[0].num_products += count
            self.num_done += 1
            if self.on_progress is not None:
                self.on_progress(self.num_done / self.num_steps)

    def _block(
        self, table: Table, names: np.ndarray, bias: np.ndarray, width: int, first: int
    ) -> Block:
        padded = _padded(len(names), width)
        words = np.empty((padded // width, self.ready.num_words, width), np.uint32)
        pack(table.values, table.centre, table.weight, self.ready.kind, names, width, words)
        padded_bias = np.zeros(padded, np.float32)
        padded_bias[: len(names)] = bias
        return Block(words, padded_bias, names, first)

    def _ranges_of(self, top: int, num_rows: int, first_panel: int) -> Ranges | None:
        """What to score of a block; None where that is nothing."""
        if self.ranges is None:
            whole = np.array([0, 1]), np.array([0]), np.array([1 << 40])
            return Ranges(*whole, -(-num_rows // ROWS))
        per_group = self.ranges.group * ROWS
        start = self.ranges.start[top // per_group : -(-(top + num_rows) // per_group) + 1]
        low, high = (x[start[0] : start[-1]] for x in (self.ranges.low, self.ranges.high))
        if not ((low < first_panel + BLOCK1 // COLUMNS) & (high > first_panel)).any():
            return None
        return Ranges(start, self.ranges.low, self.ranges.high, self.ranges.group)

    def _finish(self, which: int, side: Side, names: np.ndarray) -> None:
        if self.counts[which]:
            result, turned = self.results[which], bool(which)
            tables = result.index, result.value, result.doubt
            in_pieces(
                lambda start, stop: finish(
                    side, self.ready.pair, names, turned, *tables, start, stop
                ),
                len(names),
                LEAST_PIECE,
            )


class _Result:
    """The best of one side as they are found, in the scale of `exact_score`."""

    def __init__(self, num_rows: int, k: int) -> None:
        self.index = np.full((num_rows, k), -1, np.int64)
        self.value = np.full((num_rows, k), -np.inf)
        self.doubt = np.zeros(num_rows, np.bool_)
        self.num_products = 0


def _found(result: _Result, metric: str, ready: Prepared) -> Found:
    value = result.value
    if metric == "dot":
        value = value / (ready.pair.weight0[0] * ready.pair.weight1[0])
    elif metric == "l2":
        value = -np.sqrt(-2 * value) / ready.pair.weight0[0]
    return Found(
        torch.from_numpy(result.index),
        torch.from_numpy(value.astype(np.float32)),
        int(result.doubt.sum()),
        result.num_products,
    )


def _padded(count: int, width: int) -> int:
    return -(-count // width) * width
