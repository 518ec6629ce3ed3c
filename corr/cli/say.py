"""Plain lines on the standard output."""

from __future__ import annotations

import sys
from collections.abc import Sequence


def say(line: str) -> None:
    """Write one line."""
    sys.stdout.write(f"{line}\n")


def say_columns(rows: Sequence[Sequence[str]]) -> None:
    """Write rows in columns, two spaces apart."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        say("  ".join(padded).rstrip())
