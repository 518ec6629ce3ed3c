"""Disparity: quality and time of each model on real pairs, as a Markdown table.

    python tests/benchmarks/bench_stereo.py [--models census,sgbm,bm] [--repeats 9]

Shares are of all pixels with ground truth, a missing value counts as wrong; seconds are the median
after one call to warm up, and `x sgbm` is their ratio to OpenCV's strong configuration in the same
run. The motorcycle pair comes with scikit-image; the others are used where `../shared/data` has
them. The last lines time semi-global matching alone.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from skimage import data

import corr
from corr.metrics import bad_pixel_rate, mean_disparity_error
from corr.pipeline import catalog
from corr.volume.sgm import aggregate

SHARED = Path(__file__).parents[2].parent / "shared" / "data"


class Scene(NamedTuple):
    name: str
    left: np.ndarray
    right: np.ndarray
    truth: np.ndarray
    max_disparity: int


def scenes() -> Iterator[Scene]:
    yield Scene("motorcycle", *data.stereo_motorcycle(), 64)
    middlebury = SHARED / "middlebury-stereo"
    for name, left, right, truth, scale in [
        ("tsukuba", "im3.png", "im4.png", "disp3.pgm", 16),
        ("teddy", "im2.png", "im6.png", "disp2.png", 4),
        ("Reindeer", "view1.png", "view5.png", "disp1.png", 2),
    ]:
        folder = middlebury / name
        if folder.is_dir():
            yield _read(name, folder / left, folder / right, folder / truth, scale)
    kitti = SHARED / "kitti-2012" / "training"
    for path in sorted(kitti.glob("disp_occ/*_10.png")):
        left, right = (kitti / f"image_{k}" / path.name for k in (0, 1))
        yield _read(path.stem, left, right, path, 256)


def _read(name: str, left: Path, right: Path, truth: Path, scale: int) -> Scene:
    known = cv2.imread(str(truth), cv2.IMREAD_UNCHANGED).astype(np.float32) / scale
    known[known == 0] = np.inf
    highest = float(known[np.isfinite(known)].max())
    views = [cv2.imread(str(path), cv2.IMREAD_COLOR)[..., ::-1].copy() for path in (left, right)]
    return Scene(name, views[0], views[1], known, 16 * int(np.ceil((highest + 1) / 16)))


def seconds(call: Callable[[], object], repeats: int) -> float:
    """The median time of a call, after one to warm up; of one call if that took over 5 s."""
    start = time.perf_counter()
    call()
    times = []
    for _ in range(repeats if time.perf_counter() - start < 5 else 1):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", default=",".join(sorted(catalog.names("disparity"))))
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    models = options.models.split(",")
    print(f"{os.cpu_count()} cores\n")
    print("| scene | model | bad1 % | bad2 % | bad4 % | EPE px | matched % | s | x sgbm |")
    print("|---|---|---|---|---|---|---|---|---|")
    for scene in scenes():
        strong_s = None
        for model in sorted(models, key=lambda name: name != "sgbm"):

            def run(scene: Scene = scene, model: str = model) -> corr.DisparityMap:
                return corr.disparity(
                    scene.left, scene.right, max_disparity=scene.max_disparity, model=model
                )

            time_s = seconds(run, options.repeats)
            found = run()
            strong_s = time_s if model == "sgbm" else strong_s
            bad = [100 * bad_pixel_rate(found.disparity, scene.truth, t) for t in (1, 2, 4)]
            error = mean_disparity_error(found.disparity, scene.truth)
            matched = 100 * float((found.confidence > 0).mean())
            ratio = f"{time_s / strong_s:.1f}" if strong_s else "-"
            print(
                f"| {scene.name} | {model} | {bad[0]:.1f} | {bad[1]:.1f} | {bad[2]:.1f} "
                f"| {error:.2f} | {matched:.1f} | {time_s:.3f} | {ratio} |",
                flush=True,
            )
    rng = np.random.default_rng(0)
    cost = rng.integers(0, 63, (375, 450, 64)).astype(np.uint8)
    guide = rng.integers(0, 256, (375, 450)).astype(np.uint8)
    for num_paths in (4, 8):
        alone_s = seconds(lambda n=num_paths: aggregate(cost, guide, num_paths=n), 21)
        print(f"\nsemi-global matching alone, {num_paths} paths, 450 x 375 x 64: {alone_s:.3f} s")


if __name__ == "__main__":
    main()
