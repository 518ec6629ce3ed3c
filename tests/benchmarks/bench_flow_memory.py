"""The most memory that `corr flow` takes on a large pair, each model in a process of its own.

    python tests/benchmarks/bench_flow_memory.py [--size 2160x3840] [--models dis-varref,flownetc]
        [--one-way]

The pair is the motorcycle that comes with scikit-image, enlarged. What the process needs before it
has seen an image, which is Python with torch and OpenCV, is part of the figure: `corr flow` on a
pair of 16 x 16 px is measured beside it. Linux or macOS.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2
import skimage.data

from corr.formats import write_image

SMALL = (16, 16)
UNIT = 1 if sys.platform == "darwin" else 1024
"""Bytes of what the system counts in."""


def pair(folder: Path, size: tuple[int, int]) -> list[str]:
    """Both images, enlarged to a height and width."""
    paths = []
    for number, view in enumerate(skimage.data.stereo_motorcycle()[:2]):
        path = folder / f"{size[0]}x{size[1]}-{number}.png"
        write_image(path, cv2.resize(view, size[::-1], interpolation=cv2.INTER_CUBIC))
        paths.append(str(path))
    return paths


def peak(images: list[str], model: str, one_way: bool, folder: Path) -> tuple[float, float]:
    """MiB at most, and seconds, of one command."""
    command = [sys.executable, "-c", "import sys; from corr.cli import main; sys.exit(main())"]
    command += ["flow", *images, "--model", model, "-o", str(folder / "flow.flo")]
    command += ["--no-both"] if one_way else []
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{model} failed with status {process.returncode}")
    return usage.ru_maxrss * UNIT / 2**20, time.perf_counter() - start


def main() -> None:
    """Print a row for each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", default="2160x3840", help="height x width")
    parser.add_argument("--models", default="dis-varref,flownetc")
    parser.add_argument("--one-way", action="store_true", help="with --no-both")
    options = parser.parse_args()
    height, width = (int(side) for side in options.size.split("x"))
    print(f"{width} x {height}   peak MiB   above {SMALL[0]} x {SMALL[1]}   bytes a pixel   s")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        large, small = pair(folder, (height, width)), pair(folder, SMALL)
        for model in options.models.split(","):
            base, _ = peak(small, model, options.one_way, folder)
            most, seconds = peak(large, model, options.one_way, folder)
            a_pixel = (most - base) * 2**20 / (height * width)
            print(f"{model:12s} {most:10.0f} {most - base:13.0f} {a_pixel:15.0f} {seconds:7.1f}")


if __name__ == "__main__":
    main()
