"""What HPatches' benchmark compares: pairs to verify, queries and what they are sought among.

Source: the task files and their generator in github.com/hpatches/hpatches-benchmark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Int64

from corr.errors import CorrError, DatasetError
from corr.formats.suffixes import read_bytes

SPLITS = ("full", "a", "b", "c", "view", "illum")
"""Published ones; the first whose files are all there is taken."""
_FILES = ("verif_pos", "verif_neg_intra", "verif_neg_inter", "retr_queries", "retr_distractors")

_PAIR_HEADER, _POINT_HEADER = "s1,t1,idx1,s2,t2,idx2", "s,idx"

NUM_PAIRS = 100_000
"""Of each kind, where they are drawn; the published files hold a million."""
MAX_QUERIES, MAX_DISTRACTORS = 5000, 20_000
QUERY_SHARE = 0.25
"""Of the points, that are queries where they are drawn."""
SEED = 42

Table = Int64[np.ndarray, "N 3"]
"""Patches: the row of the sequence, image (0 for the reference, 1 to 5), and point."""


@dataclass(frozen=True, eq=False)
class PatchPairTable:
    """Pairs of patches."""

    first: Table
    second: Table


@dataclass(frozen=True, eq=False)
class HPatchesTasks:
    """What is compared. The three kinds of pairs are empty where a set allows none."""

    positives: PatchPairTable
    within: PatchPairTable
    """Negatives of one sequence."""
    between: PatchPairTable
    """Negatives of two sequences."""
    queries: Int64[np.ndarray, "Q 2"]
    """Row of the sequence and point, of the reference image."""
    distractors: Int64[np.ndarray, "M 2"]


def task_files(root: Path) -> tuple[str, tuple[Path, ...]] | None:
    """The published split whose task files lie in a folder or in its `tasks`, and those files."""
    for folder in (root, root / "tasks"):
        for split in SPLITS:
            paths = tuple(folder / f"{name}_split-{split}.csv" for name in _FILES)
            if all(path.is_file() for path in paths):
                return split, paths
    return None


def named_sequences(path: Path) -> set[str]:
    """The sequences that a file of positive pairs names.

    Raises:
        DatasetError: the file is damaged.
    """
    return set(np.unique(_rows(path, _PAIR_HEADER)[:, 0]).tolist())


def read_tasks(
    paths: Sequence[Path], names: Sequence[str], num_points: Sequence[int]
) -> HPatchesTasks:
    """The tasks of published files.

    Args:
        paths: as `task_files` gives them.
        names: of the sequences that are there; a row of the result counts these.
        num_points: of each.

    Raises:
        DatasetError: a file is damaged, or names a sequence or a patch that is not there.
    """
    positives, within, between = (_read_pairs(path, names, num_points) for path in paths[:3])
    queries, distractors = (_read_points(path, names, num_points) for path in paths[3:])
    return HPatchesTasks(positives, within, between, queries[:, ::2], distractors[:, ::2])


def draw_tasks(
    num_points: Sequence[int], textured: Sequence[Bool[np.ndarray, " _"]]
) -> HPatchesTasks:
    """Tasks of the same kind, always the same for the same set.

    A positive pair is a point in two of the six images; its negatives put another point of the same
    or of another sequence in the place of the second. Queries and distractors are different points
    of the reference images.

    Args:
        num_points: of each sequence.
        textured: of each, which points may be a query or a distractor.
    """
    rng = np.random.default_rng(SEED)
    counts = np.asarray(num_points)
    sequence = rng.choice(np.flatnonzero(counts > 1), NUM_PAIRS)
    point = rng.integers(counts[sequence])
    image = rng.integers(6, size=NUM_PAIRS)
    other_image = (image + rng.integers(1, 6, size=NUM_PAIRS)) % 6
    first = np.stack((sequence, image, point), 1)
    positives = np.stack((sequence, other_image, point), 1)
    other_point = (point + 1 + rng.integers(counts[sequence] - 1)) % counts[sequence]
    within = np.stack((sequence, other_image, other_point), 1)
    between, of_first = np.zeros((0, 3), np.int64), first[:0]
    if len(counts) > 1:
        other = (sequence + rng.integers(1, len(counts), size=NUM_PAIRS)) % len(counts)
        between = np.stack((other, other_image, rng.integers(counts[other])), 1)
        of_first = first
    points = np.concatenate(
        [np.stack((np.full(int(t.sum()), s), np.flatnonzero(t)), 1) for s, t in enumerate(textured)]
    ).astype(np.int64)
    points = points[rng.permutation(len(points))]
    num_queries = min(MAX_QUERIES, round(QUERY_SHARE * len(points)))
    return HPatchesTasks(
        PatchPairTable(first, positives),
        PatchPairTable(first, within),
        PatchPairTable(of_first, between),
        points[:num_queries],
        points[num_queries : num_queries + MAX_DISTRACTORS],
    )


def _read_pairs(path: Path, names: Sequence[str], num_points: Sequence[int]) -> PatchPairTable:
    table = _rows(path, _PAIR_HEADER)
    first, second = (_located(path, table[:, k : k + 3], names, num_points) for k in (0, 3))
    return PatchPairTable(first, second)


def _read_points(path: Path, names: Sequence[str], num_points: Sequence[int]) -> Table:
    table = _rows(path, _POINT_HEADER)
    reference = np.full((len(table), 1), "0", table.dtype)
    whole = np.concatenate((table[:, :1], reference, table[:, 1:]), axis=1)
    return _located(path, whole, names, num_points)


def _rows(path: Path, header: str) -> np.ndarray:
    """The cells of a file below its header, as text."""
    try:
        lines = read_bytes(path).decode("ascii").split()
    except (CorrError, UnicodeDecodeError) as error:
        raise DatasetError(f"'{path}' cannot be read as text: {error}") from error
    if not lines or lines[0] != header:
        raise DatasetError(f"'{path}' does not begin with the line '{header}'")
    cells = ",".join(lines[1:]).split(",")
    num_columns = header.count(",") + 1
    if len(lines) < 2 or len(cells) != num_columns * (len(lines) - 1):
        raise DatasetError(f"'{path}' has not {num_columns} cells in every line")
    return np.array(cells).reshape(-1, num_columns)


def _located(
    path: Path, cells: np.ndarray, names: Sequence[str], num_points: Sequence[int]
) -> Table:
    found, which = np.unique(cells[:, 0], return_inverse=True)
    missing = sorted(set(found.tolist()) - set(names))
    if missing:
        raise DatasetError(f"'{path}' names sequence '{missing[0]}', which is not there")
    rows = np.array([list(names).index(name) for name in found.tolist()])[which]
    try:
        numbers = cells[:, 1:].astype(np.int64)
    except ValueError as error:
        raise DatasetError(f"'{path}' holds a cell that is no whole number") from error
    counts = np.asarray(num_points)[rows]
    wrong = (numbers < 0).any(1) | (numbers[:, 0] > 5) | (numbers[:, 1] >= counts)
    if wrong.any():
        line = int(wrong.argmax())
        patch = ",".join(cells[line].tolist())
        raise DatasetError(f"'{path}': line {line + 2} names patch {patch}, which is not there")
    return np.column_stack((rows, numbers)).astype(np.int64)
