"""The page of a run: its tables, and the pictures of the items where each model was worst."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corr.errors import CorrError
from corr.evaluation.measure import read_result
from corr.evaluation.report import Report
from corr.formats.page import Figure, Page, Section, Table, embedded, write_page
from corr.results import Picture

if TYPE_CHECKING:
    from corr.evaluation.part import Part

_LEAD = (
    "Every model had the same inputs. Below each model stands half the width of the 95 % interval "
    "of its figures over other items of the same kind (bootstrap); s is the median time of an "
    "item, MiB the most memory that one needed beyond what was in use."
)
_WIDE = 2.6
"""Wider pictures, in heights, take a line of the page for themselves."""


Overviews = Mapping[str, Picture]
"""Pictures of a whole report, by their titles."""


def write_report_page(
    parts: Sequence[Part],
    reports: Sequence[Report],
    overviews: Sequence[Overviews],
    folder: Path,
    title: str,
) -> Path:
    """Write `<title>.html`, complete in itself; its path.

    Args:
        parts: what was run.
        reports: what each part found.
        overviews: pictures of each report.
        folder: where to write, which exists.
        title: of the page.

    Raises:
        FormatError: the file cannot be written.
    """
    sections = tuple(
        Section(
            report.benchmark,
            f"Protocol {report.protocol_hash}. Below, the item where each model was worst. "
            f"{part.benchmark.drawn}{_variants(report)}",
            (*_overview(pictures), *_worst(part, report)),
            Table(tuple(name for name, _ in report.titles()), tuple(map(tuple, report.cells()))),
        )
        for part, report, pictures in zip(parts, reports, overviews, strict=True)
    )
    failures = [failure for report in reports for failure in report.failures()]
    failed = f" Failed: {'; '.join(failures)}." if failures else ""
    run_on = ", ".join(f"{key} {value}" for key, value in reports[0].environment.items())
    commit = f" Commit {reports[0].commit}." if reports[0].commit else ""
    path = folder / f"{title}.html"
    page = Page(f"corr evaluate {title}", _LEAD + failed, None, sections, f"{run_on}.{commit}")
    write_page(path, page)
    return path


def _variants(report: Report) -> str:
    return "".join(f" Of {model}: {variant}." for model, variant in report.variants.items())


def _overview(pictures: Overviews) -> Iterator[Figure]:
    for title, picture in pictures.items():
        yield Figure(embedded(picture), title, "", "", wide=True)


def _worst(part: Part, report: Report) -> Iterator[Figure]:
    """For each model, its worst item that did not fail."""
    benchmark = part.benchmark
    items = {benchmark.label(item): item for item in benchmark.items(part.root)}
    sign = 1 if benchmark.higher_is_better else -1
    for model, results in report.items.items():
        judged = [
            result
            for result in results
            if result.error is None and not math.isnan(result.scores[benchmark.ranked_by])
        ]
        if not judged:
            continue
        worst = min(judged, key=lambda result: sign * result.scores[benchmark.ranked_by])
        try:
            picture = _draw(benchmark, model, items[worst.item])
        except CorrError:  # it changed since it was measured
            continue
        scores = report.row(model, worst.item).scores
        numbers = "; ".join(f"{column.title}: {column.show(scores)}" for column in report.columns)
        wide = picture.shape[1] > _WIDE * picture.shape[0]
        yield Figure(embedded(picture), f"{model}: {worst.item}", "", numbers, wide=wide)


def _draw(benchmark: Any, model: str, item: Any) -> Any:
    candidate, inputs = benchmark.candidate(model), benchmark.read(item)
    if candidate.results is not None:
        output = read_result(benchmark, candidate, item, inputs)
    else:
        output = benchmark.run(model, inputs)
    return benchmark.draw(inputs, output)
