"""What benchmarks of `corr match` have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from corr.formats import read_matches
from corr.results import Matches, Picture

_MOST_DRAWN = 300


def read_found(path: Path, image0: Picture, image1: Picture) -> Matches:
    """Matches that `corr match -o` or another program wrote.

    Raises:
        FormatError: it cannot be read.
    """
    found = read_matches(path)
    sizes = image0.shape[:2], image1.shape[:2]
    return Matches(found["keypoints0"], found["keypoints1"], found["scores"], *sizes)


def turns(rotations: str) -> str | None:
    """What `corr.match` calls `--rotations`."""
    return None if rotations == "own" else rotations


def some_matches(found: Matches) -> Matches:
    """As many as a picture can show, chosen at random, the same each time."""
    chosen = np.random.default_rng(0).permutation(len(found))[:_MOST_DRAWN]
    return replace(
        found,
        keypoints0=found.keypoints0[chosen],
        keypoints1=found.keypoints1[chosen],
        scores=found.scores[chosen],
    )


def orders(num_matches: int, num_orders: int) -> Iterator[Int64[np.ndarray, " K"]]:
    """Orders of matches in which an estimator sees them: as they are, then shuffled."""
    yield np.arange(num_matches)
    for seed in range(1, num_orders):
        yield np.random.default_rng(seed).permutation(num_matches)
