"""Approximate FAISS indices on a million vectors: the true neighbours found, the queries a second.

    python tests/benchmarks/bench_faiss.py [--rows 1000000] [--queries 2000]

The rows are 128 values each, in clusters, drawn from a fixed seed; the metric is l2. Recall@1 is
the share of queries whose first neighbour is the exact search's; seconds to build hold training
and adding. `nearest` answers a part of the queries, all others answer all. A graph takes long to
build, so it holds a tenth of the rows and is compared with the exact search among those.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator

import numpy as np
import torch
from rich.console import Console
from rich.progress import track

from corr.search import nearest
from corr.search.faiss_index import FaissIndex
from corr.search.faiss_tables import CHUNK

WIDTH = 128
KINDS: tuple[tuple[str, tuple[dict[str, int], ...], int], ...] = (
    ("IVF1024,Flat", ({"nprobe": 1}, {"nprobe": 8}, {"nprobe": 32}), 1),
    ("IVF1024,PQ32", ({"nprobe": 8}, {"nprobe": 32}), 1),
    ("IVF1024,PQ64x4fs", ({"nprobe": 8}, {"nprobe": 32}), 1),
    ("IVF1024,PQ64x4fs,RFlat", ({"nprobe": 32, "k_factor": 16},), 1),
    ("HNSW16", ({"efSearch": 16}, {"efSearch": 64}), 10),
)
TRAINING = 39 * 1024
EXACT_QUERIES = 200


def clusters(num: int, seed: int) -> np.ndarray:
    """Rows about 10 000 centres, which all seeds share."""
    centres = np.random.default_rng(0).standard_normal((10_000, WIDTH), np.float32)
    rng = np.random.default_rng(seed)
    rows = 0.5 * rng.standard_normal((num, WIDTH), np.float32)
    rows += centres[rng.integers(0, len(centres), num)]
    return rows


def built(kind: str, rows: np.ndarray) -> tuple[FaissIndex, float]:
    """The filled index, and the seconds that it took."""
    start = time.perf_counter()
    index = FaissIndex(WIDTH, kind, metric="l2")
    index.train(rows[:TRAINING])
    parts = range(0, len(rows), CHUNK)
    for first in track(parts, f"fill {kind}", console=Console(stderr=True), transient=True):
        index.add(rows[first : first + CHUNK])
    return index, time.perf_counter() - start


def lines(rows: np.ndarray, queries: np.ndarray) -> Iterator[str]:
    """The table."""
    yield "| search | rows | build s | recall@1 % | queries/s |"
    yield "|---|---|---|---|---|"
    truth: dict[int, torch.Tensor] = {}
    for share in sorted({share for *_, share in KINDS}):
        part = rows[: len(rows) // share]
        flat, build_s = built("Flat", part)
        start = time.perf_counter()
        truth[share] = flat.search(queries).index
        speed = len(queries) / (time.perf_counter() - start)
        yield f"| Flat (exact) | {len(part)} | {build_s:.1f} | 100.0 | {speed:.0f} |"
    few = torch.from_numpy(queries[:EXACT_QUERIES])
    start = time.perf_counter()
    found = nearest(few, torch.from_numpy(rows), metric="l2", backend="exact").index
    speed = len(few) / (time.perf_counter() - start)
    recall = 100 * float((found == truth[1][: len(few)]).float().mean())
    yield f"| nearest exact, {len(few)} queries | {len(rows)} | 0.0 | {recall:.1f} | {speed:.0f} |"
    for kind, settings, share in KINDS:
        part = rows[: len(rows) // share]
        index, build_s = built(kind, part)
        for given in settings:
            start = time.perf_counter()
            found = index.search(queries, **given).index
            speed = len(queries) / (time.perf_counter() - start)
            recall = 100 * float((found == truth[share]).float().mean())
            name = ", ".join([kind, *(f"{key} {value}" for key, value in given.items())])
            yield f"| {name} | {len(part)} | {build_s:.1f} | {recall:.1f} | {speed:.0f} |"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=2000)
    options = parser.parse_args()
    start = time.perf_counter()
    print(f"{torch.get_num_threads()} threads; {WIDTH} values a row, l2\n")
    for line in lines(clusters(options.rows, 1), clusters(options.queries, 2)):
        print(line, flush=True)
    print(f"\n{time.perf_counter() - start:.0f} s in all")
    return 0


if __name__ == "__main__":
    sys.exit(main())
