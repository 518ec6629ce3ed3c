"""Winners of a large image from volumes of a few of its rows at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Integer, UInt8

from corr.errors import OptionError
from corr.volume.presets import Preset
from corr.volume.readout import Winners, read_winners
from corr.volume.scan import winners_on
from corr.volume.sgm import sweep

Volume = Integer[np.ndarray, "H W D"] | Float[np.ndarray, "H W D"]

RowsCost = Callable[[int, int], Volume]
"""The cost volume of the rows from the first number to before the second."""

STRIP_SCORES = 400_000_000
"""Most entries of a volume held at once; with its path costs each takes five bytes."""

OVERLAP = 48
"""Rows computed beyond a strip at either side, px. What a path knows from so far away has been
outweighed by what it met since."""


def winners_of_strips(
    cost: RowsCost,
    guide: UInt8[np.ndarray, "H W"],
    max_disparity: int,
    chosen: Preset,
    *,
    strip_scores: int | None = None,
    device: torch.device | None = None,
) -> Winners:
    """Semi-global matching and read-out; exact where the whole volume is within the limit.

    A larger image is cut into strips of rows that overlap. Memory then depends on the limit alone;
    at the seams paths start `OVERLAP` rows away rather than at the border of the image.

    Args:
        cost: gives the cost volume of some rows.
        guide: grey left image, whose edges lower P2.
        max_disparity: disparities 0 to this minus 1.
        chosen: settings of the paths and the read-out.
        strip_scores: most entries of a volume; `STRIP_SCORES` when not given.
        device: CUDA computes by torch, with equal results; everything else by the CPU.

    Raises:
        ShapeError: a volume does not fit the guide.
        OptionError: not even a strip of rows is within the limit; or bad costs, see `sweep`.
    """
    height, width = guide.shape
    rows = strip_rows(height, width, max_disparity, strip_scores)
    parts = []
    for top in range(0, height, rows):
        bottom = min(top + rows, height)
        start, stop = max(0, top - OVERLAP), min(height, bottom + OVERLAP)
        volume, rows_guide = cost(start, stop), guide[start:stop]
        inner = slice(top - start, bottom - start)
        if device is None or device.type != "cuda":
            sweeps = sweep(volume, rows_guide, chosen.penalties, num_paths=chosen.num_paths)
            parts.append(read_winners(sweeps[:, inner], chosen.subpixel))
            del sweeps  # before the next are made
        else:
            parts.append(winners_on(device, volume, rows_guide, inner, chosen))
    return Winners(
        np.concatenate([part.disparity for part in parts]),
        np.concatenate([part.peak_ratio for part in parts]),
        np.concatenate([part.right for part in parts]),
    )


def strip_rows(height: int, width: int, max_disparity: int, strip_scores: int | None = None) -> int:
    """Rows of a strip, without its overlaps: all where the volume is within the limit.

    Raises:
        OptionError: overlaps alone are beyond the limit.
    """
    strip_scores = strip_scores or STRIP_SCORES
    most = strip_scores // (width * max_disparity)
    if most >= height:
        return height
    if most <= 2 * OVERLAP:
        raise OptionError(
            f"{width} pixels and {max_disparity} disparities are "
            f"{width * max_disparity / 1e6:.1f} million scores a row, and at most "
            f"{strip_scores / (2 * OVERLAP + 1) / 1e6:.1f} are computed; use smaller images or a "
            "smaller max_disparity"
        )
    num_strips = -(-height // (most - 2 * OVERLAP))
    return -(-height // num_strips)
