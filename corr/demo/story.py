"""The order of the demo, its table on the terminal, and the words of its page."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table as TerminalTable

from corr.demo import scenes
from corr.demo.steps import (
    DisparityOutcome,
    MatchOutcome,
    TrainingOutcome,
    draw_truth,
    match_scene,
    measure_disparity,
    train_descriptor,
    write_views,
)
from corr.formats.atomic import make_folder
from corr.formats.page import Figure, Page, Section, Table, write_page
from corr.pipeline import catalog

RECIPE = "smoke/patch"
TRAINED = "descriptor"
"""Folder of the network that the demo trains, inside its own."""
MATCHERS = ("rootsift", "hardnet")
"""Shown where this installation has them, before the one just trained."""
STEREO = ("stereo", "sgbm")
FOOT = (
    "The motorcycle pair is Middlebury 2014 at quarter size (Scharstein et al. 2014); the "
    "astronaut is Eileen Collins, photographed by NASA, public domain. Both come with "
    "scikit-image. Seconds are of this machine, the fastest run after a warm-up."
)


@dataclass(frozen=True)
class Outcomes:
    """All that the steps found."""

    training: TrainingOutcome
    matched: tuple[MatchOutcome, ...]
    measured: tuple[DisparityOutcome, ...]
    truth: Figure

    def table(self) -> Table:
        """The numbers as text, a row for each model on each scene."""
        matched = [
            (m.scene.name, m.model, str(m.num_matches), f"{m.correct:.1%}", "", f"{m.time_s:.2f}")
            for m in self.matched
        ]
        measured = [
            (d.scene.name, d.model, "", "", f"{d.bad2:.1%}", f"{d.time_s:.2f}")
            for d in self.measured
        ]
        titles = ("scene", "model", "matches", "correct", "bad-2", "seconds")
        return Table(titles, (*matched, *measured))


def tell(out: Path) -> Path:
    """Do every step, print a table, write the page; its path."""
    console, start = Console(), time.perf_counter()
    make_folder(out)
    outcomes = _take_steps(out, console)
    page = out / "index.html"
    write_page(page, compose(outcomes, time.perf_counter() - start))
    _show(outcomes, console)
    console.print(f"the page: {page.resolve()}", soft_wrap=True, highlight=False, markup=False)
    return page


def compose(outcomes: Outcomes, time_s: float) -> Page:
    """The page: words around the pictures.

    Args:
        outcomes: what the steps found.
        time_s: seconds that they took.
    """
    matching = [
        Section(
            f"Matches: {scene.title}",
            scene.text,
            tuple(m.figure for m in outcomes.matched if m.scene is scene),
        )
        for scene in dict.fromkeys(m.scene for m in outcomes.matched)
    ]
    pair = outcomes.measured[0].scene
    left = Figure(
        f"{pair.name}-0.png",
        "Left view",
        "Each of its pixels gets a disparity. The right view was taken beside it.",
        f"{pair.image0.shape[1]} x {pair.image0.shape[0]} px",
        wide=False,
    )
    maps = (figure for outcome in outcomes.measured for figure in outcome.figures)
    stereo = Section(
        f"Disparity: {pair.title}",
        "How far each pixel of the left view has moved in the right one; near things move more. "
        "Bad-2 is the share of the pixels with ground truth whose value is missing or wrong by "
        "more than 2 px.",
        (left, outcomes.truth, *maps),
    )
    trained = Section(
        "Training: the descriptor used above",
        "A HardNet, trained on patches around keypoints of a few photographs seen from random "
        "views. So short a training on so few photographs shows that it learns, not how well it "
        "can match.",
        (outcomes.training.figure,),
    )
    lead = (
        "corr has trained a descriptor, matched two pairs of photographs with it and with others, "
        f"and measured disparity, in {time_s:.0f} seconds on this machine, nothing downloaded. "
        "Each command below works in the folder of this page."
    )
    sections = (*matching, stereo, trained)
    return Page("What corresponds?", lead, outcomes.table(), sections, FOOT)


def _take_steps(out: Path, console: Console) -> Outcomes:
    pair, warped = scenes.motorcycle(), scenes.astronaut()
    write_views(pair, out)
    write_views(warped, out)
    _say(console, f"training {RECIPE}")
    training = train_descriptor(RECIPE, out / TRAINED, out)
    matched = []
    for scene in (pair, warped):
        for model in (*(name for name in MATCHERS if name in catalog.names("match")), TRAINED):
            _say(console, f"matching the {scene.name} by {model}")
            path = out / TRAINED if model == TRAINED else None
            matched.append(match_scene(scene, model, out, model_path=path))
    measured = []
    for model in STEREO:
        _say(console, f"measuring the disparity of the {pair.name} by {model}")
        measured.append(measure_disparity(pair, model, out))
    return Outcomes(training, tuple(matched), tuple(measured), draw_truth(pair, out))


def _say(console: Console, text: str) -> None:
    console.print(f"corr demo: {text}", style="cyan", highlight=False, markup=False)


def _show(outcomes: Outcomes, console: Console) -> None:
    table = outcomes.table()
    shown = TerminalTable(box=box.SIMPLE_HEAD)
    for index, title in enumerate(table.titles):
        shown.add_column(title, justify="left" if index < 2 else "right")
    for row in table.rows:
        shown.add_row(*row, end_section=row[1] == TRAINED)
    console.print(shown)
    training = outcomes.training
    console.print(
        f"FPR95 of the descriptor: {training.before:.1%} -> {training.after:.1%} in "
        f"{training.num_steps} steps and {training.time_s:.0f} s; RootSIFT has "
        f"{training.rootsift:.1%}",
        highlight=False,
    )
