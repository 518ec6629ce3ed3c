"""Pairs of one source, and now and then of another."""

from __future__ import annotations

import numpy as np

from corr.data.correspondence.dense_pair import DensePair, PairSource
from corr.errors import OptionError


class MixedPairs(PairSource):
    """Pairs of the things of a source; some are replaced by pairs of a second source.

    Args:
        source: what most pairs come from.
        beside: what the others come from, of any of its things.
        share: of them, on average.

    Raises:
        OptionError: the share is not in [0, 1].
    """

    def __init__(self, source: PairSource, beside: PairSource, share: float = 0.25) -> None:
        if not 0 <= share <= 1:
            raise OptionError(f"share is {share}; use a value in [0, 1]")
        self._source = source
        self._beside = beside
        self._share = share

    def __len__(self) -> int:
        return len(self._source)

    def pair(self, index: int, side: int, rng: np.random.Generator) -> DensePair:
        """A pair of thing `index`, or of a random thing of the other source."""
        if rng.random() < self._share:
            return self._beside.pair(int(rng.integers(len(self._beside))), side, rng)
        return self._source.pair(index, side, rng)
