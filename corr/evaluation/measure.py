"""One model on one item: its result, seconds and memory, or the error that it raised."""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Callable
from typing import TypeVar

from corr.errors import MissingExtraError
from corr.evaluation.benchmark import Benchmark, ItemResult
from corr.evaluation.candidates import Candidate
from corr.machine import peak_memory

Item = TypeVar("Item")
Inputs = TypeVar("Inputs")
Output = TypeVar("Output")

MAX_RUNS = 5
REPEAT_WITHIN_S = 0.5
"""A quick model is run again while all its runs together take less than this."""
_MIB = 1 << 20


def measure(
    benchmark: Benchmark[Item, Inputs, Output],
    candidate: Candidate,
    item: Item,
    read: Callable[[], Inputs],
) -> ItemResult:
    """Scores, median seconds and peak memory; whatever goes wrong is the item's result.

    Args:
        benchmark: what to measure.
        candidate: the model.
        item: what to measure it on.
        read: gives the item's inputs; not timed.

    Raises:
        MissingExtraError: a package is missing, which is of the installation and not of the item.
    """
    label, group = benchmark.label(item), benchmark.group(item)
    try:
        inputs = read()
        if candidate.results is not None:
            output = read_result(benchmark, candidate, item, inputs)
            return ItemResult(label, group, dict(benchmark.score(item, inputs, output)))
        with peak_memory() as peak:
            start = time.perf_counter()
            output = benchmark.run(candidate.name, inputs)
            seconds = [time.perf_counter() - start]
        while len(seconds) < MAX_RUNS and sum(seconds) < REPEAT_WITHIN_S:
            start = time.perf_counter()
            benchmark.run(candidate.name, inputs)
            seconds.append(time.perf_counter() - start)
        scores = dict(benchmark.score(item, inputs, output))
        memory_mb = None if peak.num_bytes is None else peak.num_bytes / _MIB
        return ItemResult(label, group, scores, statistics.median(seconds), memory_mb)
    except MissingExtraError:
        raise
    except Exception as error:  # a model may raise anything
        logging.getLogger(__name__).debug("%s failed", label, exc_info=True)
        reason = f"{type(error).__name__}: {str(error).strip() or 'no message'}".splitlines()[0]
        return ItemResult(label, group, dict(benchmark.worst(item)), error=reason)


def read_result(
    benchmark: Benchmark[Item, Inputs, Output], candidate: Candidate, item: Item, inputs: Inputs
) -> Output:
    """What was computed elsewhere for an item.

    Raises:
        FormatError: there is no such file, or it does not fit the item.
    """
    path = candidate.result_of(benchmark.label(item), benchmark.suffixes)
    return benchmark.read_output(path, inputs)


def warm_up(
    benchmark: Benchmark[Item, Inputs, Output], candidate: Candidate, read: Callable[[], Inputs]
) -> None:
    """Run once, or as much as the benchmark says, so that loading is in nobody's seconds.

    Args:
        benchmark: what is going to be measured.
        candidate: the model.
        read: gives the inputs of an item.

    Raises:
        MissingExtraError: a package is missing.
    """
    if candidate.results is not None:
        return
    try:
        benchmark.warm_up(candidate.name, read())
    except MissingExtraError:
        raise
    except Exception:  # the item's own measurement will say what is wrong
        logging.getLogger(__name__).debug("%s did not warm up", candidate.name, exc_info=True)
