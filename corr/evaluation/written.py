"""A report as files: JSON with every item, CSV, Markdown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from corr.evaluation.report import Report, Rows, finite
from corr.formats.atomic import replacing


def write_report(report: Report, folder: Path, rows: Rows | None = None) -> list[Path]:
    """Write `<benchmark>.json`, `.csv` and `.md` into a folder that exists; their paths.

    Args:
        report: what to write.
        folder: where to.
        rows: what the table in the Markdown shows, as in `Report.cells`.

    Raises:
        FormatError: a file cannot be written.
    """
    texts = {".json": _json(report), ".csv": _csv(report), ".md": markdown(report, rows)}
    paths = []
    for suffix, text in texts.items():
        paths.append(folder / f"{report.benchmark}{suffix}")
        with replacing(paths[-1]) as temporary:
            temporary.write_text(text, encoding="utf-8")
    return paths


def markdown(report: Report, rows: Rows | None = None) -> str:
    """The table, the protocol, what it was run on, and the failures."""
    titles = report.titles()
    lines = [
        f"# {report.benchmark}",
        "",
        _line([title for title, _ in titles]),
        _line(["---:" if numeric else "---" for _, numeric in titles]),
        *map(_line, report.cells(rows)),
        "",
        "±: half the width of the 95 % interval over other items of the same kind (bootstrap); s: "
        "median seconds of an item; MiB: peak memory beyond what was in use.",
        "",
        f"Protocol `{report.protocol_hash}` (only rows with the same one compare):",
        "",
        *(f"- {key}: {_plain(value)}" for key, value in report.protocol.items()),
        *(f"- of {model}: {variant}" for model, variant in report.variants.items()),
        "",
        "Run on: " + ", ".join(f"{k} {_plain(v)}" for k, v in report.environment.items()) + ".",
    ]
    if report.commit:
        lines.append(f"Commit: `{report.commit}`.")
    for model, files in report.sha256.items():
        lines += [f"{model}: `{file}` has sha256 `{digest}`." for file, digest in files.items()]
    failures = report.failures()
    if failures:
        lines += ["", "Failed, counted with the worst scores:", ""]
        lines += [f"- {failure}" for failure in failures]
    return "\n".join(lines) + "\n"


def _json(report: Report) -> str:
    content = {
        "benchmark": report.benchmark,
        "protocol_hash": report.protocol_hash,
        "protocol": report.protocol,
        "variants": report.variants,
        "environment": report.environment,
        "commit": report.commit,
        "sha256": report.sha256,
        "rows": [asdict(row) for row in report.rows],
        "items": {m: [asdict(result) for result in rs] for m, rs in report.items.items()},
    }
    return json.dumps(finite(content), indent=1) + "\n"


def _csv(report: Report) -> str:
    """A line for each row; each number with the ends of its interval."""
    keys = list(report.rows[0].scores)
    ends = [f"{key}{end}" for key in keys for end in ("", "_low", "_high")]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["model", "group", "num_items", "num_failed", *ends, "time_s", "memory_mb"])
    for row in report.rows:
        numbers = [x for key in keys for x in (row.scores[key], *row.intervals[key])]
        cells = [*numbers, row.time_s, row.memory_mb]
        writer.writerow([row.model, row.group, row.num_items, row.num_failed, *map(_cell, cells)])
    return text.getvalue()


def _cell(value: float | None) -> str:
    return "" if value is None or value != value else f"{value:.9g}"  # noqa: PLR0124 - NaN


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
