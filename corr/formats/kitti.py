"""KITTI's disparity and flow as png of 16 bits.

Source: the KITTI stereo and flow development kits,
https://www.cvlibs.net/datasets/kitti/eval_stereo_flow.php
"""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float
from PIL import Image

from corr.errors import FormatError
from corr.formats.atomic import replacing
from corr.formats.suffixes import read_bytes

_DISPARITY_SCALE = 256.0
_FLOW_SCALE = 64.0
_FLOW_ZERO = 2**15
_LARGEST = 2**16 - 1


def read_kitti_disparity(path: str | Path) -> Float[np.ndarray, "H W"]:
    """Disparity in px: value / 256, NaN where the value is 0.

    Raises:
        FormatError: it is not a png of 16 bits and one channel, or it is damaged.
    """
    values = _read_png16(path, 1).astype(np.float32)
    return np.where(values == 0, np.float32(np.nan), values / np.float32(_DISPARITY_SCALE))


def read_png_disparity(path: str | Path, scale: int | float | None) -> Float[np.ndarray, "H W"]:
    """Disparity in px of KITTI's png, or of a grey one of 8 bits: value / scale, NaN where it is 0.

    A warning says how coarse 8 bits are, and that they count as whole px without a scale: who
    wrote them may have scaled them, or have lost half of KITTI's 16 bits.

    Args:
        path: of the file.
        scale: what 1 px is stored as in 8 bits; None takes KITTI's png, and 8 bits for px.

    Raises:
        FormatError: it is neither, or damaged, or the scale is not above 0 or not for 8 bits.
    """
    if scale is not None and not (np.isfinite(scale) and scale > 0):
        raise FormatError(f"the scale of '{path}' is {scale:g}; it is a number above 0")
    values = _decode_png(path)
    if values.dtype != np.uint8:
        if scale is None:
            return read_kitti_disparity(path)
        raise FormatError(
            f"'{path}' has {8 * values.dtype.itemsize} bits; a scale is for a png of 8 bits"
        )
    if values.ndim == 3 and (values[..., :3] != values[..., :1]).any():
        raise FormatError(f"'{path}' is in colour; a disparity map is grey")
    grey = values if values.ndim == 2 else values[..., 0]
    read = (
        "they are read as whole px; if they are scaled, as Middlebury's of 2001 to 2006 are, give "
        "the scale"
        if scale is None
        else f"its disparities go in steps of {1 / scale:.3g} px up to {255 / scale:g} px"
    )
    warnings.warn(
        f"'{path}' has 8 bits a pixel, where KITTI's png has 16 with 256 levels a px: {read}",
        stacklevel=3,
    )
    return np.where(grey == 0, np.float32(np.nan), grey.astype(np.float32) / np.float32(scale or 1))


def write_kitti_disparity(path: str | Path, disparity: Float[np.ndarray, "H W"]) -> None:
    """Write round(256 * disparity), and 0 where it is not finite.

    A known disparity that would round to 0 is written as 1 (1/256 px), so that it stays known.

    Raises:
        FormatError: a disparity is negative or above 255.99 px, or the file cannot be written.
    """
    known = np.isfinite(disparity)
    raw = np.rint(np.where(known, disparity, 0) * _DISPARITY_SCALE)
    if raw.min(initial=0) < 0 or raw.max(initial=0) > _LARGEST:
        raise FormatError(
            f"'{path}': a KITTI png holds disparities from 0 to {_LARGEST / _DISPARITY_SCALE:.2f} "
            f"px, not {np.nanmin(disparity):.2f} to {disparity[known].max():.2f}; use .pfm or .npy"
        )
    _write_png16(path, np.where(known, raw.clip(min=1), 0).astype(np.uint16))


def write_kitti_depth(path: str | Path, depth: Float[np.ndarray, "H W"]) -> None:
    """Write round(256 * depth in metres); 0 where it is unknown or beyond the largest, 255.99 m.

    Source: the development kit of KITTI's depth benchmark,
    https://www.cvlibs.net/datasets/kitti/eval_depth.php?benchmark=depth_prediction

    Raises:
        FormatError: the file cannot be written.
    """
    raw = np.rint(np.where(np.isfinite(depth), depth, 0) * _DISPARITY_SCALE)
    _write_png16(path, np.where(raw > _LARGEST, 0, raw).astype(np.uint16))


def read_kitti_flow(path: str | Path) -> Float[np.ndarray, "H W 2"]:
    """Flow in px: (value - 2^15) / 64, NaN where the third channel (valid) is 0.

    Raises:
        FormatError: it is not a png of 16 bits and three channels, or it is damaged.
    """
    raw = _read_png16(path, 3)[..., ::-1].astype(np.float32)
    flow = (raw[..., :2] - np.float32(_FLOW_ZERO)) / np.float32(_FLOW_SCALE)
    return np.where(raw[..., 2:] > 0, flow, np.float32(np.nan))


def write_kitti_flow(path: str | Path, flow: Float[np.ndarray, "H W 2"]) -> None:
    """Write round(64 * flow) + 2^15 and 1 for valid; all zero where the flow is not finite.

    Raises:
        FormatError: a component is outside [-512, 511.98] px, or the file cannot be written.
    """
    known = np.isfinite(flow).all(axis=2)
    raw = np.rint(np.where(known[..., None], flow, 0) * _FLOW_SCALE) + _FLOW_ZERO
    if raw.min(initial=0) < 0 or raw.max(initial=0) > _LARGEST:
        raise FormatError(
            f"'{path}': a KITTI png holds flow from -512 to 511.98 px, not "
            f"{flow[known].min():.2f} to {flow[known].max():.2f}; use .flo or .npy"
        )
    rgb = np.dstack((raw, np.ones(known.shape))) * known[..., None]
    _write_png16(path, rgb[..., ::-1].astype(np.uint16))


def num_channels(path: str | Path) -> int:
    """How many channels a png has: KITTI's disparity has one, its flow three.

    Raises:
        FormatError: it is not a png, or it is damaged.
    """
    values = _decode_png(path)
    return 1 if values.ndim == 2 else int(values.shape[2])


def _read_png16(path: str | Path, channels: int) -> np.ndarray:
    """The values as OpenCV orders them (blue first)."""
    values = _decode_png(path)
    found = 1 if values.ndim == 2 else values.shape[2]
    if values.dtype != np.uint16 or found != channels:
        raise FormatError(
            f"'{path}' has {8 * values.dtype.itemsize} bits and {found} channels; KITTI's png has "
            f"16 bits and {channels} here"
        )
    return values


def _decode_png(path: str | Path) -> np.ndarray:
    content = read_bytes(path)
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise FormatError(f"'{path}' is not a png, or it is damaged") from error
    values: np.ndarray | None = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    if values is None:
        raise FormatError(f"'{path}' is not a png, or it is damaged")
    return values


def _write_png16(path: str | Path, values: np.ndarray) -> None:
    encoded = cv2.imencode(".png", values)[1]
    with replacing(path) as temporary:
        temporary.write_bytes(encoded.tobytes())
