"""`corr bench search --large`: as many rows as no matrix of scores would fit for."""

from __future__ import annotations

import torch

from corr.bench.descriptors import draw_tables
from corr.bench.machine import describe_machine, search_precision
from corr.bench.measure import Method, Timing, seconds_of
from corr.bench.options import Options, check_memory, not_below, read_size
from corr.bench.progress import Show
from corr.bench.rates import PROBE
from corr.bench.report import Report, megabytes
from corr.bench.search import MOST_ROWS, NOTES, TABLE, WIDTH, search_row
from corr.bench.searchers import SEARCHERS
from corr.bench.truth import find_truth
from corr.machine import peak_memory
from corr.search import Neighbors, nearest

SIZE = 100_000
MAX_BYTES = 1_000_000_000
"""What the search may take, its tables included."""


def bench_large(options: Options, device: torch.device, show: Show) -> Report:
    """One mutual search with second best, with its progress, timed once.

    Raises:
        OptionError: an option outside what is accepted.
    """
    size = read_size("--large", options.sizes, SIZE, least=1, most=MOST_ROWS)
    width = int(not_below("--dim", options.dim, WIDTH, least=1))
    check_memory(3 * 4 * size * width, f"two tables of {size} rows")
    tables, small = draw_tables(size, width), draw_tables(PROBE, width)
    first, second = tables.first.to(device), tables.second.to(device)
    label = f"{size} x {size}"

    def search() -> Neighbors:
        return nearest(
            first,
            second,
            metric="dot",
            both_ways=True,
            return_second=True,
            backend="exact",
            on_progress=lambda share: show(label, share),
        )

    exact = SEARCHERS["exact"]
    exact.search(small.first.to(device), small.second.to(device))  # compiles
    method = Method("exact", search)
    with peak_memory() as peak:
        seconds, found = seconds_of(method, device)
    show(f"{label}, brute force", 1.0)
    timing = Timing(method, (seconds,), peak.num_bytes, found)
    row = search_row(timing, exact, tables, find_truth(tables))
    row["table_bytes"] = sum(table.numel() * table.element_size() for table in (first, second))
    notes = list(NOTES)
    if peak.num_bytes is not None:
        total = peak.num_bytes + row["table_bytes"]
        notes.append(
            f"memory: {megabytes(row['table_bytes'])} MB of tables and {megabytes(peak.num_bytes)} "
            f"MB to search them, result included, {'below' if total < MAX_BYTES else 'ABOVE'} the "
            f"limit of 1 GB; the matrix of scores would take {4 * size**2 / 1e9:.1f} GB"
        )
    machine = describe_machine(device, search_precision(device))
    return Report("search-large", machine, {"size": size}, TABLE, [row], notes)
