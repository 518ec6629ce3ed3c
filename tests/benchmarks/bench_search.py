"""Mutual nearest neighbours with both runners-up: corr, faiss-cpu and OpenCV's matcher.

    python tests/benchmarks/bench_search.py

All take turns in one run. Every method finds the two nearest in both directions, which a mutual
ratio test needs, except the column `faiss k=1`, which finds the nearest only. Half of the
descriptors have a partner. Fails where the largest search is slower than faiss or takes more than
200 MB above its inputs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import cv2
import faiss
import numpy as np
import torch

from corr.search import nearest

SIZES = ((8192, 8192), (2048, 2048), (512, 2048), (100, 50))
ROUNDS = 9
MAX_MEGABYTES = 200


def unit_rows(num0: int, num1: int) -> tuple[np.ndarray, np.ndarray]:
    """128 values a row, as RootSIFT and HardNet have."""
    rng = np.random.default_rng(0)
    first, second = (rng.standard_normal((n, 128)).astype(np.float32) for n in (num0, num1))
    shared = min(num0, num1) // 2
    second[rng.permutation(num1)[:shared]] = first[:shared] + 0.5 * second[:shared]
    return tuple(x / np.linalg.norm(x, axis=1, keepdims=True) for x in (first, second))


def packed_bits(num0: int, num1: int) -> tuple[np.ndarray, np.ndarray]:
    """256 bits a row, as ORB has."""
    rng = np.random.default_rng(0)
    first, second = (rng.integers(0, 256, (n, 32), dtype=np.uint8) for n in (num0, num1))
    return first, second


def by_corr(first: np.ndarray, second: np.ndarray) -> None:
    """One pass over every pair."""
    metric = "hamming" if first.dtype == np.uint8 else "dot"
    tables = torch.from_numpy(first), torch.from_numpy(second)
    nearest(*tables, 2, metric=metric, both_ways=True)


def by_faiss(first: np.ndarray, second: np.ndarray, k: int = 2) -> None:
    """Two searches, building the index included, as it is for a pair of images."""
    binary = first.dtype == np.uint8
    for queries, database in ((first, second), (second, first)):
        index = faiss.IndexBinaryFlat(256) if binary else faiss.IndexFlatIP(128)
        index.add(database)
        index.search(queries, k)


def by_opencv(first: np.ndarray, second: np.ndarray) -> None:
    """Two brute-force searches."""
    matcher = cv2.BFMatcher(cv2.NORM_HAMMING if first.dtype == np.uint8 else cv2.NORM_L2)
    matcher.knnMatch(first, second, 2)
    matcher.knnMatch(second, first, 2)


METHODS: dict[str, Callable[[np.ndarray, np.ndarray], None]] = {
    "corr": by_corr,
    "faiss": by_faiss,
    "faiss k=1": lambda first, second: by_faiss(first, second, 1),
    "cv2.BFMatcher": by_opencv,
}


def measure(tables: tuple[np.ndarray, np.ndarray]) -> dict[str, float]:
    """Median milliseconds of each method."""
    times: dict[str, list[float]] = {name: [] for name in METHODS}
    slow: set[str] = set()
    for turn in range(ROUNDS + 1):
        for name, method in METHODS.items():
            if name in slow and turn > 2:
                continue
            start = time.perf_counter()
            method(*tables)
            spent = 1e3 * (time.perf_counter() - start)
            if turn:
                times[name].append(spent)
            if spent > 2000:
                slow.add(name)
    return {name: median(values) for name, values in times.items()}


def peak_megabytes(tables: tuple[np.ndarray, np.ndarray]) -> float:
    """Most memory that our search holds above its inputs."""
    by_corr(*(x[:256] for x in tables))
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts anew
    before = _status("VmRSS")
    by_corr(*tables)
    return (_status("VmHWM") - before) / 1024


def _status(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1])


def main() -> int:
    """Print the table."""
    megabytes = peak_megabytes(unit_rows(8192, 8192))
    print(f"{torch.get_num_threads()} threads; median of {ROUNDS} rounds in turns, ms\n")
    print("| descriptors | size | " + " | ".join(METHODS) + " | faiss / corr |")
    print("|---" * (len(METHODS) + 3) + "|")
    ratios = []
    for kind, draw in (("128 x float32", unit_rows), ("256 bits", packed_bits)):
        for num0, num1 in SIZES:
            times = measure(draw(num0, num1))
            ratios.append(times["faiss"] / times["corr"])
            cells = " | ".join(f"{value:.2f}" for value in times.values())
            print(f"| {kind} | {num0} x {num1} | {cells} | {ratios[-1]:.2f} |", flush=True)
    print(f"\npeak memory of corr above its inputs, 8192 x 8192 x 128: {megabytes:.0f} MB")
    return int(ratios[0] < 1 or megabytes > MAX_MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())
