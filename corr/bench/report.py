"""What a benchmark measured, as a table, Markdown and JSON."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from corr.formats.atomic import replacing

SKIPPED = "skipped"
"""Key of a row that says why it was not measured."""


@dataclass(frozen=True)
class Column:
    """One column of the table."""

    title: str
    key: str
    show: Callable[[Any], str] = str
    numeric: bool = True


def significant(value: float) -> str:
    """Three digits that count, and no exponent."""
    if not math.isfinite(value) or value == 0:
        return f"{value:g}"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(value))))}f}"


def megabytes(num_bytes: float | int) -> str:
    """Such as `3.1`, for 3 100 000 bytes."""
    return f"{num_bytes / 1e6:.1f}"


TIMES = (
    Column("rounds", "num_rounds"),
    Column("median s", "median_s", significant),
    Column("p90 s", "p90_s", significant),
)
MEMORY = Column("peak MB", "peak_bytes", megabytes)


@dataclass(frozen=True)
class Report:
    """A table and what it was measured with."""

    name: str
    """Of the files that it is written to."""
    environment: Mapping[str, Any]
    settings: Mapping[str, Any]
    columns: Sequence[Column]
    rows: Sequence[Mapping[str, Any]]
    """Numbers by key; those missing or None are shown as `-`."""
    notes: Sequence[str]
    """What the columns mean, and what was found beside them."""

    def table(self) -> Table:
        """The rows, for a terminal."""
        table = Table(box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
        for column in self.columns:
            table.add_column(
                column.title, justify="right" if column.numeric else "left", overflow="fold"
            )
        for row in self.rows:
            table.add_row(*self.cells(row))
        return table

    def cells(self, row: Mapping[str, Any]) -> list[str]:
        """A row as text; where it was skipped, its time says so."""
        cells = []
        for column in self.columns:
            value = row.get(column.key)
            if column.key == "median_s" and SKIPPED in row:
                cells.append(SKIPPED)
            else:
                cells.append("-" if value is None else column.show(value))
        return cells

    def lines(self) -> list[str]:
        """The notes, what was skipped and why."""
        skipped = [
            f"{SKIPPED}: {self.cells(row)[0]} {self.cells(row)[1]}, {row[SKIPPED]}"
            for row in self.rows
            if SKIPPED in row
        ]
        return [*self.notes, *skipped]

    def markdown(self) -> str:
        """The same table with its notes and what it was run on."""
        lines = [
            f"# corr bench {self.name}",
            "",
            _markdown_row([column.title for column in self.columns]),
            _markdown_row(["---:" if column.numeric else "---" for column in self.columns]),
            *(_markdown_row(self.cells(row)) for row in self.rows),
            "",
            *(f"- {line}" for line in self.lines()),
            "",
            f"Run on: {as_text(self.environment)}. Settings: {as_text(self.settings)}.",
        ]
        return "\n".join(lines) + "\n"

    def write(self, folder: Path) -> list[Path]:
        """Write `<name>.json` and `<name>.md` into a folder that exists; their paths.

        Raises:
            FormatError: a file cannot be written.
        """
        content = {
            "bench": self.name,
            "environment": self.environment,
            "settings": self.settings,
            "rows": [{key: _finite(value) for key, value in row.items()} for row in self.rows],
            "notes": self.lines(),
        }
        texts = {".json": json.dumps(content, indent=1) + "\n", ".md": self.markdown()}
        paths = []
        for suffix, text in texts.items():
            paths.append(folder / f"{self.name}{suffix}")
            with replacing(paths[-1]) as temporary:
                temporary.write_text(text, encoding="utf-8")
        return paths


def as_text(values: Mapping[str, Any]) -> str:
    """Such as `cores 2, threads 2`."""
    return ", ".join(
        f"{key} {' '.join(map(str, value)) if isinstance(value, list | tuple) else value}"
        for key, value in values.items()
    )


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _finite(value: Any) -> Any:
    """The same with None for numbers that JSON cannot hold."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
