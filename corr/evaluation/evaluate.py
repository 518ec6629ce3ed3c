"""`corr evaluate`: benchmarks in turn, their tables, files and page."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from corr.data.mini import FLOW, IDENTITIES, RETRIEVAL, SEQUENCES, STEREO, mini_folder
from corr.errors import ModelError, OptionError
from corr.evaluation.benchmark import Benchmark
from corr.evaluation.cache import Cache
from corr.evaluation.frame import open_console, run_benchmark
from corr.evaluation.page import Overviews, write_report_page
from corr.evaluation.part import Part
from corr.evaluation.registry import BENCHMARKS, MINI, MIRRORING, REFINING, TURNING, Choices
from corr.evaluation.report import Report, Rows
from corr.evaluation.written import write_report
from corr.formats import write_image
from corr.formats.atomic import make_folder
from corr.pipeline import catalog

MINI_PARTS = (
    ("homographies", SEQUENCES),
    ("patches", SEQUENCES),
    ("stereo", STEREO),
    ("flow", FLOW),
    ("retrieval", RETRIEVAL),
    ("verification", IDENTITIES),
)
"""The benchmarks of `mini`, and the part of its data that each reads."""


def single(
    name: str, root: Path | None, models: Sequence[str] | None, choices: Choices | None = None
) -> Part:
    """One benchmark; by its default models when none are named.

    Raises:
        OptionError: it needs a root and has none, or cannot do what was chosen.
    """
    choices = choices or Choices()
    if choices.rotations != "own" and name not in TURNING:
        raise OptionError(
            f"{name} does not turn images; leave --rotations out, which is for {', '.join(TURNING)}"
        )
    if choices.flips != "none" and name not in MIRRORING:
        raise OptionError(
            f"{name} does not mirror images; leave --flips out, which is for {', '.join(MIRRORING)}"
        )
    if choices.refine != "own" and name not in REFINING:
        raise OptionError(
            f"{name} refines no flow; leave --refine out, which is for {', '.join(REFINING)}"
        )
    benchmark = BENCHMARKS[name](choices)
    if root is None:
        root = benchmark.own_root()
    if root is None:
        raise OptionError(f"{name} needs --root DIR, the folder of its data")
    return Part(benchmark, root, _defaults(benchmark) if models is None else models)


def mini(models: Sequence[str] | None, cache: Cache, choices: Choices | None = None) -> list[Part]:
    """All benchmarks on the data that comes with corr, each by the models that can do it.

    Raises:
        ModelError: a model can do none of them.
    """
    choices = choices or Choices()
    benchmarks = [(BENCHMARKS[name](choices), folder) for name, folder in MINI_PARTS]
    for model in models or ():
        if not any(_can(benchmark, model) for benchmark, _ in benchmarks):
            known = ", ".join(sorted(entry.name for entry in catalog.entries()))
            raise ModelError(
                f"model '{model}' is not known to {MINI}; use {known}, or a folder that training "
                "wrote"
            )
    cache.make()
    data = mini_folder(cache.folder)
    able = [
        _defaults(benchmark)
        if models is None
        else [model for model in models if _can(benchmark, model)]
        for benchmark, _ in benchmarks
    ]
    return [
        Part(benchmark, data / folder, chosen)
        for (benchmark, folder), chosen in zip(benchmarks, able, strict=True)
        if chosen
    ]


def evaluate(
    parts: Sequence[Part],
    cache: Cache,
    out: Path | None,
    *,
    rows: Rows | None = None,
    title: str = "",
) -> list[Report]:
    """The report of each part, shown as a table; written and drawn when `out` is given.

    Args:
        parts: what to run, in this order.
        cache: results of earlier runs.
        out: folder for JSON, CSV, Markdown and the page; made when missing.
        rows: what the tables show for each model; its groups, as long as they are few, when not
            given.
        title: of the page.
    """
    for part in parts:  # what cannot work is refused before anything runs
        for model in part.models:
            part.benchmark.candidate(model)
        part.benchmark.items(part.root)
    cache.make()
    if out is not None:
        make_folder(out)
    console, reports = open_console(), []
    overviews: list[Overviews] = []
    try:
        for part in parts:
            report = run_benchmark(part.benchmark, part.root, part.models, cache, console=console)
            reports.append(report)
            _show(report, console, rows)
            if out is None:
                continue
            overviews.append(part.benchmark.overview(part.benchmark.items(part.root), report.items))
            for path in [
                *write_report(report, out, rows),
                *_write_overviews(overviews[-1], out, report.benchmark),
            ]:
                _say(console, f"wrote {path}")
        if out is not None:
            page = write_report_page(parts, reports, overviews, out, title)
            _say(console, f"the page: {page}")
    except KeyboardInterrupt:
        sys.stderr.write(f"what is done is kept in '{cache.folder}': the same command goes on\n")
        raise
    return reports


def _write_overviews(pictures: Overviews, folder: Path, benchmark: str) -> list[Path]:
    paths = []
    for title, picture in pictures.items():
        words = re.sub("[^a-z0-9]+", "-", title.lower()).strip("-")
        paths.append(folder / f"{benchmark}-{words}.png")
        write_image(paths[-1], picture)
    return paths


def _defaults(benchmark: Benchmark[Any, Any, Any]) -> list[str]:
    known = catalog.names(benchmark.task)
    return [name for name in benchmark.defaults if name.partition("+")[0] in known]


def _can(benchmark: Benchmark[Any, Any, Any], model: str) -> bool:
    try:
        benchmark.candidate(model)
    except ModelError:
        return False
    return True


def _show(report: Report, console: Console, rows: Rows | None) -> None:
    console.print(report.table(rows))
    for failure in report.failures():
        console.print(f"failed: {failure}", style="red", markup=False, soft_wrap=True)


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)
