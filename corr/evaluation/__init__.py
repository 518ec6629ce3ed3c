"""Benchmarks: one module each, one frame, one table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corr.errors import OptionError

if TYPE_CHECKING:
    from corr.evaluation.benchmark import Benchmark
    from corr.evaluation.report import Report


def _homographies() -> Benchmark[Any, Any, Any, Any]:
    from corr.evaluation.homographies import HomographyBenchmark

    return HomographyBenchmark()


BENCHMARKS: Mapping[str, Callable[[], Benchmark[Any, Any, Any, Any]]] = {
    "homographies": _homographies,
}
"""What `corr evaluate` may name."""


def run(benchmark: str, root: Path, models: Sequence[str], out: Path | None = None) -> Report:
    """The report of `corr evaluate`: every model on every item, shown as a table.

    Args:
        benchmark: one of `BENCHMARKS`.
        root: where its data is.
        models: what `--model` may name for its task.
        out: folder for the JSON and the Markdown.

    Raises:
        OptionError: the benchmark is unknown, or the folder cannot be made.
        ModelError: a model is unknown or cannot do this benchmark.
        DatasetError: nothing to measure at `root`.
    """
    if benchmark not in BENCHMARKS:
        raise OptionError(f"benchmark '{benchmark}' is not known; use {', '.join(BENCHMARKS)}")
    from corr.evaluation.frame import run_benchmark

    return run_benchmark(BENCHMARKS[benchmark](), root, models, out)
