"""What benchmarks of `corr match` have in common."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import Int64

from corr.formats import read_matches
from corr.models.network import RATIO
from corr.pipeline.matching import RATIO_BINARY, match
from corr.results import Features, Matches, Picture

_MOST_DRAWN = 300


@dataclass(frozen=True)
class MatchingProtocol:
    """How they match; each adds what else fixes its numbers."""

    images: str = "original size"
    max_keypoints: int = 2048
    matcher: str = "mutual nearest neighbours and ratio test, without geometric verification"
    ratio: float = RATIO
    """Of models that have none of their own; that of a network is in its `network.yaml`."""
    ratio_binary: float = RATIO_BINARY
    """Of binary descriptors."""
    search: str = "auto"
    """Who finds nearest neighbours."""
    rotations: str = "own"
    """When image 1 is also matched turned by quarters, and the turn with most matches kept: as the
    model does by itself (`own`), `none`, `few` or `auto`."""

    def match(self, view0: Picture | Features, image1: Picture, model: str) -> Matches:
        """All matches that the model's matcher accepts.

        Args:
            view0: an image, or its keypoints with what the model says of them.
            image1: the other image.
            model: as for `corr.match`.
        """
        return match(
            view0,
            image1,
            model=model,
            max_keypoints=self.max_keypoints,
            search=self.search,
            rotations=None if self.rotations == "own" else self.rotations,
        )


def read_found(path: Path, image0: Picture, image1: Picture) -> Matches:
    """Matches that `corr match -o` or another program wrote.

    Raises:
        FormatError: it cannot be read.
    """
    found = read_matches(path)
    sizes = image0.shape[:2], image1.shape[:2]
    return Matches(found["keypoints0"], found["keypoints1"], found["scores"], *sizes)


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
