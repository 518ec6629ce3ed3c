"""Semi-global matching: smooth disparities from any cost volume."""

from __future__ import annotations

from typing import no_type_check

import numpy as np
from jaxtyping import Float, Integer, UInt8, UInt16

from corr.compiled import compiled, in_parallel, in_pieces
from corr.errors import OptionError, ShapeError
from corr.volume.penalties import Penalties, StepPenalties

FLOAT_LEVELS = 255
"""A float cost c in [0, 1] counts as the whole number `round(255 c)`; penalties are in its unit."""

MAX_PATH_COST = 8191
"""Largest cost plus penalty: eight paths of it still fit 16 bits."""

_WALL = np.int16(16000)


def aggregate(
    cost: Integer[np.ndarray, "H W D"] | Float[np.ndarray, "H W D"],
    guide: UInt8[np.ndarray, "H W"],
    penalties: Penalties | StepPenalties | None = None,
    *,
    num_paths: int = 8,
) -> UInt16[np.ndarray, "H W D"]:
    """The cost of each disparity along straight paths from all sides, summed over the paths.

    Arguments, errors and source are those of `sweep`, whose two volumes are added here.
    """
    sweeps = sweep(cost, guide, penalties, num_paths=num_paths)
    summed: UInt16[np.ndarray, "H W D"] = sweeps[0]
    in_pieces(
        lambda top, bottom: np.add(summed[top:bottom], sweeps[1, top:bottom], summed[top:bottom]),
        len(summed),
    )
    return summed


def sweep(
    cost: Integer[np.ndarray, "H W D"] | Float[np.ndarray, "H W D"],
    guide: UInt8[np.ndarray, "H W"],
    penalties: Penalties | StepPenalties | None = None,
    *,
    num_paths: int = 8,
) -> UInt16[np.ndarray, "2 H W D"]:
    """The path costs of two opposite halves of the paths; together they are `aggregate`'s.

    One thread sweeps down and one up; each adds four of the eight paths (the one along the row and
    the three from the row before) to a volume of its own. Whoever reads them adds them on the way.

    Args:
        cost: uint8, uint16, or float in [0, 1] (see `FLOAT_LEVELS`); lower is better.
        guide: grey left image, whose edges lower P2.
        penalties: P1 and P2.
        num_paths: 8, or 4 for rows and columns only.

    Raises:
        ShapeError: the guide has another size than the volume, or the volume is empty.
        OptionError: another number of paths, another type, or costs too high for 16 bits.

    Source: Hirschmueller 2008, equations 13 and 14.
    """
    penalties = penalties or Penalties()
    cost = checked_costs(cost, guide, penalties, num_paths)
    small, large = penalties.tables(guide)
    totals = np.zeros((2, *cost.shape), np.uint16)
    first, step = (0, 1) if num_paths == 8 else (1, 2)
    in_parallel(
        [
            lambda: _sweep(cost, guide, small, large, first, step, 1, totals[0]),
            lambda: _sweep(cost, guide, small, large, first, step, -1, totals[1]),
        ]
    )
    return totals


def checked_costs(
    cost: Integer[np.ndarray, "H W D"] | Float[np.ndarray, "H W D"],
    guide: UInt8[np.ndarray, "H W"],
    penalties: Penalties | StepPenalties,
    num_paths: int,
) -> UInt8[np.ndarray, "H W D"] | UInt16[np.ndarray, "H W D"]:
    """The costs as whole numbers, of which the paths' sums fit 16 bits; arguments as of `sweep`.

    Raises:
        ShapeError: an image of another size, or a volume without a value.
        OptionError: another number of paths, or costs and penalties that do not fit.
    """
    if guide.shape != cost.shape[:2] or cost.size == 0:
        raise ShapeError(f"a volume of {cost.shape} does not fit an image of {guide.shape}")
    if num_paths not in (4, 8):
        raise OptionError(f"num_paths is {num_paths}; use 4 or 8")
    whole = np.ascontiguousarray(_whole_costs(cost))
    highest = int(whole.max()) + penalties.large
    if highest > MAX_PATH_COST:
        raise OptionError(
            f"cost and large penalty add up to {highest}; use at most {MAX_PATH_COST} together"
        )
    return whole


def _whole_costs(
    cost: Integer[np.ndarray, "H W D"] | Float[np.ndarray, "H W D"],
) -> UInt8[np.ndarray, "H W D"] | UInt16[np.ndarray, "H W D"]:
    if cost.dtype in (np.uint8, np.uint16):
        return cost
    if not np.issubdtype(cost.dtype, np.floating):
        raise OptionError(f"a cost volume is uint8, uint16 or float in [0, 1], not {cost.dtype}")
    if not (cost.min() >= 0 and cost.max() <= 1):
        raise OptionError(
            f"float costs from {cost.min()} to {cost.max()} were given; use costs in [0, 1]"
        )
    whole: UInt8[np.ndarray, "H W D"] = np.rint(cost * FLOAT_LEVELS).astype(np.uint8)
    return whole


@compiled
@no_type_check
def _step(before, lowest_before, cost, small, large, after, total):  # noqa: PLR0917
    """One pixel of one path: its costs are written and added to the total; their lowest returned.

    Rows have a wall at either end, so that the loop has no special case. Each intermediate value is
    cut to 16 bits: numba would compute in 64, four at a time instead of sixteen.
    """
    limit = np.int16(lowest_before + large)
    lowest = np.int16(32767)
    for d in range(cost.shape[0]):
        change = min(np.int16(before[d] + small), np.int16(before[d + 2] + small))
        best = min(before[d + 1], limit, change)
        value = np.int16(np.int16(cost[d]) + np.int16(best - lowest_before))
        after[d + 1] = value
        total[d] = np.uint16(total[d] + np.uint16(value))
        lowest = min(lowest, value)
    return lowest


@compiled
@no_type_check
def _sweep(cost, guide, small, large, first, step, forward, total):  # noqa: PLR0917
    """Four paths in one pass over the image.

    Path p < 3 comes from the row before, from the pixel behind, at, or ahead; path 3 comes from the
    pixel behind in the same row. `forward` is 1 from the top left, -1 from the bottom right.
    """
    height, width, depth = cost.shape
    rows = np.zeros((2, 4, width + 2, depth + 2), np.int16)
    lowest = np.zeros((2, 4, width + 2), np.int16)
    rows[:, :, :, 0] = _WALL
    rows[:, :, :, depth + 1] = _WALL
    for i in range(height):
        y = i if forward == 1 else height - 1 - i
        now, before = i & 1, (i & 1) ^ 1
        for j in range(width):
            x = j if forward == 1 else width - 1 - j
            for p in range(first, 4, step):
                source, slot, y_from = before, j + p, y - forward
                if p == 3:
                    source, slot, y_from = now, j, y
                x_from = x + (slot - 1 - j) * forward
                difference = 0
                if 0 <= y_from < height and 0 <= x_from < width:
                    difference = abs(np.int64(guide[y, x]) - np.int64(guide[y_from, x_from]))
                lowest[now, p, j + 1] = _step(
                    rows[source, p, slot],
                    lowest[source, p, slot],
                    cost[y, x],
                    small[difference],
                    large[difference],
                    rows[now, p, j + 1],
                    total[y, x],
                )
