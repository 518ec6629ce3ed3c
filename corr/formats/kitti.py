"""KITTI's disparity and flow as png of 16 bits.

Source: the KITTI stereo and flow development kits,
https://www.cvlibs.net/datasets/kitti/eval_stereo_flow.php
"""

from __future__ import annotations

import io
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


def _read_png16(path: str | Path, channels: int) -> np.ndarray:
    """The values as OpenCV orders them (blue first)."""
    content = read_bytes(path)
    try:
        with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
            image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise FormatError(f"'{path}' is not a png, or it is damaged") from error
    values: np.ndarray | None = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_UNCHANGED)
    found = 0 if values is None else 1 if values.ndim == 2 else values.shape[2]
    if values is None or values.dtype != np.uint16 or found != channels:
        bits = "no" if values is None else str(8 * values.dtype.itemsize)
        raise FormatError(
            f"'{path}' has {bits} bits and {found} channels; KITTI's png has 16 bits and "
            f"{channels} here"
        )
    return values


def _write_png16(path: str | Path, values: np.ndarray) -> None:
    encoded = cv2.imencode(".png", values)[1]
    with replacing(path) as temporary:
        temporary.write_bytes(encoded.tobytes())
