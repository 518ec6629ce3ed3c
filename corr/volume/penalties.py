"""What a change of disparity between neighbours costs, by their difference in brightness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int16, UInt8

from corr.errors import OptionError

Table = Int16[np.ndarray, " 256"]
"""A penalty for each difference in grey levels."""


@dataclass(frozen=True)
class Penalties:
    """P2 falls with the contrast. In units of the volume."""

    small: int = 14
    """P1: for a change by 1."""
    large: int = 120
    """P2: for a larger change, between pixels of about the same brightness."""
    contrast: float = 8.0
    """Grey levels between two neighbours from which P2 falls, as `large * contrast / difference`,
    though never below `small`: depth is more likely to jump at an edge of the image."""

    def __post_init__(self) -> None:
        _check(self.small, self.large)
        if not self.contrast > 0:
            raise OptionError(f"contrast is {self.contrast}; use a value above 0")

    def tables(self, guide: UInt8[np.ndarray, "H W"]) -> tuple[Table, Table]:
        """P1 and P2 for each difference in brightness between two neighbours.

        Source: Hirschmueller 2008, "Stereo Processing by Semiglobal Matching and Mutual
        Information", below equation 13.
        """
        difference = np.maximum(np.arange(256), self.contrast)
        large = np.rint(self.large * self.contrast / difference)
        return np.full(256, self.small, np.int16), np.maximum(large, self.small).astype(np.int16)


@dataclass(frozen=True)
class StepPenalties:
    """P1 and P2 are both divided at edges of the image. In units of the volume."""

    small: int
    """P1, away from edges."""
    large: int
    """P2, away from edges."""
    edge: float
    """Two neighbours that differ by more form an edge; in standard deviations of the image."""
    quotient: float
    """By which both are divided there."""

    def __post_init__(self) -> None:
        _check(self.small, self.large)
        if not (self.edge >= 0 and self.quotient >= 1):
            raise OptionError(
                f"edge is {self.edge} and quotient {self.quotient}; use 0 or more and 1 or more"
            )

    def tables(self, guide: UInt8[np.ndarray, "H W"]) -> tuple[Table, Table]:
        """P1 and P2 for each difference in brightness between two neighbours.

        Source: Zbontar and LeCun 2016, "Stereo matching by training a convolutional neural network
        to compare image patches", section 4.2, for edges of both images.
        """
        share = np.where(np.arange(256) > self.edge * float(guide.std()), 1 / self.quotient, 1.0)
        small, large = (
            np.rint(penalty * share).astype(np.int16) for penalty in (self.small, self.large)
        )
        return small, large


def _check(small: int, large: int) -> None:
    if not 0 <= small <= large:
        raise OptionError(f"penalties are small {small} and large {large}; use 0 <= small <= large")
