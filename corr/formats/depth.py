"""Depth maps in metres; NaN is unknown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float

from corr.formats.kitti import write_kitti_depth
from corr.formats.npy import write_npy
from corr.formats.pfm import write_pfm
from corr.formats.suffixes import DEPTH, check_suffix


def write_depth(path: str | Path, depth: Float[np.ndarray, "H W"]) -> None:
    """Write metres as `.pfm` (unknown is infinite), `.npy`, or KITTI's depth `.png`.

    Raises:
        FormatError: the suffix is another one, or the file cannot be written.
    """
    suffix = check_suffix(path, DEPTH)
    if suffix == ".png":
        write_kitti_depth(path, depth)
    elif suffix == ".pfm":
        write_pfm(path, np.where(np.isfinite(depth), depth, np.inf))
    else:
        write_npy(path, depth.astype(np.float32))
