"""Runs models over the items of a benchmark, and carries on when one fails."""

from __future__ import annotations

import logging
import os
import platform
import time
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from corr.errors import MissingExtraError, OptionError
from corr.evaluation.benchmark import Benchmark
from corr.evaluation.report import ALL, ItemResult, Report, Row, protocol_hash

Item = TypeVar("Item")
Inputs = TypeVar("Inputs")
Model = TypeVar("Model")
Output = TypeVar("Output")

_PACKAGES = ("corr-toolkit", "numpy", "torch", "opencv-python-headless", "numba")


def run_benchmark(
    benchmark: Benchmark[Item, Inputs, Model, Output],
    root: Path,
    models: Sequence[str],
    out: Path | None = None,
    *,
    console: Console | None = None,
) -> Report:
    """The report of every model on every item; shown as a table, and written when `out` is given.

    What cannot work is refused before anything runs. Each model runs once untimed on the first
    item, so that loading and compiling are in nobody's seconds.

    Args:
        benchmark: what to run.
        root: where its data is.
        models: what `--model` may name for its task, in the order of the table.
        out: folder for the JSON and the Markdown; made when missing.
        console: where the table goes; the standard output when not given.

    Raises:
        OptionError: no models, or a folder that cannot be made.
        ModelError: a model is unknown or cannot do this benchmark.
        DatasetError: nothing to measure at `root`.
        MissingExtraError: a model needs a package that is not installed.
    """
    models = list(dict.fromkeys(models))
    if not models:
        raise OptionError("no models were given; name at least one, such as --models sift,rootsift")
    for model in models:
        benchmark.check(model)
    items = benchmark.items(root)
    if out is not None:
        _make_folder(out)
    console = console or _console()
    _show_protocol(benchmark, console)
    results: dict[str, list[ItemResult]] = {}
    with _progress() as progress:
        for model in models:
            bar = progress.add_task(model, total=len(items))
            prepared = benchmark.prepare(model)
            _warm_up(benchmark, prepared, items[0])
            results[model] = []
            for item in items:
                results[model].append(_measure(benchmark, prepared, item))
                progress.advance(bar)
    rows = [row for model in models for row in _rows(benchmark, model, results[model])]
    report = Report(
        benchmark.name,
        benchmark.protocol,
        _environment(),
        benchmark.columns,
        tuple(rows),
        results,
    )
    _show(report, console, [] if out is None else report.write(out))
    return report


def _measure(
    benchmark: Benchmark[Item, Inputs, Model, Output], model: Model, item: Item
) -> ItemResult:
    """One model on one item; whatever goes wrong with it is its result, not the end of the run."""
    label, group = benchmark.label(item), benchmark.group(item)
    try:
        inputs = benchmark.read(item)
        start = time.perf_counter()
        output = benchmark.run(model, inputs)
        seconds = time.perf_counter() - start
        return ItemResult(label, group, benchmark.score(item, inputs, output), seconds)
    except MissingExtraError:  # of the installation, not of the item
        raise
    except Exception as error:
        logging.getLogger(__name__).debug("%s failed", label, exc_info=True)
        reason = f"{type(error).__name__}: {str(error).strip() or 'no message'}".splitlines()[0]
        return ItemResult(label, group, benchmark.worst(), None, reason)


def _warm_up(benchmark: Benchmark[Item, Inputs, Model, Output], model: Model, item: Item) -> None:
    _measure(benchmark, model, item)


def _rows(
    benchmark: Benchmark[Item, Inputs, Model, Output], model: str, results: Sequence[ItemResult]
) -> list[Row]:
    groups = dict.fromkeys(result.group for result in results)
    chosen = {group: [r for r in results if r.group == group] for group in groups}
    chosen[ALL] = list(results)
    rows = []
    for group, members in chosen.items():
        times = [result.time_s for result in members if result.time_s is not None]
        rows.append(
            Row(
                model,
                group,
                len(members),
                sum(result.error is not None for result in members),
                benchmark.aggregate([result.scores for result in members]),
                sum(times) / len(times) if times else None,
            )
        )
    return rows


def _environment() -> dict[str, Any]:
    import torch

    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        **versions,
        "platform": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count() or 1,
        "threads": torch.get_num_threads(),
        "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else "none",
    }


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(f"folder '{path}' cannot be made: {error.strerror}") from error
    if not os.access(path, os.W_OK):
        raise OptionError(f"folder '{path}' cannot be written to; give another one")


def _console() -> Console:
    """The standard output; a file or a pipe is as wide as the table."""
    console = Console()
    return console if console.is_terminal else Console(width=120)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)


def _show_protocol(benchmark: Benchmark[Item, Inputs, Model, Output], console: Console) -> None:
    digest = protocol_hash(benchmark.name, benchmark.protocol)
    console.print(f"Protocol {digest}", style="bold", highlight=False)
    for key, value in benchmark.protocol.items():
        console.print(f"  {key}: {value}", highlight=False, markup=False, soft_wrap=True)


def _show(report: Report, console: Console, written: Sequence[Path]) -> None:
    console.print(report.table())
    for failure in report.failures():
        console.print(f"failed: {failure}", style="red", markup=False, soft_wrap=True)
    for path in written:
        console.print(f"wrote {path}", markup=False, highlight=False, soft_wrap=True)
