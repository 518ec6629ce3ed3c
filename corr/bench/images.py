"""`corr bench extract`, `match`, `disparity`, `flow`: the speed of each model on real images."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch

from corr.bench.machine import describe_machine, search_precision
from corr.bench.measure import Method, Timing, measure
from corr.bench.options import Options, read_names, read_sizes
from corr.bench.progress import Show
from corr.bench.report import MEMORY, TIMES, Column, Report, significant
from corr.bench.scenes import astronaut, motorcycle
from corr.metrics import bad_pixel_rate, endpoint_error, known_disparity, reprojection_error
from corr.pipeline import catalog
from corr.pipeline.extraction import extract
from corr.pipeline.matching import match
from corr.pipeline.optical_flow import flow
from corr.pipeline.stereo import disparity

SIZES = "320,640"
LEAST_WIDTH, MOST_WIDTH = 64, 8192
CORRECT_PX = 3.0


@dataclass(frozen=True)
class Task:
    """What is timed, on what, and which numbers say that its result is one."""

    baseline: str
    """The classical method that seconds are compared with."""
    scene: Callable[[int], Any]
    """Images of a width."""
    run: Callable[[Any, str, torch.device], Any]
    judge: Callable[[Any, Any], dict[str, float | int]]
    """Of the scene and the result."""
    columns: tuple[Column, ...]
    images: str
    """What the images are."""


def _judge_matches(scene: Any, found: Any) -> dict[str, float | int]:
    error = reprojection_error(found.keypoints0, found.keypoints1, scene.homography_0to1)
    correct = float(np.mean(error <= CORRECT_PX)) if len(found) else 0.0
    return {"num_matches": len(found), "correct": correct}


def _flow_error(scene: Any, found: Any) -> dict[str, float | int]:
    known = known_disparity(scene.truth)
    moved = np.where(known, -scene.truth, 0)
    truth = np.stack((moved, np.zeros_like(moved)), axis=-1)
    return {"epe_px": endpoint_error(found.flow, truth, valid=known)}


_ASTRONAUT = "the astronaut of scikit-image"
_MOTORCYCLE = "the motorcycle pair of scikit-image"

TASKS: Mapping[str, Task] = {
    "extract": Task(
        "sift",
        astronaut,
        lambda scene, model, device: extract(scene.image0, model=model, device=device),
        lambda _, found: {"num_keypoints": len(found)},
        (Column("keypoints", "num_keypoints"),),
        f"{_ASTRONAUT}; at most 2048 keypoints",
    ),
    "match": Task(
        "sift",
        astronaut,
        lambda scene, model, device: match(scene.image0, scene.image1, model=model, device=device),
        _judge_matches,
        (
            Column("matches", "num_matches"),
            Column("within 3 px %", "correct", lambda share: f"{100 * share:.1f}"),
        ),
        f"{_ASTRONAUT} and its copy under a known homography; at most 2048 keypoints in each, "
        "extraction included",
    ),
    "disparity": Task(
        "sgbm",
        motorcycle,
        lambda scene, model, device: disparity(
            scene.left,
            scene.right,
            max_disparity=scene.max_disparity,
            model=model,
            device=device,
        ),
        lambda scene, found: {"bad_2": bad_pixel_rate(found.disparity, scene.truth)},
        (Column("bad-2 %", "bad_2", lambda share: f"{100 * share:.1f}"),),
        f"{_MOTORCYCLE}; 64 disparities at its full width of 741 px, fewer below",
    ),
    "flow": Task(
        "dis",
        motorcycle,
        lambda scene, model, device: flow(scene.left, scene.right, model=model, device=device),
        _flow_error,
        (Column("EPE px", "epe_px", significant),),
        f"{_MOTORCYCLE} as two frames; the flow in both directions",
    ),
}


def bench_images(task: str, options: Options, device: torch.device, show: Show) -> Report:
    """Every model of a task at every size, beside the task's classical method.

    Args:
        task: one of `TASKS`.
        options: models are names or folders, all of the catalogue when not given; sizes are
            widths of the images, px.
        device: where networks and searches run.
        show: told how far it is.

    Raises:
        OptionError: an option outside what is accepted.
        ModelError: a model is unknown or of another task.
    """
    job = TASKS[task]
    chosen = read_names("--models", options.models) or catalog.names(task)
    for model in chosen:
        catalog.resolve(model, task)
    chosen = list(dict.fromkeys([job.baseline, *chosen]))
    widths = read_sizes(options.sizes, SIZES, least=LEAST_WIDTH, most=MOST_WIDTH)
    rounds = options.num_rounds
    rows = []
    for width in widths:
        scene = job.scene(width)
        methods = [_method(job, scene, model, device) for model in chosen]
        label = f"{task}, {width} px wide"
        timings = measure(methods, rounds, device, partial(_show_calls, show, label))
        rows += [_row(job, scene, timing, timings[0]) for timing in timings]
    columns = (
        Column("model", "model", numeric=False),
        Column("size", "size"),
        *TIMES,
        MEMORY,
        Column(f"x {job.baseline}", "ratio", significant),
        *job.columns,
    )
    notes = (
        f"images: {job.images}",
        "peak MB: above what was in use before; "
        f"x {job.baseline}: seconds, as multiples of those of {job.baseline} in the same run",
    )
    settings = {"models": chosen, "widths": widths, "rounds": rounds}
    searched = f", its search {search_precision(device)}" if task == "match" else ""
    machine = describe_machine(device, f"float32{searched}")
    return Report(task, machine, settings, columns, rows, notes)


def _show_calls(show: Show, label: str, num_done: int, total: int) -> None:
    show(label, num_done / total)


def _method(job: Task, scene: Any, model: str, device: torch.device) -> Method:
    return Method(model, lambda: job.run(scene, model, device))


def _row(job: Task, scene: Any, timing: Timing, baseline: Timing) -> dict[str, Any]:
    height, width = next(iter(vars(scene).values())).shape[:2]
    return {
        "model": timing.method.name,
        "size": f"{width} x {height}",
        "num_rounds": len(timing.seconds),
        "median_s": timing.median_s,
        "p90_s": timing.p90_s,
        "peak_bytes": timing.num_bytes,
        "ratio": timing.median_s / baseline.median_s,
        **job.judge(scene, timing.output),
    }
