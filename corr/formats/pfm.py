"""Portable float maps: rows from bottom to top, byte order given by the sign of the scale."""

from __future__ import annotations

import math
import re
from pathlib import Path

import numpy as np
from jaxtyping import Float

from corr.errors import FormatError
from corr.formats.atomic import replacing
from corr.formats.suffixes import read_bytes

_HEADER = re.compile(rb"^(Pf|PF)\s+(\d+)\s+(\d+)\s+([+-]?[\d.]+(?:[eE][+-]?\d+)?)[ \t]*\r?\n")

_KINDS = {b"Pf": "a PFM of one channel ('Pf')", b"PF": "a colour PFM ('PF')"}

_SMALLEST, _LARGEST = 1e-6, 1e9
"""Between them are the numbers of a map; bytes in the wrong order seldom are."""


def read_pfm(path: str | Path) -> Float[np.ndarray, "H W"]:
    """The values as stored, first row at the top; unknown ones are often infinite.

    Source: Debevec, "PFM Portable FloatMap Image Format", https://www.pauldebevec.com/Research/HDR/PFM/

    Raises:
        FormatError: it is not a one-channel PFM, or it is damaged.
    """
    return _read(path, b"Pf")


def read_colour_pfm(path: str | Path) -> Float[np.ndarray, "H W 3"]:
    """The values of a PFM of three channels, as SceneFlow's flow is, first row at the top.

    Raises:
        FormatError: it is not such a PFM, or it is damaged.
    """
    return _read(path, b"PF")


def is_colour_pfm(path: str | Path) -> bool:
    """Whether a file begins as a PFM of three channels does."""
    return read_bytes(path)[:2] == b"PF"


def _read(path: str | Path, wanted: bytes) -> Float[np.ndarray, "H W *C"]:
    content = read_bytes(path)
    header = _HEADER.match(content[:256])
    if header is None:
        raise FormatError(f"'{path}' is not a PFM file: its header is not 'Pf', size and scale")
    kind, width, height, scale = header.groups()
    if kind != wanted:
        raise FormatError(f"'{path}' is {_KINDS[kind]}; {_KINDS[wanted]} is needed")
    shape = (int(height), int(width), *((3,) if kind == b"PF" else ()))
    values = content[header.end() :]
    if len(values) != 4 * math.prod(shape) or not values:
        raise FormatError(
            f"'{path}' is damaged: {shape[1]} x {shape[0]} values need {4 * math.prod(shape)} "
            f"bytes, it has {len(values)}"
        )
    if float(scale) == 0:
        raise FormatError(f"'{path}' has the scale 0, whose sign gives no byte order")
    order, other = ("<f4", ">f4") if float(scale) < 0 else (">f4", "<f4")
    if _usual(values, order) < 0.5 and _usual(values, other) > 0.95:
        raise FormatError(
            f"'{path}' has its bytes in the other order than the sign of its scale, "
            f"{scale.decode()}, says; its header is wrong"
        )
    return np.frombuffer(values, order).reshape(shape)[::-1].astype(np.float32)


def _usual(values: bytes, dtype: str) -> float:
    """Share of the numbers of a size that pixels, metres and shares have, or 0 or infinite."""
    with np.errstate(invalid="ignore"):
        size = np.abs(np.frombuffer(values, dtype).astype(np.float32))
    usual = (size == 0) | np.isposinf(size) | ((size > _SMALLEST) & (size < _LARGEST))
    return float(usual.mean())


def write_pfm(path: str | Path, values: Float[np.ndarray, "H W"]) -> None:
    """Write values as they are: little endian, scale -1.

    Raises:
        FormatError: the file cannot be written.
    """
    height, width = values.shape
    with replacing(path) as temporary:
        temporary.write_bytes(
            f"Pf\n{width} {height}\n-1\n".encode() + values[::-1].astype("<f4").tobytes()
        )
