"""Runs a benchmark, shows its table and writes its report."""

from __future__ import annotations

import os
from dataclasses import asdict, replace
from pathlib import Path

import torch
from rich.console import Console

from corr.bench.images import TASKS, bench_images
from corr.bench.large import bench_large
from corr.bench.options import Options
from corr.bench.progress import Show, showing_progress
from corr.bench.report import Report, as_text
from corr.bench.rowband import bench_rowband
from corr.bench.search import bench_search
from corr.errors import OptionError
from corr.formats.atomic import make_folder
from corr.resources import resolve_device

BUSY = 0.5
"""Load for each core from which other work disturbs a measurement."""

BENCHES = ("search", *TASKS)

_ACCEPTED = {
    "search": ("sizes", "dim", "backends", "descriptors", "rounds", "limit"),
    "search --large": ("sizes", "dim"),
    "search --rowband": ("sizes", "rounds"),
    **dict.fromkeys(TASKS, ("sizes", "models", "rounds")),
}
"""The options that each case goes by, beside those that choose it."""


def run(
    bench: str,
    options: Options,
    *,
    device: str | torch.device | None = None,
    out: Path | None = None,
    console: Console | None = None,
) -> Report:
    """The report of `corr bench`, shown as a table.

    Args:
        bench: one of `BENCHES`.
        options: those of that benchmark.
        device: where to compute; the best one present when not given.
        out: folder for the report as JSON and Markdown.
        console: where the table goes; the standard output when not given.

    Raises:
        OptionError: an option is not accepted, or the folder cannot be made.
        ModelError: a model is unknown or of another task.
        MissingExtraError: faiss was asked for and is not installed.
    """
    case = _check(bench, options)
    place = resolve_device(device)
    if out is not None:
        make_folder(out)
    load = _load()
    with showing_progress() as show:
        report = _with_load(_measure(case, options, place, show), load)
    console = console or _console()
    console.print(as_text(report.environment), markup=False, highlight=False, style="dim")
    console.print(report.table())
    written = [] if out is None else report.write(out)
    for line in [*report.lines(), *(f"wrote {path}" for path in written)]:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    return report


def _measure(case: str, options: Options, device: torch.device, show: Show) -> Report:
    if case == "search --large":
        return bench_large(options, device, show)
    if case == "search --rowband":
        return bench_rowband(options, device, show)
    if case == "search":
        return bench_search(options, device, show)
    return bench_images(case, options, device, show)


def _check(bench: str, options: Options) -> str:
    """Which case is asked for; the options are its own."""
    if bench not in BENCHES:
        raise OptionError(f"benchmark '{bench}' is not known; use {', '.join(BENCHES)}")
    cases = [flag for flag in ("large", "rowband") if getattr(options, flag)]
    case = " ".join([bench, *(f"--{flag}" for flag in cases)])
    if case not in _ACCEPTED:
        raise OptionError(f"there is no 'corr bench {case}'; use one of {', '.join(_ACCEPTED)}")
    for name, value in asdict(options).items():
        if value is not None and name not in (*cases, *_ACCEPTED[case]) and value is not False:
            accepted = ", ".join(f"--{name}" for name in _ACCEPTED[case])
            raise OptionError(f"--{name} is not for 'corr bench {case}', which takes {accepted}")
    return case


def _load() -> float | None:
    """Processes that wanted a core in the last minute; None where the system does not say."""
    try:
        return round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        return None


def _with_load(report: Report, load: float | None) -> Report:
    """The report, which says how busy the machine was before."""
    cores = os.cpu_count() or 1
    notes = list(report.notes)
    if load is not None and load > BUSY * cores:
        notes.append(
            f"the machine was busy before this run (load {load:g} on {cores} cores): even ratios "
            "are unsafe, since methods whose threads wait for each other lose more than others"
        )
    return replace(report, environment={**report.environment, "load": load}, notes=notes)


def _console() -> Console:
    """The standard output; a file or a pipe is as wide as the table."""
    console = Console()
    return console if console.is_terminal else Console(width=140)
