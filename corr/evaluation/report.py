"""The numbers of a benchmark run, as a table, Markdown and JSON."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from corr.evaluation.benchmark import Column, Scores
from corr.formats.atomic import replacing

ALL = "all"
"""Name of the group that holds every item."""


@dataclass(frozen=True)
class ItemResult:
    """One model on one item."""

    item: str
    group: str
    scores: Scores
    time_s: float | None
    """Seconds of the model alone; `None` when it failed."""
    error: str | None = None
    """Why it failed."""


@dataclass(frozen=True)
class Row:
    """One model on one group of items."""

    model: str
    group: str
    num_items: int
    num_failed: int
    scores: Scores
    time_s: float | None
    """Mean seconds an item, of those that did not fail."""


@dataclass(frozen=True)
class Report:
    """What a benchmark run found, and everything that fixes it."""

    benchmark: str
    protocol: Mapping[str, Any]
    environment: Mapping[str, Any]
    """Versions and machine: what may move the seconds, and rarely the numbers."""
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    """Every group of a model, then all of it; models in the order asked for."""
    items: Mapping[str, Sequence[ItemResult]]
    """By model."""

    @property
    def protocol_hash(self) -> str:
        """Twelve hexadecimal digits; only numbers with the same ones compare."""
        return protocol_hash(self.benchmark, self.protocol)

    def table(self) -> Table:
        """The rows, for a terminal."""
        title = f"{self.benchmark}, protocol {self.protocol_hash}"
        table = Table(title=title, box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
        for title, numeric in self._titles():
            table.add_column(title, justify="right" if numeric else "left", overflow="fold")
        for row in self.rows:
            whole = row.group == ALL
            table.add_row(*self._cells(row), style="bold" if whole else "", end_section=whole)
        return table

    def markdown(self) -> str:
        """The same table, then the protocol and the failures."""
        titles = self._titles()
        lines = [
            f"# {self.benchmark}",
            "",
            _markdown_row([title for title, _ in titles]),
            _markdown_row(["---:" if numeric else "---" for _, numeric in titles]),
            *(_markdown_row(self._cells(row)) for row in self.rows),
            "",
            f"Protocol `{self.protocol_hash}` (only rows with the same one compare):",
            "",
            *(f"- {key}: {_plain(value)}" for key, value in self.protocol.items()),
            "",
            "Run on: " + ", ".join(f"{k} {_plain(v)}" for k, v in self.environment.items()) + ".",
        ]
        failures = self.failures()
        if failures:
            lines += ["", "Failed, counted with the worst scores:", ""]
            lines += [f"- {failure}" for failure in failures]
        return "\n".join(lines) + "\n"

    def failures(self) -> list[str]:
        """One line for each item that failed."""
        return [
            f"{model}, {result.item}: {result.error}"
            for model, results in self.items.items()
            for result in results
            if result.error is not None
        ]

    def write(self, folder: Path) -> list[Path]:
        """Write `<benchmark>.json` and `<benchmark>.md` into a folder that exists; their paths."""
        content = {
            "benchmark": self.benchmark,
            "protocol_hash": self.protocol_hash,
            "protocol": self.protocol,
            "environment": self.environment,
            "rows": [asdict(row) for row in self.rows],
            "items": {m: [asdict(result) for result in rs] for m, rs in self.items.items()},
        }
        texts = {".json": json.dumps(_finite(content), indent=1) + "\n", ".md": self.markdown()}
        paths = [folder / f"{self.benchmark}{suffix}" for suffix in texts]
        for path, text in zip(paths, texts.values(), strict=True):
            with replacing(path) as temporary:
                temporary.write_text(text, encoding="utf-8")
        return paths

    def _titles(self) -> list[tuple[str, bool]]:
        """Title of each column, and whether it holds numbers."""
        failed = [("failed", True)] if any(row.num_failed for row in self.rows) else []
        scores = [(column.title, True) for column in self.columns]
        return [("model", False), ("of", False), ("items", True), *failed, *scores, ("s", True)]

    def _cells(self, row: Row) -> list[str]:
        failed = [str(row.num_failed)] if any(row.num_failed for row in self.rows) else []
        seconds = "-" if row.time_s is None else f"{row.time_s:.3f}"
        scores = [column.show(row.scores) for column in self.columns]
        return [row.model, row.group, str(row.num_items), *failed, *scores, seconds]


def protocol_hash(benchmark: str, protocol: Mapping[str, Any]) -> str:
    """Twelve hexadecimal digits of the benchmark's name and its protocol."""
    text = json.dumps({"benchmark": benchmark, **protocol}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _markdown_row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _finite(value: Any) -> Any:
    """The same with `None` for numbers that JSON cannot hold."""
    if isinstance(value, Mapping):
        return {key: _finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
