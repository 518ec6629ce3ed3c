"""What every source of optical flow gives: two whole frames, and where each pixel of one went."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float32, UInt8
from torch import Tensor

from corr.data.resumable import VAL


class FlowFrames(NamedTuple):
    """Two frames of one size, which differs from pair to pair in some sets."""

    image0: UInt8[Tensor, "3 H W"]
    """RGB."""
    image1: UInt8[Tensor, "3 H W"]
    flow_0to1: Float32[Tensor, "2 H W"]
    """px; `target = p + flow(p)`, also where image 1 does not show the point. NaN: unknown."""
    occluded: Bool[Tensor, "H W"]
    """True where image 1 does not show the point, as far as the source tells."""


class FlowSource(ABC):
    """Pairs of frames that training draws from."""

    @abstractmethod
    def draw(self, rng: np.random.Generator) -> FlowFrames:
        """A random pair, by the random numbers alone.

        Raises:
            CorrError: its files cannot be read.
        """

    @abstractmethod
    def split(self) -> tuple[FlowSource, FlowSource]:
        """What is trained on, and what is held out of it.

        Raises:
            DatasetError: there is too little to hold anything out.
        """

    @abstractmethod
    def prepare(self) -> None:
        """Look for files, and read what all pairs share; training starts only if that works.

        Raises:
            DatasetError: something is missing or damaged.
        """

    def held_out(self, count: int) -> Iterator[FlowFrames]:
        """The same pairs at each call, at most so many, to validate with."""
        return (self.draw(np.random.default_rng((VAL, number))) for number in range(count))
