"""`corr bench search --rowband`: every pixel of a rectified pair along its row, and anywhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import skimage.data
import torch
import torch.nn.functional as F
from jaxtyping import Float32, UInt8
from torch import Tensor

from corr.bench.machine import describe_machine, search_precision
from corr.bench.measure import Method, Timing, measure
from corr.bench.options import Options, read_size
from corr.bench.progress import Show
from corr.bench.report import MEMORY, TIMES, Column, Report, significant
from corr.bench.search import percent
from corr.bench.truth import nearest_float64
from corr.geometry import pixel_grid
from corr.search import Constraint, Neighbors, RowBand, nearest

WIDTH = 640
NUM_DISPARITIES = 128
SIDE = 8
"""Of the patch around each pixel, px; its SIDE^2 values are the feature."""

FREE_ROWS = 2048
"""Queries of the free search that is timed; all of them would take minutes."""

CHECKED_ROWS = 16
"""Rows of the image that are compared with brute force."""

TABLE = (
    Column("search", "search", numeric=False),
    Column("queries", "n"),
    Column("database", "m"),
    Column("d", "d"),
    Column("products", "num_products", lambda count: f"{count:,}".replace(",", " ")),
    *TIMES,
    MEMORY,
    Column("all queries s", "whole_s", significant),
    Column("agree %", "agreement", percent),
)


def bench_rowband(options: Options, device: torch.device, show: Show) -> Report:
    """Dense features of the motorcycle pair, searched in both directions with second best.

    Raises:
        OptionError: an option outside what is accepted.
    """
    width = read_size("--rowband", options.sizes, WIDTH, least=16, most=4096)
    height, rounds = width * 3 // 4, options.num_rounds
    views = [
        cv2.resize(view, (width, height), interpolation=cv2.INTER_AREA)
        for view in skimage.data.stereo_motorcycle()[:2]
    ]
    left, right = (dense_patches(view).to(device) for view in views)
    points = pixel_grid(height, width).reshape(-1, 2)
    band = RowBand(float(NUM_DISPARITIES), 0.0, points, points)
    some = left[torch.linspace(0, len(left) - 1, min(FREE_ROWS, len(left))).long()]
    methods = [
        Method("RowBand", _search(left, right, band)),
        Method("free", _search(some, right, None)),
    ]
    label = f"{width} x {height} pixels"
    timings = measure(methods, rounds, device, lambda done, of: show(label, done / of))
    show(f"{label}, brute force", 1.0)
    rows = [
        _row(timing, len(queries), len(right))
        for timing, queries in zip(timings, (left, some), strict=True)
    ]
    rows[0]["agreement"] = _agreement(timings[0].output, left.cpu(), right.cpu(), width)
    rows[0]["whole_s"] = timings[0].median_s
    rows[1]["whole_s"] = timings[1].median_s * len(left) / len(some)
    products = len(left) * len(right) / rows[0]["num_products"]
    seconds = rows[1]["whole_s"] / rows[0]["whole_s"]
    notes = (
        f"features: {SIDE} x {SIDE} px around each pixel, less their mean, of unit length; "
        f"RowBand: {NUM_DISPARITIES} disparities, no tolerance",
        f"free: anywhere in the other image, timed for {len(some)} of the {len(left)} queries; "
        "all queries s: for all, by rule of three",
        f"RowBand makes {products:.0f} times fewer products than the free search of all queries, "
        f"and takes {seconds:.0f} times less time",
        f"agree: indices equal to those of float64 brute force within the band, in both "
        f"directions, in {min(CHECKED_ROWS, height)} of the image's rows",
    )
    settings = {"size": f"{width} x {height}", "rounds": rounds}
    machine = describe_machine(device, search_precision(device))
    return Report("search-rowband", machine, settings, TABLE, rows, notes)


def dense_patches(image: UInt8[np.ndarray, "H W 3"]) -> Float32[Tensor, "N 64"]:
    """The patch around each pixel, row by row, less its mean and of unit length; zeros where flat.

    The inner product of two is their zero-mean normalised cross-correlation.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    before = SIDE // 2 - 1
    after = SIDE - 1 - before
    padded = cv2.copyMakeBorder(grey, before, after, before, after, cv2.BORDER_REPLICATE)
    patches = F.unfold(torch.from_numpy(padded)[None, None].float(), SIDE)[0].T
    return F.normalize(patches - patches.mean(1, keepdim=True)).contiguous()


def _search(
    queries: Tensor, database: Tensor, constraint: Constraint | None
) -> Callable[[], Neighbors]:
    return lambda: nearest(
        queries,
        database,
        metric="dot",
        both_ways=True,
        return_second=True,
        constraint=constraint,
        backend="exact",
    )


def _row(timing: Timing, num_queries: int, num_rows: int) -> dict[str, Any]:
    return {
        "search": timing.method.name,
        "n": num_queries,
        "m": num_rows,
        "d": SIDE**2,
        "num_products": timing.output.num_products,
        "num_rounds": len(timing.seconds),
        "median_s": timing.median_s,
        "p90_s": timing.p90_s,
        "peak_bytes": timing.num_bytes,
    }


def _agreement(found: Neighbors, left: Tensor, right: Tensor, width: int) -> float:
    """Share of the pixels of some rows whose index in the row is that of brute force."""
    column = torch.arange(width)
    shift = column[:, None] - column
    allowed = (shift >= 0) & (shift < NUM_DISPARITIES)
    assert found.reverse is not None  # both ways were asked for
    height = len(left) // width
    same = []
    for y in torch.linspace(0, height - 1, min(CHECKED_ROWS, height)).long().tolist():
        part = slice(y * width, (y + 1) * width)
        sides = (left[part], right[part], allowed), (right[part], left[part], allowed.T)
        for (queries, database, mask), result in zip(sides, (found, found.reverse), strict=True):
            truth = nearest_float64(queries, database, mask)
            same.append(result.index[part, 0].cpu() == y * width + truth)
    return float(torch.cat(same).double().mean())
