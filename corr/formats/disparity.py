"""Disparity maps in px; NaN is unknown."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float

from corr.errors import FormatError
from corr.formats.kitti import (
    read_png_disparity,
    write_kitti_disparity,
)
from corr.formats.npy import read_npy, write_npy
from corr.formats.pfm import read_pfm, write_pfm
from corr.formats.suffixes import DISPARITY, check_suffix


def read_disparity(
    path: str | Path, *, scale: int | float | None = None
) -> Float[np.ndarray, "H W"]:
    """The map in a `.pfm`, `.npy` or KITTI `.png`; or in a `.png` of 8 bits, with a warning.

    Args:
        path: of the file.
        scale: what 1 px is stored as in a `.png` of 8 bits, such as Middlebury's 4; they count as
            whole px when not given.

    Raises:
        FormatError: the suffix is another one, or the content is not a disparity map.
    """
    suffix = check_suffix(path, DISPARITY)
    if suffix == ".png":
        return read_png_disparity(path, scale)
    if scale is not None:
        raise FormatError(f"'{path}' holds disparities in px; a scale is for a .png of 8 bits")
    disparity = read_pfm(path) if suffix == ".pfm" else read_npy(path)
    if disparity.ndim != 2:
        raise FormatError(f"'{path}' holds {disparity.shape} values; a disparity map is (H, W)")
    return np.where(np.isfinite(disparity), disparity, np.float32(np.nan)).astype(np.float32)


def write_disparity(path: str | Path, disparity: Float[np.ndarray, "H W"]) -> None:
    """Write a `.pfm` (unknown is infinite, as Middlebury's), `.npy` or KITTI `.png`.

    Raises:
        FormatError: the suffix is another one, a value does not fit the format, or the file cannot
            be written.
    """
    suffix = check_suffix(path, DISPARITY)
    if suffix == ".png":
        write_kitti_disparity(path, disparity)
    elif suffix == ".pfm":
        write_pfm(path, np.where(np.isfinite(disparity), disparity, np.inf))
    else:
        write_npy(path, disparity.astype(np.float32))
