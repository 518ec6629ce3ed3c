"""What the demo does: match, measure disparity, train; each step with its numbers and pictures."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from jaxtyping import Bool, Int

from corr import drawing, metrics
from corr.demo.scenes import CORRECT_PX, Scene, StereoScene, select
from corr.errors import OptionError
from corr.formats import write_picture
from corr.formats.page import Figure
from corr.pipeline.matching import match
from corr.pipeline.stereo import disparity
from corr.results import DisparityMap
from corr.tasks.recipe import CONFIG
from corr.tasks.records import CURVES, read_history
from corr.tasks.training import train

Result = TypeVar("Result")

MAX_DISPARITY = 64
"""Range searched on the motorcycle pair, px; its largest true disparity is 60."""

MAX_DRAWN = 150
"""Lines in a picture of matches; more hide the photographs."""

WARM_UP_KEYPOINTS = 64
"""Enough to load what matching needs, before it is timed."""


@dataclass(frozen=True)
class MatchOutcome:
    """One model on one scene."""

    scene: Scene
    model: str
    num_matches: int
    num_judged: int
    """Matches of points whose ground truth is known."""
    correct: float
    """Share of the judged ones."""
    time_s: float
    figure: Figure


@dataclass(frozen=True)
class DisparityOutcome:
    """One model on one stereo pair."""

    scene: StereoScene
    model: str
    bad2: float
    """Share of all ground-truth pixels, missing ones counted wrong."""
    time_s: float
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class TrainingOutcome:
    """FPR95 on held-out photographs."""

    before: float
    after: float
    rootsift: float
    num_steps: int
    time_s: float
    figure: Figure


def write_views(scene: Scene, out: Path) -> tuple[str, str]:
    """Write both images of a scene into the folder; their names."""
    names = (f"{scene.name}-0.png", f"{scene.name}-1.png")
    write_picture(out / names[0], scene.image0)
    write_picture(out / names[1], scene.image1)
    return names


def match_scene(
    scene: Scene, model: str, out: Path, *, model_path: Path | None = None
) -> MatchOutcome:
    """Match the two views of a scene, count what is correct, draw it.

    Args:
        scene: what to match.
        model: name of the model, also that of the pictures.
        out: folder of the page.
        model_path: folder of a trained network in `out`, where the model is not a shipped one.
    """
    chosen = model if model_path is None else model_path
    match(scene.image0, scene.image1, model=chosen, max_keypoints=WARM_UP_KEYPOINTS)
    matches, seconds = timed(lambda: match(scene.image0, scene.image1, model=chosen))
    judged, correct = scene.judge(matches)
    share = float(correct.mean()) if len(judged) else 0.0
    file = f"{scene.name}-matches-{model}.png"
    step = -(-len(judged) // MAX_DRAWN) or 1
    drawn = thin_out(correct, step)
    select(judged, drawn).draw(scene.image0, scene.image1, out / file, correct=correct[drawn])
    named = model if model_path is None else model_path.relative_to(out).as_posix()
    view0, view1 = (f"{scene.name}-{index}.png" for index in range(2))
    figure = Figure(
        file,
        f"{scene.title}: {model}",
        f"Green lines end within {CORRECT_PX:.0f} px of where the ground truth puts the point, red "
        f"ones do not. {_drawn(step)} The command draws all of them, coloured by score.",
        f"{len(matches)} matches, {share:.1%} of {len(judged)} correct, {seconds:.2f} s",
        f"corr match {view0} {view1} --model {named} --draw matches.png",
    )
    return MatchOutcome(scene, model, len(matches), len(judged), share, seconds, figure)


def measure_disparity(scene: StereoScene, model: str, out: Path) -> DisparityOutcome:
    """Compute the disparity of a pair, compare it with the ground truth, draw both."""

    def compute() -> DisparityMap:
        return disparity(scene.image0, scene.image1, max_disparity=MAX_DISPARITY, model=model)

    compute()  # compiles what has to be
    found, seconds = timed(compute, runs=3)
    bad2 = metrics.bad_pixel_rate(found.disparity, scene.truth, 2.0)
    error = metrics.mean_disparity_error(found.disparity, scene.truth)
    file, error_file = f"{scene.name}-disparity-{model}.png", f"{scene.name}-error-{model}.png"
    found.draw(out / file, max_disparity=MAX_DISPARITY)
    truth = np.where(metrics.known_disparity(scene.truth), scene.truth, np.nan)
    write_picture(out / error_file, drawing.draw_error(found.disparity, truth))
    figures = (
        Figure(
            file,
            f"Disparity by {model}",
            "Every pixel has a value: what only one camera sees is filled from the background.",
            f"bad-2 {bad2:.1%}, mean error {error:.2f} px, {seconds:.2f} s",
            f"corr disparity {scene.name}-0.png {scene.name}-1.png --model {model} "
            f"--max-disparity {MAX_DISPARITY} --draw disparity.png",
            wide=False,
        ),
        Figure(
            error_file,
            f"Error of {model}",
            "Blue is within 2 px of the ground truth, yellow to red is not; black has none.",
            f"{bad2:.1%} wrong by more than 2 px",
            wide=False,
        ),
    )
    return DisparityOutcome(scene, model, bad2, seconds, figures)


def draw_truth(scene: StereoScene, out: Path) -> Figure:
    """The true disparity as a picture."""
    file = f"{scene.name}-truth.png"
    truth = np.where(metrics.known_disparity(scene.truth), scene.truth, np.nan)
    write_picture(out / file, drawing.draw_disparity(truth, MAX_DISPARITY))
    known = f"{np.isfinite(truth).mean():.0%} of the pixels are known"
    caption = "Measured with structured light; black is unknown. Red is near, blue is far."
    return Figure(file, "Ground truth", caption, known, wide=False)


def train_descriptor(recipe: str, run: Path, out: Path) -> TrainingOutcome:
    """Train a recipe into the folder `run`, replacing an earlier run there.

    Raises:
        OptionError: `run` holds something that is not a run.
    """
    if run.exists():
        if not (run / CONFIG).is_file():
            raise OptionError(f"'{run}' is in the way and no training run; give another --out")
        shutil.rmtree(run)
    start = time.perf_counter()
    train([recipe, "--out", str(run), "--trainer.logger", "false"])
    seconds = time.perf_counter() - start
    history = read_history(run)
    steps, fpr95 = history["val/fpr95"]
    num_steps = steps[-1] + 1
    rootsift = history["val/fpr95_rootsift"][1][-1]
    figure = Figure(
        (run / CURVES).relative_to(out).as_posix(),
        f"Training curves of {recipe}",
        f"Left: the loss of each step. Right: share of the wrong pairs accepted where 95 % of the "
        f"right ones are (FPR95, lower is better) on photographs that training never saw, "
        f"from the untrained network on, beside RootSIFT on the same patches ({rootsift:.1%}).",
        f"FPR95 {fpr95[0]:.1%} → {fpr95[-1]:.1%} in {num_steps} steps, {seconds:.0f} s",
        f"corr train {recipe}",
    )
    return TrainingOutcome(fpr95[0], fpr95[-1], rootsift, num_steps, seconds, figure)


def thin_out(correct: Bool[np.ndarray, " K"], step: int) -> Int[np.ndarray, " J"]:
    """One in `step` of the correct matches and of the wrong ones, so that their shares stay."""
    right, wrong = np.flatnonzero(correct), np.flatnonzero(~correct)
    return np.sort(np.concatenate((right[::step], wrong[::step])))


def _drawn(step: int) -> str:
    if step == 1:
        return "Those whose truth is known are drawn."
    return f"One in {step} is drawn, where the truth is known."


def timed(compute: Callable[[], Result], runs: int = 1) -> tuple[Result, float]:
    """A result and its seconds: those of the fastest run."""
    best = float("inf")
    for _ in range(runs):
        start = time.perf_counter()
        result = compute()
        best = min(best, time.perf_counter() - start)
    return result, best
