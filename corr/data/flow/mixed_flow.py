"""Several sources of optical flow, each as often as its weight says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from corr.data.flow.frames import FlowFrames, FlowSource
from corr.errors import OptionError


class MixedFlow(FlowSource):
    """Pairs of several sources.

    Args:
        sources: by names of yours.
        weights: how often each is drawn from, by the same names; 1 for those that are left out.

    Raises:
        OptionError: there is no source, a weight is of none of them or below 0, or all are 0.
    """

    def __init__(
        self, sources: dict[str, FlowSource], weights: dict[str, float] | None = None
    ) -> None:
        if not sources:
            raise OptionError("sources is empty; give one or more by name")
        for name, weight in (weights or {}).items():
            if name not in sources:
                raise OptionError(
                    f"weights names '{name}', which is none of the sources: {', '.join(sources)}"
                )
            if not weight >= 0:
                raise OptionError(f"the weight of '{name}' is {weight}; use 0 or more")
        self.sources = sources
        self.weights = {name: float((weights or {}).get(name, 1)) for name in sources}
        total = sum(self.weights.values())
        if total == 0:
            raise OptionError("all weights are 0; give one of the sources more")
        self._shares = [weight / total for weight in self.weights.values()]

    def prepare(self) -> None:
        """Prepare all sources that are drawn from.

        Raises:
            DatasetError: something of one is missing or damaged.
        """
        for name, source in self.sources.items():
            if self.weights[name] > 0:
                source.prepare()

    def draw(self, rng: np.random.Generator) -> FlowFrames:
        """A pair of a random source.

        Raises:
            CorrError: its files cannot be read.
        """
        chosen = int(rng.choice(len(self._shares), p=self._shares))
        return list(self.sources.values())[chosen].draw(rng)

    def split(self) -> tuple[MixedFlow, MixedFlow]:
        """A mix of what is trained on, and one of what is held out.

        Raises:
            DatasetError: one of them is too small.
        """
        parts = {name: one.split() for name, one in self.sources.items() if self.weights[name] > 0}
        kept: Mapping[str, float] = {name: self.weights[name] for name in parts}
        train, held_out = (
            MixedFlow({name: both[side] for name, both in parts.items()}, dict(kept))
            for side in (0, 1)
        )
        return train, held_out

    def held_out(self, count: int) -> Iterator[FlowFrames]:
        """Of each source as many as its share, at least one."""
        for source, share in zip(self.sources.values(), self._shares, strict=True):
            yield from source.held_out(max(1, round(share * count)))
