"""How the time of `corr disparity` grows with pixels and disparities, and what memory it takes.

    python tests/benchmarks/bench_disparity.py [--model census] [--draw time.png] [--repeats 3]

Times `corr.disparity` on the motorcycle of scikit-image, enlarged or reduced to several sizes, with
several numbers of disparities, after a warm-up; the fastest of some runs counts. Prints each time,
and the line `seconds = start + slope * pixels * disparities` of least relative error: how far each
measurement is off it says whether the time is linear. The figure shows the same.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import cv2
import numpy as np
import skimage.data

import corr
from corr.drawing.curves import draw_curves
from corr.formats import write_picture
from corr.machine.peak_memory import peak_memory
from corr.results import Picture

WIDTHS = 320, 640, 1280
DISPARITIES = 32, 64, 128
MEGA = 1e6


def views(width: int) -> tuple[Picture, Picture]:
    """The pair at a width, px."""
    left, right, _ = skimage.data.stereo_motorcycle()
    size = width, round(width * left.shape[0] / left.shape[1])
    return cv2.resize(left, size), cv2.resize(right, size)


def seconds(pair: tuple[Picture, Picture], depth: int, model: str, repeats: int) -> float:
    """The fastest of some runs."""
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        corr.disparity(*pair, max_disparity=depth, model=model)
        taken.append(time.perf_counter() - start)
    return min(taken)


def line(scores: np.ndarray, taken: np.ndarray) -> tuple[float, float]:
    """Start and slope of the line of least relative error."""
    design = np.stack([np.ones_like(scores), scores], 1) / taken[:, None]
    start, slope = np.linalg.lstsq(design, np.ones_like(taken), rcond=None)[0]
    return float(start), float(slope)


def main() -> None:
    """Measure, print and draw."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="census")
    parser.add_argument("--draw", type=Path)
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    corr.disparity(*views(160), max_disparity=16, model=given.model)
    cells = sorted(((w, d) for w in WIDTHS for d in DISPARITIES), key=lambda c: c[0] ** 2 * c[1])
    scores, taken = np.zeros(len(cells)), np.zeros(len(cells))
    print(f"{given.model}, {len(os.sched_getaffinity(0))} cores")
    for i, (width, depth) in enumerate(cells):
        pair = views(width)
        scores[i] = pair[0].shape[0] * width * depth / MEGA
        with peak_memory() as peak:
            taken[i] = seconds(pair, depth, given.model, given.repeats)
        megabytes = (peak.num_bytes or float("nan")) / MEGA
        print(
            f"{width} x {pair[0].shape[0]} px, {depth} disparities ({scores[i]:.1f} M scores): "
            f"{taken[i]:.3f} s, peak {megabytes:.0f} MB",
            flush=True,
        )
    start, slope = line(scores, taken)
    off = (start + slope * scores) / taken - 1
    print(
        f"seconds = {start:.3f} + {slope:.4f} x million scores; the line is off by "
        f"{100 * np.abs(off).mean():.0f} % in the mean, {100 * np.abs(off).max():.0f} % at most"
    )
    if given.draw:
        curves = {
            f"{depth} disparities": (
                [scores[i] for i, cell in enumerate(cells) if cell[1] == depth],
                [taken[i] for i, cell in enumerate(cells) if cell[1] == depth],
            )
            for depth in DISPARITIES
        }
        curves["line"] = (scores.tolist(), (start + slope * scores).tolist())
        picture = draw_curves(
            curves,
            f"Time of {given.model}",
            x_label="pixels x disparities, millions",
            y_label="s",
            from_zero=True,
        )
        write_picture(given.draw, picture)


if __name__ == "__main__":
    main()
