"""A part of a source of pairs that is held out, and the rest."""

from __future__ import annotations

import math

import numpy as np

from corr.data.correspondence.dense_pair import DensePair, PairSource

EVERY = 10
"""One thing of so many is held out."""


class HeldOut(PairSource):
    """Every tenth thing of a source, from the first."""

    def __init__(self, source: PairSource) -> None:
        self._source = source

    def __len__(self) -> int:
        return math.ceil(len(self._source) / EVERY)

    def pair(self, index: int, side: int, rng: np.random.Generator) -> DensePair:
        """A pair of one of them."""
        return self._source.pair(EVERY * index, side, rng)


class Rest(PairSource):
    """All the others."""

    def __init__(self, source: PairSource) -> None:
        self._source = source

    def __len__(self) -> int:
        return len(self._source) - len(HeldOut(self._source))

    def pair(self, index: int, side: int, rng: np.random.Generator) -> DensePair:
        """A pair of one of them."""
        return self._source.pair(index + index // (EVERY - 1) + 1, side, rng)
