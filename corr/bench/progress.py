"""The bar of a benchmark, on the standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

Show = Callable[[str, float], None]
"""Told what is being measured, and which share of it is done."""


@contextmanager
def showing_progress() -> Iterator[Show]:
    """A bar that is gone when the block ends; none where nobody watches."""
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn())
    console = Console(stderr=True)
    with Progress(
        *columns,
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        bar = progress.add_task("", total=1.0)

        def show(what: str, share: float) -> None:
            progress.update(bar, description=what, completed=share)

        yield show
