"""How long a search is going to take, so that one that takes too long is not begun."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from corr.bench.descriptors import Tables, draw_tables
from corr.bench.measure import Method, Timing, seconds_of
from corr.bench.searchers import Searcher
from corr.resources import available_memory

PROBE = 2048
"""Rows of the search that foretells the time of the first one."""


@dataclass
class Rates:
    """Seconds that a pair of rows takes each searcher, by its largest search so far."""

    device: torch.device
    limit_s: float
    """What would take longer is skipped."""
    known: dict[str, float] = field(default_factory=dict)

    def probe(self, searchers: Sequence[Searcher], width: int) -> None:
        """Compile and load everything, and learn the rates of a small search."""
        tables = draw_tables(PROBE, width)
        for searcher in searchers:
            if self._unfit(searcher, tables) is None:
                method = as_method(searcher, tables, self.device)
                seconds = min(seconds_of(method, self.device)[0] for _ in range(2))
                self.known[searcher.name] = seconds / PROBE**2

    def reason_to_skip(self, searcher: Searcher, tables: Tables) -> str | None:
        """Why not to search these tables; None where nothing speaks against it."""
        unfit = self._unfit(searcher, tables)
        if unfit is not None:
            return unfit
        seconds = self.known[searcher.name] * tables.num_pairs
        if seconds > self.limit_s:
            return f"it would take about {seconds:.0f} s"
        needed, room = searcher.bytes_a_pair * tables.num_pairs, available_memory(self.device)
        if room is not None and needed > room / 2:
            return f"it would take {needed / 1e9:.0f} GB, and {room / 1e9:.0f} GB are free"
        return None

    def learn(self, timing: Timing, tables: Tables) -> None:
        """Keep the rate of a search for those that follow."""
        if not tables.is_binary:
            self.known[timing.method.name] = min(timing.seconds) / tables.num_pairs

    def _unfit(self, searcher: Searcher, tables: Tables) -> str | None:
        if searcher.cpu_only and self.device.type != "cpu":
            return "it takes tables on the CPU only"
        if tables.is_binary and not searcher.takes_bits:
            return "it does not compare bits"
        return None


def as_method(searcher: Searcher, tables: Tables, device: torch.device) -> Method:
    """A search of these tables on a device, to be timed."""
    first, second = tables.first.to(device), tables.second.to(device)
    return Method(searcher.name, lambda: searcher.search(first, second))
