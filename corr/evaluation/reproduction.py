"""`corr reproduce`: run a shipped network's commands again, and say which figures hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from corr.evaluation.cache import Cache
from corr.evaluation.evaluate import evaluate, mini, single
from corr.evaluation.figures import CardRun, Figure, read_figures
from corr.evaluation.frame import open_console
from corr.evaluation.part import Part
from corr.evaluation.registry import MINI, Choices


@dataclass(frozen=True)
class Outcome:
    """A stated figure, and the one found."""

    figure: Figure
    found: float

    @property
    def holds(self) -> bool:
        """Whether they agree within the tolerance."""
        return self.figure.holds(self.found)


def reproduce(network: str, root: Path | None, cache: Cache) -> list[Outcome]:
    """Every figure of a card with what was found, shown as a table.

    Args:
        network: a shipped one.
        root: the data of the commands that need some; those are left out, and listed, without, as
            are those of a card that were measured on another set.
        cache: results of earlier runs.

    Raises:
        ModelError: the network is not shipped, or its figures are older than its weights.
        DatasetError: nothing to measure at `root`.
    """
    card = read_figures(network)
    card.check_weights()
    console, outcomes, left_out = open_console(), [], []
    for run in card.runs:
        if run.needs_root and root is None:
            left_out.append(run)
            continue
        parts = _parts(run, root, cache)
        if not _is_measured_on(run, parts):
            left_out.append(run)
            continue
        console.print(f"$ {run.command}", style="bold", highlight=False, markup=False)
        reports = {report.benchmark: report for report in evaluate(parts, cache, None)}
        outcomes += [Outcome(figure, figure.found(reports)) for figure in run.figures]
    _show(network, outcomes, console)
    for run in left_out:
        console.print(
            f"not run: {run.command}; give --root DIR with {run.data}",
            highlight=False,
            markup=False,
            soft_wrap=True,
        )
    return outcomes


def _parts(run: CardRun, root: Path | None, cache: Cache) -> list[Part]:
    choices = Choices(rotations=run.rotations, refine=run.refine)
    if run.benchmark == MINI:
        return mini(run.models, cache, choices)
    return [single(run.benchmark, root if run.needs_root else None, run.models, choices)]


def _is_measured_on(run: CardRun, parts: list[Part]) -> bool:
    """Whether the root has the items of a run; one that names none takes any."""
    if not run.items:
        return True
    (part,) = parts
    found = {part.benchmark.label(item) for item in part.benchmark.items(part.root)}
    return found.issuperset(run.items)


def _show(network: str, outcomes: list[Outcome], console: Console) -> None:
    table = Table(title=f"figures of {network}", box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("benchmark", "model", "figure"):
        table.add_column(title)
    for title in ("stated", "found", "tolerance", "holds"):
        table.add_column(title, justify="right")
    for outcome in outcomes:
        figure = outcome.figure
        numbers = (f"{x:.4g}" for x in (figure.value, outcome.found, figure.tolerance))
        style = "" if outcome.holds else "red"
        verdict = "yes" if outcome.holds else "no"
        table.add_row(figure.benchmark, figure.model, figure.name, *numbers, verdict, style=style)
    console.print(table)
    num_held = sum(outcome.holds for outcome in outcomes)
    console.print(f"{num_held} of {len(outcomes)} figures of {network} hold", highlight=False)
