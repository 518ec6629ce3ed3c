"""One cost of several: what a pixel's window says joined with what a network says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import UInt16

from corr.volume.presets import Preset
from corr.volume.strips import RowsCost

UNIT = 56
"""P1 of a sum. Each cost is scaled to it before they are rounded to whole numbers."""


def mean_cost(parts: Sequence[tuple[RowsCost, Preset]]) -> tuple[RowsCost, Preset]:
    """The mean of several costs, each in the unit of its own P1, and settings that suit it.

    What a change of disparity by one costs is the one unit that all presets share: it makes bits of
    census and angles of descriptors comparable. All else is as the first of the presets says.

    Args:
        parts: one or more costs, whole numbers, each with its preset; one alone stays as it is.
    """
    if len(parts) == 1:
        return parts[0]
    shares = [UNIT / (chosen.penalties.small * len(parts)) for _, chosen in parts]

    def rows(top: int, bottom: int) -> UInt16[np.ndarray, "H W D"]:
        total: np.ndarray | None = None
        for (cost, _), share in zip(parts, shares, strict=True):
            volume = cost(top, bottom)
            scaled = np.empty(volume.shape, np.uint16)
            for line, out in zip(volume, scaled, strict=True):  # no copy of the whole in floats
                out[:] = np.rint(line * np.float32(share))
            total = scaled if total is None else np.add(total, scaled, out=total)
        assert total is not None
        return total

    first = parts[0][1]
    scale = UNIT / first.penalties.small
    penalties = replace(first.penalties, small=UNIT, large=round(first.penalties.large * scale))
    return rows, replace(first, penalties=penalties)
