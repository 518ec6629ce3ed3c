"""The numbers of a benchmark run, and their table."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

from rich import box
from rich.table import Table

from corr.evaluation.benchmark import Column, ItemResult, Scores

ALL = "all"
"""Name of the group that holds every item."""

Rows = Literal["all", "group", "item"]
"""What a table shows for each model, beside the row of all items."""

MOST_GROUPS = 10
"""With more of them, a table shows the whole only unless it is asked for more."""


@dataclass(frozen=True)
class Row:
    """One model on one group of items."""

    model: str
    group: str
    num_items: int
    num_failed: int
    scores: Scores
    intervals: Mapping[str, tuple[float, float]]
    """95 % of each number; NaN for a single item."""
    time_s: float | None
    """Median seconds of an item, of those that did not fail."""
    memory_mb: float | None
    """The most that an item needed."""


@dataclass(frozen=True)
class Report:
    """What a run found, and everything that fixes it."""

    benchmark: str
    protocol: Mapping[str, Any]
    environment: Mapping[str, Any]
    """Versions and machine: what may move the seconds, and rarely the numbers."""
    commit: str | None
    """Of the checkout that corr ran from."""
    sha256: Mapping[str, Mapping[str, str]]
    """By model: the files that make a network."""
    columns: tuple[Column, ...]
    baseline: str
    """The model that the others' seconds are divided by."""
    rows: tuple[Row, ...]
    """Every group of a model, then all of it; models in the order asked for."""
    item_rows: tuple[Row, ...]
    """Every item of a model, as a group of its own."""
    items: Mapping[str, Sequence[ItemResult]]
    """By model."""
    variants: Mapping[str, str] = field(default_factory=dict)
    """By model: how the benchmark runs it differently, for those of which that is so. Not in the
    protocol's hash, which the other models share."""

    @property
    def protocol_hash(self) -> str:
        """Twelve hexadecimal digits; only numbers with the same ones compare."""
        return protocol_hash(self.benchmark, self.protocol)

    @property
    def groups(self) -> list[str]:
        """The groups but `ALL`."""
        return list(dict.fromkeys(row.group for row in self.rows if row.group != ALL))

    def row(self, model: str, group: str = ALL) -> Row:
        """The row of a model: of a group, of an item, or of all items when none is named."""
        return self._by_name[model, group]

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str], Row]:
        return {(row.model, row.group): row for row in (*self.item_rows, *self.rows)}

    def failures(self) -> list[str]:
        """One line for each item that failed."""
        return [
            f"{model}, {result.item}: {result.error}"
            for model, results in self.items.items()
            for result in results
            if result.error is not None
        ]

    def table(self, rows: Rows | None = None) -> Table:
        """For a terminal.

        Args:
            rows: as in `cells`.
        """
        title = f"{self.benchmark}, protocol {self.protocol_hash}"
        table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
        for title, numeric in self.titles():
            table.add_column(title, justify="right" if numeric else "left", overflow="fold")
        for cells in self.cells(rows):
            is_interval = cells[0] == ""
            whole = cells[1] == ALL
            style = "dim" if is_interval else "bold" if whole else ""
            last = is_interval or (whole and cells[2] == "1")
            table.add_row(*cells, style=style, end_section=last)
        return table

    def titles(self) -> list[tuple[str, bool]]:
        """Title of each column, and whether it holds numbers."""
        failed = [("failed", True)] if self._any_failed else []
        scores = [(column.title, True) for column in self.columns]
        ratio = [(f"x {self.baseline}", True)] if self.baseline in self.items else []
        ends = [("s", True), *ratio, ("MiB", True)]
        return [("model", False), ("of", False), ("items", True), *failed, *scores, *ends]

    def cells(self, rows: Rows | None = None) -> Iterator[list[str]]:
        """Each row as text; below the row of all items of a model, half the width of its intervals.

        Args:
            rows: a row for each group or item of a model, or for all of it alone; for each group,
                if there are at most `MOST_GROUPS`, when not given.
        """
        if rows is None:
            rows = "group" if len(self.groups) <= MOST_GROUPS else "all"
        for model in self.items:
            parts = self.item_rows if rows == "item" else self.rows if rows == "group" else ()
            shown = [part for part in parts if part.model == model and part.group != ALL]
            for part in shown if len(shown) > 1 or rows == "item" else ():
                yield self._cells(part)
            whole = self.row(model)
            yield self._cells(whole)
            if whole.num_items > 1:
                yield self._interval_cells(whole)

    @property
    def _any_failed(self) -> bool:
        return any(row.num_failed for row in self.rows)

    def _cells(self, row: Row) -> list[str]:
        failed = [str(row.num_failed)] if self._any_failed else []
        scores = [column.show(row.scores) for column in self.columns]
        ends = ["-" if row.time_s is None else f"{row.time_s:.3f}"]
        if self.baseline in self.items:
            base = self.row(self.baseline, row.group).time_s
            ends.append(f"{row.time_s / base:.1f}" if row.time_s and base else "-")
        ends.append("-" if row.memory_mb is None else f"{row.memory_mb:.0f}")
        return [row.model, row.group, str(row.num_items), *failed, *scores, *ends]

    def _interval_cells(self, row: Row) -> list[str]:
        half = {
            key: (high - low) / 2 if low < high else 0.0 * low
            for key, (low, high) in row.intervals.items()
        }
        failed = [""] if self._any_failed else []
        ends = [""] * (len(self.titles()) - 3 - len(failed) - len(self.columns))
        return ["", "± 95 %", "", *failed, *(column.show(half) for column in self.columns), *ends]


def protocol_hash(benchmark: str, protocol: Mapping[str, Any]) -> str:
    """Twelve hexadecimal digits of the benchmark's name and its protocol."""
    text = json.dumps({"benchmark": benchmark, **protocol}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def finite(value: Any) -> Any:
    """The same with `None` for numbers that JSON cannot hold."""
    if isinstance(value, Mapping):
        return {key: finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
