"""Runs models over the items of a benchmark, and carries on when one fails."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
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

from corr.errors import OptionError
from corr.evaluation.aggregation import bootstrap_intervals, score_table
from corr.evaluation.benchmark import Benchmark, ItemResult
from corr.evaluation.cache import Cache
from corr.evaluation.candidates import Candidate
from corr.evaluation.measure import measure, warm_up
from corr.evaluation.report import ALL, Report, Row, protocol_hash
from corr.evaluation.source import commit
from corr.machine import environment

Item = TypeVar("Item")
Inputs = TypeVar("Inputs")
Output = TypeVar("Output")


def run_benchmark(
    benchmark: Benchmark[Item, Inputs, Output],
    root: Path,
    models: Sequence[str],
    cache: Cache,
    *,
    console: Console | None = None,
) -> Report:
    """The report of every model on every item; its protocol is shown before.

    What cannot work is refused before anything runs. Each result goes into the cache as soon as it
    is there, so that a run that was stopped goes on where it was.

    Args:
        benchmark: what to run.
        root: where its data is.
        models: what `--models` may name, in the order of the table.
        cache: results of earlier runs, and the place for those of this one.
        console: where the protocol goes; the standard output when not given.

    Raises:
        OptionError: no models.
        ModelError: a model is unknown or cannot do this benchmark.
        DatasetError: nothing to measure at `root`.
        MissingExtraError: a model needs a package that is not installed.
    """
    models = list(dict.fromkeys(models))
    if not models:
        raise OptionError("no models were given; name at least one, such as --models sift,rootsift")
    candidates = [benchmark.candidate(model) for model in models]
    items = benchmark.items(root)
    console = console or open_console()
    digest = protocol_hash(benchmark.name, benchmark.protocol)
    console.print(f"{benchmark.name}, protocol {digest}", style="bold", highlight=False)
    for key, value in benchmark.protocol.items():
        console.print(f"  {key}: {value}", highlight=False, markup=False, soft_wrap=True)
    variants = {candidate.name: candidate.variant for candidate in candidates if candidate.variant}
    for model, variant in variants.items():
        console.print(f"  of {model}: {variant}", highlight=False, markup=False, soft_wrap=True)
    results: dict[str, list[ItemResult]] = {candidate.name: [] for candidate in candidates}
    runs = [_Run(benchmark, candidate, root, cache, digest) for candidate in candidates]
    with _progress() as progress:
        bars = [progress.add_task(candidate.name, total=len(items)) for candidate in candidates]
        for item in items:  # models take turns, so that a busy moment of the machine hits them all
            read = lru_cache(maxsize=1)(partial(benchmark.read, item))
            for candidate, run, bar in zip(candidates, runs, bars, strict=True):
                results[candidate.name].append(run.result(item, read))
                progress.advance(bar)
    num_found = sum(run.num_found for run in runs)
    if num_found:
        total = len(items) * len(candidates)
        console.print(
            f"{num_found} of {total} results are from '{cache.folder}'",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    return Report(
        benchmark.name,
        benchmark.protocol,
        environment(),
        commit(),
        {candidate.name: candidate.sha256 for candidate in candidates},
        benchmark.columns,
        benchmark.baseline,
        tuple(row for model in models for row in _group_rows(benchmark, model, results[model])),
        tuple(
            _row(benchmark, model, result.item, [result])
            for model in models
            for result in results[model]
        ),
        results,
        variants,
    )


class _Run:
    """One model on the items: looked up, or else measured and kept."""

    def __init__(
        self,
        benchmark: Benchmark[Any, Any, Any],
        candidate: Candidate,
        root: Path,
        cache: Cache,
        digest: str,
    ) -> None:
        self._benchmark, self._candidate, self._root = benchmark, candidate, root
        self._cache, self._digest = cache, digest
        self._warm = False
        self.num_found = 0

    def result(self, item: Any, read: Callable[[], Any]) -> ItemResult:
        """Of an item. Results computed elsewhere are read each time, failures tried again.

        Args:
            item: what to measure.
            read: gives its inputs, when they are needed.
        """
        key = self._key(item)
        found = None if key is None else self._cache.find(key)
        if found is not None:
            self.num_found += 1
            return found
        if not self._warm:
            warm_up(self._benchmark, self._candidate, read)
            self._warm = True
        measured = measure(self._benchmark, self._candidate, item, read)
        if key is not None and measured.error is None:
            self._cache.keep(key, measured)
        return measured

    def _key(self, item: Any) -> str | None:
        if self._candidate.results is not None:
            return None
        try:
            made_of = self._benchmark.identity(item, self._root)
        except OSError:  # reading the item will say so
            return None
        label = self._benchmark.label(item)
        return self._cache.key(self._candidate.identity, self._digest, label, made_of)


def _group_rows(
    benchmark: Benchmark[Item, Inputs, Output], model: str, results: Sequence[ItemResult]
) -> Iterator[Row]:
    """Every group, then all."""
    for group in dict.fromkeys(result.group for result in results):
        yield _row(benchmark, model, group, [r for r in results if r.group == group])
    yield _row(benchmark, model, ALL, results)


def _row(
    benchmark: Benchmark[Item, Inputs, Output],
    model: str,
    name: str,
    results: Sequence[ItemResult],
) -> Row:
    table = score_table([result.scores for result in results])
    times = [result.time_s for result in results if result.time_s is not None]
    memories = [result.memory_mb for result in results if result.memory_mb is not None]
    return Row(
        model,
        name,
        len(results),
        sum(result.error is not None for result in results),
        {key: float(value) for key, value in benchmark.aggregate(table).items()},
        bootstrap_intervals(benchmark.aggregate, table),
        statistics.median(times) if times else None,
        max(memories) if memories else None,
    )


def open_console() -> Console:
    """The standard output; a file or a pipe is as wide as the table."""
    console = Console()
    return console if console.is_terminal else Console(width=200)


def _progress() -> Progress:
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    return Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True)
