"""Batches of frames with flow: as they travel from a worker, and as a network is trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Float32, UInt8
from torch import Tensor

from corr.data.flow.frames import FlowFrames, FlowSource
from corr.data.resumable import TRAIN, ShareOfSteps

_FRAMES, _SEED = 1, 2
"""Streams of random numbers beside that of the steps."""


class FlowBatch(NamedTuple):
    """B pairs of frames of one size."""

    images0: Float[Tensor, "B 3 H W"]
    """RGB in [0, 1]."""
    images1: Float[Tensor, "B 3 H W"]
    flow_0to1: Float32[Tensor, "B 2 H W"]
    """px; NaN where it is not known."""
    occluded: Bool[Tensor, "B H W"]
    """True where image 1 does not show the point, as far as that is known."""


class WholeFrames(NamedTuple):
    """Pairs of frames before they are augmented; their sizes may differ."""

    images0: list[UInt8[Tensor, "3 _ _"]]
    images1: list[UInt8[Tensor, "3 _ _"]]
    flow_0to1: list[Float32[Tensor, "2 _ _"]]
    occluded: list[Bool[Tensor, "_ _"]]
    seed: int
    """Of how they are augmented."""


def batch_of(frames: FlowFrames) -> FlowBatch:
    """One pair as it is."""
    return FlowBatch(
        frames.image0[None].float() / 255,
        frames.image1[None].float() / 255,
        frames.flow_0to1[None],
        frames.occluded[None],
    )


def whole_frames(pairs: Sequence[FlowFrames], seed: int) -> WholeFrames:
    """Several pairs, to be augmented by a seed."""
    images0, images1, flow, occluded = (list(column) for column in zip(*pairs, strict=True))
    return WholeFrames(images0, images1, flow, occluded, seed)


@dataclass(frozen=True, kw_only=True)
class TrainingFrames(ShareOfSteps):
    """Makes the frames of any step.

    Pair number n is a function of n alone. A step draws its batch from `pool` pairs with
    consecutive numbers, and the pool moves on by `batch_size / reuse` pairs a step; so each pair is
    used about `reuse` times, each time augmented in another way, and made once if one worker makes
    all the steps. What a step draws depends on nothing but its number.
    """

    source: FlowSource
    batch_size: int
    reuse: int = 1
    pool: int = 128
    _made: dict[int, FlowFrames] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __call__(self, step: int) -> WholeFrames:
        """The frames, the same whenever and wherever they are made."""
        numbers = self.numbers(step)
        for old in [number for number in self._made if number < self._first(step)]:
            del self._made[old]
        pairs = [self._pair(number) for number in numbers]
        seed = np.random.SeedSequence((TRAIN, self.seed, self._share(step), _SEED))
        return whole_frames(pairs, int(seed.generate_state(1)[0]))

    def numbers(self, step: int) -> list[int]:
        """Which pairs a step uses."""
        first = self._first(step)
        if self.reuse == 1:
            return list(range(first, first + self.batch_size))
        size = max(self.pool, self.batch_size)
        return [first + int(n) for n in self.rng(step).choice(size, self.batch_size, replace=False)]

    def _first(self, step: int) -> int:
        return step * self.batch_size // self.reuse

    def _share(self, step: int) -> int:
        return step * self.num_ranks + self.rank

    def _pair(self, number: int) -> FlowFrames:
        if number not in self._made:
            stream = (TRAIN, self.seed, number * self.num_ranks + self.rank, _FRAMES)
            pair = self.source.draw(np.random.default_rng(stream))
            if self.reuse == 1:
                return pair
            self._made[number] = pair
        return self._made[number]
