"""`corr bench search`: mutual nearest neighbours by us and by others, checked by brute force."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch

from corr.bench.descriptors import Tables, check_kinds, describe_photographs, draw_tables
from corr.bench.machine import describe_machine, search_precision
from corr.bench.measure import Timing, measure
from corr.bench.options import Options, check_memory, not_below, read_names, read_sizes
from corr.bench.progress import Show
from corr.bench.rates import Rates, as_method
from corr.bench.report import MEMORY, SKIPPED, TIMES, Column, Report, significant
from corr.bench.searchers import LEGEND, Searcher, choose
from corr.bench.truth import Truth, find_truth

SIZES = "1024,8192"
MOST_ROWS = 10_000_000
WIDTH = 128
DESCRIPTORS = ["random", "rootsift", "hardnet", "orb"]
LIMIT_S = 10.0


def percent(share: float) -> str:
    """With all digits that a share of few misses needs."""
    return f"{100 * share:.7g}"


TABLE = (
    Column("descriptors", "descriptors", numeric=False),
    Column("backend", "backend", numeric=False),
    Column("N", "n"),
    Column("M", "m"),
    Column("d", "d"),
    *TIMES,
    Column("GFLOP/s", "gflops", significant),
    MEMORY,
    Column("x first", "ratio", significant),
    Column("re-scored %", "rescored", lambda share: f"{100 * share:.2f}"),
    Column("agree %", "agreement", percent),
    Column("of rows", "num_checked"),
)
NOTES = (
    LEGEND,
    "d: numbers, of orb bits; GFLOP/s: 2 N M d / median, whether the product is made once or "
    "twice; peak MB: above what was in use before; x first: seconds, as multiples of those of the "
    "first backend in the same run",
    "re-scored: rows that the low precision left in doubt; agree: indices equal to those of "
    "float64 brute force (of equal scores the lowest), in both directions (cv2, kornia: the mutual "
    "pairs), of so many rows",
)


def bench_search(options: Options, device: torch.device, show: Show) -> Report:
    """Every backend on every pair of tables, smallest first.

    Raises:
        OptionError: an option outside what is accepted.
        MissingExtraError: faiss was asked for and is not installed.
    """
    searchers = choose(read_names("--backends", options.backends))
    kinds = read_names("--descriptors", options.descriptors) or DESCRIPTORS
    check_kinds(kinds)
    sizes = read_sizes(options.sizes, SIZES, least=1, most=MOST_ROWS)
    width = int(not_below("--dim", options.dim, WIDTH, least=1))
    rounds = options.num_rounds
    limit_s = float(not_below("--limit", options.limit, LIMIT_S, least=0))
    check_memory(3 * 4 * sizes[-1] * width, f"two tables of {sizes[-1]} rows")
    rates = Rates(device, limit_s)
    show("loading", 0.0)
    rates.probe(searchers, width)
    rows: list[dict[str, Any]] = []
    for tables in _all_tables(kinds, sizes, width, show):
        rows += _measure(searchers, tables, rates, rounds, show)
    settings = {"sizes": sizes, "descriptors": kinds, "rounds": rounds, "limit_s": limit_s}
    machine = describe_machine(device, search_precision(device))
    return Report("search", machine, settings, TABLE, rows, NOTES)


def search_row(
    timing: Timing, searcher: Searcher, tables: Tables, truth: Truth, first: Timing | None = None
) -> dict[str, Any]:
    """The numbers of one searcher on one pair of tables.

    Args:
        timing: what was measured.
        searcher: whose it is.
        tables: what was searched.
        truth: what should have been found.
        first: of the searcher that seconds are compared with.
    """
    answer = searcher.answer(timing.output, len(tables.first))
    row = _sizes_of(searcher, tables)
    if answer.backend not in (None, searcher.name):
        row["backend"] = f"{searcher.name}: {answer.backend}"
    num_rows, num_operations = row["n"] + row["m"], 2 * row["n"] * row["m"] * row["d"]
    both = answer.backward is not None
    return {
        **row,
        "num_rounds": len(timing.seconds),
        "median_s": timing.median_s,
        "p90_s": timing.p90_s,
        "gflops": None if tables.is_binary else num_operations / timing.median_s / 1e9,
        "peak_bytes": timing.num_bytes,
        "ratio": None if first is None else timing.median_s / first.median_s,
        "num_rescored": answer.num_rescored,
        "rescored": None if answer.num_rescored is None else answer.num_rescored / num_rows,
        "agreement": truth.agreement(answer),
        "num_checked": len(truth.rows) + (len(truth.columns) if both else 0),
    }


def _measure(
    searchers: Sequence[Searcher], tables: Tables, rates: Rates, rounds: int, show: Show
) -> list[dict[str, Any]]:
    label = f"{tables.kind} {len(tables.first)} x {len(tables.second)}"
    reasons = {s.name: rates.reason_to_skip(s, tables) for s in searchers}
    methods = [as_method(s, tables, rates.device) for s in searchers if reasons[s.name] is None]
    timings = measure(methods, rounds, rates.device, lambda done, of: show(label, done / of))
    by_name = {timing.method.name: timing for timing in timings}
    for timing in timings:
        rates.learn(timing, tables)
    show(f"{label}, brute force", 1.0)
    truth = find_truth(tables) if timings else None
    rows = []
    for searcher in searchers:
        if truth is None or reasons[searcher.name] is not None:
            rows.append({**_sizes_of(searcher, tables), SKIPPED: reasons[searcher.name]})
            continue
        first = by_name.get(searchers[0].name)
        rows.append(search_row(by_name[searcher.name], searcher, tables, truth, first))
    return rows


def _sizes_of(searcher: Searcher, tables: Tables) -> dict[str, Any]:
    return {
        "descriptors": tables.kind,
        "backend": searcher.name,
        "n": len(tables.first),
        "m": len(tables.second),
        "d": tables.width,
    }


def _all_tables(kinds: list[str], sizes: list[int], width: int, show: Show) -> Iterator[Tables]:
    for kind in kinds:
        if kind == "random":
            yield from (draw_tables(size, width) for size in sizes)
        else:
            show(f"describing photographs by {kind}", 0.0)
            yield describe_photographs(kind)
