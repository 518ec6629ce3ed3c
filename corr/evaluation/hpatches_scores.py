"""HPatches' three tasks: patch verification, image matching and patch retrieval.

Source: Balntas 2017, "HPatches: A benchmark and evaluation of handcrafted and learned local
descriptors"; what it leaves open is as in github.com/hpatches/hpatches-benchmark.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float, Float32, Int64

from corr.data.hpatches_patches import LEVELS, NUM_TARGETS, REFERENCE
from corr.data.hpatches_tasks import HPatchesTasks, PatchPairTable
from corr.metrics import average_precision, precision_of_ranks, roc_area
from corr.search import nearest

POOLS = (100, 500, 1000, 5000, 10_000, 15_000, 20_000)
"""How many patches a query is sought among, its five matches included."""
UNBALANCED = 0.2
"""Positive pairs for each negative one, where they are few."""
KINDS = ("within", "between")
"""Negatives of one sequence, and of two."""

_PAIRS_AT_ONCE = 1 << 16
_QUERIES_AT_ONCE = 256

Descriptors = Mapping[str, Float32[np.ndarray, "_ _"]]
"""Of one sequence, by strip."""


def verification(described: Sequence[Descriptors], tasks: HPatchesTasks) -> dict[str, float]:
    """How well a distance tells pairs of the same point from others.

    `balanced` is the area under the ROC curve of as many negatives as positives, `unbalanced` the
    average precision with a fifth of the positives; NaN where a set has no such pairs.
    """
    scores = {}
    for level in LEVELS:
        positive = pair_distances(described, tasks.positives, level)
        few = positive[: int(UNBALANCED * len(positive))]
        for kind in KINDS:
            negative = pair_distances(described, getattr(tasks, kind), level)
            there = len(negative) > 0 and len(few) > 0
            scores[f"balanced_{kind}_{level}"] = (
                roc_area(positive, negative) if there else float("nan")
            )
            scores[f"unbalanced_{kind}_{level}"] = (
                average_precision(few, negative) if there else float("nan")
            )
    return scores


def matching(described: Descriptors, *, search: str = "auto") -> dict[str, float]:
    """How well the nearest descriptor in each other image finds the same point.

    The mean, over the five images of a level, of the average precision of the nearest neighbours
    of all reference patches, ordered by distance.
    """
    reference = torch.from_numpy(described[REFERENCE])
    truth = np.arange(len(reference))
    scores = {}
    for level in LEVELS:
        parts = []
        for k in range(1, NUM_TARGETS + 1):
            target = torch.from_numpy(described[f"{level}{k}"])
            index = nearest(reference, target, metric="l2", backend=search).index[:, 0]
            distance = torch.linalg.vector_norm(reference - target[index], dim=1).numpy()
            right = index.numpy() == truth
            parts.append(
                average_precision(distance[right], distance[~right], num_positives=len(truth))
            )
        scores[level] = float(np.mean(parts))
    return scores


def retrieval(described: Sequence[Descriptors], tasks: HPatchesTasks) -> dict[str, float]:
    """How well a patch finds itself in the five other images among patches of other sequences.

    The mean average precision over all queries and over pools of growing size; a pool that the set
    cannot fill is all there is, once. NaN where there is nothing to seek among.
    """
    precision: dict[str, list[float]] = {level: [] for level in LEVELS}
    pool = _points(described, tasks.distractors)
    for sequence in np.unique(tasks.queries[:, 0]):
        others = pool[tasks.distractors[:, 0] != sequence]
        ends = sorted({min(size - NUM_TARGETS, len(others)) for size in POOLS})
        own = described[sequence]
        points = tasks.queries[tasks.queries[:, 0] == sequence, 1]
        for start in range(0, len(points) if len(others) else 0, _QUERIES_AT_ONCE):
            rows = points[start : start + _QUERIES_AT_ONCE]
            query = own[REFERENCE][rows]
            distance = _squared(query, others)
            for level in LEVELS:
                wanted = np.stack([own[f"{level}{k}"][rows] for k in range(1, NUM_TARGETS + 1)], 1)
                near = np.sort(_own_squared(query, wanted), axis=1)
                for ranks in _ranks(near, distance, ends):
                    found = precision_of_ranks(ranks).mean(1)
                    precision[level] += found.tolist()
    return {
        level: float(np.mean(values)) if values else float("nan")
        for level, values in precision.items()
    }


def pair_distances(
    described: Sequence[Descriptors], pairs: PatchPairTable, level: str
) -> Float32[np.ndarray, " N"]:
    """The distance of each pair, whose patches outside the reference image are of a level."""
    distances = np.empty(len(pairs.first), np.float32)
    for start in range(0, len(distances), _PAIRS_AT_ONCE):
        rows = slice(start, start + _PAIRS_AT_ONCE)
        sides = [_gather(described, side[rows], level) for side in (pairs.first, pairs.second)]
        distances[rows] = np.linalg.norm(sides[0] - sides[1], axis=1)
    return distances


def _gather(
    described: Sequence[Descriptors], table: Int64[np.ndarray, "N 3"], level: str
) -> Float32[np.ndarray, "N D"]:
    """The descriptors of patches, strip by strip."""
    found = np.empty((len(table), described[0][REFERENCE].shape[1]), np.float32)
    strip_of = table[:, 0] * (NUM_TARGETS + 1) + table[:, 1]
    order = np.argsort(strip_of, kind="stable")
    strips, starts = np.unique(strip_of[order], return_index=True)
    for strip, rows in zip(strips, np.split(order, starts[1:]), strict=True):
        sequence, image = divmod(int(strip), NUM_TARGETS + 1)
        name = f"{level}{image}" if image else REFERENCE
        found[rows] = described[sequence][name][table[rows, 2]]
    return found


def _points(
    described: Sequence[Descriptors], points: Int64[np.ndarray, "N 2"]
) -> Float32[np.ndarray, "N D"]:
    return _gather(described, np.insert(points, 1, 0, axis=1), LEVELS[0])


def _squared(
    first: Float32[np.ndarray, "N D"], second: Float32[np.ndarray, "M D"]
) -> Float32[np.ndarray, "N M"]:
    lengths = np.square(first).sum(1)[:, None] + np.square(second).sum(1)
    squared: Float32[np.ndarray, "N M"] = lengths - 2 * first @ second.T
    return squared


def _own_squared(
    query: Float32[np.ndarray, "N D"], wanted: Float32[np.ndarray, "N 5 D"]
) -> Float32[np.ndarray, "N 5"]:
    lengths = np.square(query).sum(1)[:, None] + np.square(wanted).sum(2)
    squared: Float32[np.ndarray, "N 5"] = lengths - 2 * np.einsum("nd,nkd->nk", query, wanted)
    return squared


def _ranks(
    near: Float[np.ndarray, "N 5"], distance: Float[np.ndarray, "N M"], ends: Sequence[int]
) -> Iterator[Int64[np.ndarray, "N 5"]]:
    """Of the matches among the first so many others, for each number of them."""
    before = np.zeros(near.shape, np.int64)
    for start, end in zip((0, *ends), ends, strict=False):
        part = distance[:, start:end]
        for place in range(near.shape[1]):
            before[:, place] += (part <= near[:, place : place + 1]).sum(1)
        yield np.arange(1, near.shape[1] + 1) + before
