"""Flow or disparity from a file that does not say in its name which it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from corr.errors import FormatError
from corr.formats.disparity import read_disparity
from corr.formats.flow import read_flow
from corr.formats.kitti import num_channels
from corr.formats.npy import read_npy
from corr.formats.pfm import is_colour_pfm
from corr.formats.suffixes import DISPARITY, FLOW, check_suffix


def read_map(path: str | Path) -> np.ndarray:
    """Flow `(H, W, 2)` or disparity `(H, W)`, px, NaN where unknown.

    A `.flo` holds flow; the shape of a `.npy` and the channels of a `.pfm` or a KITTI `.png` tell
    which they hold.

    Raises:
        FormatError: the suffix is another one, or the content is neither.
    """
    suffix = check_suffix(path, tuple(dict.fromkeys((*FLOW, *DISPARITY))))
    if suffix == ".flo":
        return read_flow(path)
    if suffix == ".pfm":
        return read_flow(path) if is_colour_pfm(path) else read_disparity(path)
    if suffix == ".png":
        return read_flow(path) if num_channels(path) == 3 else read_disparity(path)
    shape = read_npy(path).shape
    if 0 in shape or not (len(shape) == 2 or (len(shape) == 3 and shape[2] == 2)):
        raise FormatError(f"'{path}' holds {shape} values; flow is (H, W, 2) and disparity (H, W)")
    return read_flow(path) if len(shape) == 3 else read_disparity(path)
