"""Optical flow in px; NaN is unknown."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float32, Shaped

from corr.errors import FormatError
from corr.formats.atomic import replacing
from corr.formats.kitti import read_kitti_flow, write_kitti_flow
from corr.formats.npy import read_npy, write_npy
from corr.formats.pfm import read_colour_pfm
from corr.formats.suffixes import FLOW, FLOW_READ, check_suffix, read_bytes

_MAGIC = struct.pack("<f", 202021.25)
_UNKNOWN_ABOVE = 1e9
"""Of a component, px. Programs that read a `.flo` keep its 1e10 in a `.npy`, too."""
_UNKNOWN = 1e10


def read_flow(path: str | Path) -> Float[np.ndarray, "H W 2"]:
    """The field in a `.flo`, `.npy`, KITTI `.png`, or SceneFlow's `.pfm` of three channels.

    Raises:
        FormatError: the suffix is another one, or the content is not a flow field.
    """
    suffix = check_suffix(path, FLOW_READ)
    if suffix == ".png":
        return read_kitti_flow(path)
    if suffix == ".flo":
        return read_flo(path)
    if suffix == ".pfm":
        return _known_only(read_colour_pfm(path)[..., :2])
    flow = read_npy(path)
    if flow.ndim != 3 or flow.shape[2] != 2:
        raise FormatError(f"'{path}' holds {flow.shape} values; a flow field is (H, W, 2)")
    return _known_only(flow)


def write_flow(path: str | Path, flow: Float[np.ndarray, "H W 2"]) -> None:
    """Write a `.flo`, `.npy` or KITTI `.png`.

    Raises:
        FormatError: the suffix is another one, a value does not fit the format, or the file cannot
            be written.
    """
    suffix = check_suffix(path, FLOW)
    if suffix == ".png":
        write_kitti_flow(path, flow)
    elif suffix == ".flo":
        write_flo(path, flow)
    else:
        write_npy(path, flow.astype(np.float32))


def read_flo(path: str | Path) -> Float[np.ndarray, "H W 2"]:
    """Middlebury's `.flo`; vectors above 1e9 are unknown.

    Source: Baker et al. 2011, "A Database and Evaluation Methodology for Optical Flow", and
    https://vision.middlebury.edu/flow/code/flow-code/README.txt

    Raises:
        FormatError: it is not a `.flo`, or it is damaged.
    """
    content = read_bytes(path)
    if content[:4] == _MAGIC[::-1]:
        raise FormatError(f"'{path}' has its bytes in the other order; a .flo is little endian")
    if content[:4] != _MAGIC or len(content) < 12:
        raise FormatError(f"'{path}' is not a .flo file: it does not begin with 202021.25")
    width, height = struct.unpack("<ii", content[4:12])
    if width < 1 or height < 1:
        raise FormatError(f"'{path}' is damaged: it says that it has {width} x {height} vectors")
    needed = 12 + 8 * width * height
    if len(content) != needed:
        raise FormatError(
            f"'{path}' is damaged: {width} x {height} vectors need {needed} bytes, "
            f"it has {len(content)}"
        )
    return _known_only(np.frombuffer(content, "<f4", offset=12).reshape(height, width, 2))


def _known_only(flow: Shaped[np.ndarray, "H W 2"]) -> Float32[np.ndarray, "H W 2"]:
    """The vectors, NaN where they stand for none."""
    known = (np.abs(flow) <= _UNKNOWN_ABOVE).all(axis=2, keepdims=True)
    values: Float32[np.ndarray, "H W 2"] = np.where(known, flow, np.nan).astype(np.float32)
    return values


def write_flo(path: str | Path, flow: Float[np.ndarray, "H W 2"]) -> None:
    """Write Middlebury's `.flo`, with 1e10 where the flow is not finite.

    Raises:
        FormatError: the file cannot be written.
    """
    height, width = flow.shape[:2]
    known = np.isfinite(flow).all(axis=2, keepdims=True)
    values = np.where(known, flow, _UNKNOWN).astype("<f4")
    with replacing(path) as temporary:
        temporary.write_bytes(_MAGIC + struct.pack("<ii", width, height) + values.tobytes())
