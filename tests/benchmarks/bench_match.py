"""`corr match` with a network, end to end, against OpenCV's SIFT and its own mutual ratio matching.

    python tests/benchmarks/bench_match.py [--model ucn] [--rounds 15]

Two views of a real photograph, 640 x 480, at most 2048 keypoints in each: both extractions and the
matching, methods in turns; a dense network also at four scales. OpenCV is used as its tutorials
do: `SIFT_create`, `detectAndCompute`, `BFMatcher.knnMatch` in both directions. `sift` is corr's:
the same keypoints, our search.
"""

from __future__ import annotations

import argparse

import cv2
import numpy as np
import torch

import corr
from corr.bench.measure import Method, measure
from corr.bench.scenes import TurnedPair, astronaut
from corr.metrics import reprojection_error

RATIO = 0.8
NUM_KEYPOINTS = 2048
CORRECT_PX = 3.0
FOUR_SCALES = (1.0, 0.8, 0.6, 0.42)


def by_opencv(scene: TurnedPair) -> tuple[np.ndarray, np.ndarray]:
    """Points that OpenCV matches: the nearest of each other, and nearer than the second by far."""
    sift = cv2.SIFT_create(NUM_KEYPOINTS)
    greys = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY) for image in (scene.image0, scene.image1))
    (points0, table0), (points1, table1) = (sift.detectAndCompute(grey, None) for grey in greys)
    matcher = cv2.BFMatcher(cv2.NORM_L2)
    back = {found[0].queryIdx: found[0].trainIdx for found in matcher.knnMatch(table1, table0, 1)}
    kept = [
        (first.queryIdx, first.trainIdx)
        for first, second in matcher.knnMatch(table0, table1, 2)
        if first.distance < RATIO * second.distance and back[first.trainIdx] == first.queryIdx
    ]
    return (
        np.array([points0[i].pt for i, _ in kept]),
        np.array([points1[j].pt for _, j in kept]),
    )


def by_corr(
    scene: TurnedPair, model: str, scales: tuple[float, ...] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Points that `corr.match` finds."""
    found = corr.match(
        scene.image0, scene.image1, model=model, max_keypoints=NUM_KEYPOINTS, scales=scales
    )
    return found.keypoints0, found.keypoints1


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="ucn")
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    wide = astronaut(640)
    scene = TurnedPair(wide.image0[80:560].copy(), wide.image1[80:560].copy(), cropped(wide, 80))
    methods = [
        Method("OpenCV SIFT", lambda: by_opencv(scene)),
        Method("sift", lambda: by_corr(scene, "sift")),
        Method(options.model, lambda: by_corr(scene, options.model)),
        Method("at four scales", lambda: by_corr(scene, options.model, FOUR_SCALES)),
    ]
    timings = measure(methods, options.rounds, torch.device("cpu"))
    print(f"{torch.get_num_threads()} threads, OpenCV {cv2.__version__}, torch {torch.__version__}")
    print("method           ms   x OpenCV   peak MB   matches   within 3 px %")
    for timing in timings:
        points0, points1 = timing.output
        right = reprojection_error(points0, points1, scene.homography_0to1) <= CORRECT_PX
        print(
            f"{timing.method.name:12s} {1e3 * timing.median_s:6.0f} "
            f"{timing.median_s / timings[0].median_s:10.2f} {(timing.num_bytes or 0) / 1e6:9.0f} "
            f"{len(right):9d} {100 * right.mean():15.1f}"
        )


def cropped(scene: TurnedPair, top: int) -> np.ndarray:
    """The homography between both images without their first rows."""
    shift = np.array([[1, 0, 0], [0, 1, top], [0, 0, 1.0]])
    return np.asarray(np.linalg.inv(shift) @ scene.homography_0to1 @ shift)


if __name__ == "__main__":
    main()
