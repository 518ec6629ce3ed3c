"""Points as text or as NumPy's own file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float, Float64

from corr.errors import FormatError
from corr.formats.atomic import replacing
from corr.formats.npy import read_npy, write_npy
from corr.formats.suffixes import POINTS, check_suffix, read_bytes

_PLACES = ("x", "y")
_PAIRS = ("x0", "y0", "x1", "y1")


def read_points(path: str | Path) -> Float64[np.ndarray, "N 2"]:
    """The points (x, y), px, of a `.npy` of shape (N, 2), or of a `.csv` with one in each line.

    A `.csv` may begin with the line `x,y`.

    Raises:
        FormatError: the file cannot be read, or holds something else.
    """
    return _read(path, _PLACES)


def read_transferred(path: str | Path) -> Float64[np.ndarray, "N 2"]:
    """The points in image 1 of a file that `write_transferred` wrote.

    Raises:
        FormatError: the file cannot be read, or holds something else.
    """
    if check_suffix(path, POINTS) == ".npy":
        return _read(path, _PLACES)
    return _read(path, _PAIRS)[:, 2:]


def write_transferred(
    path: str | Path, points0: Float[np.ndarray, "N 2"], points1: Float[np.ndarray, "N 2"]
) -> None:
    """Write `.csv`, a line `x0,y0,x1,y1` for each point, or `.npy`, those of image 1 alone.

    Raises:
        FormatError: the suffix is not accepted, or the file cannot be written.
    """
    if check_suffix(path, POINTS) == ".npy":
        write_npy(path, points1)
        return
    rows = np.column_stack((points0, points1)).astype(np.float32)
    lines = [",".join(f"{value:.9g}" for value in row) for row in rows]
    with replacing(path) as temporary:
        temporary.write_text("\n".join([",".join(_PAIRS), *lines]) + "\n")


def _read(path: str | Path, names: tuple[str, ...]) -> Float64[np.ndarray, "N C"]:
    """A table with so many columns, of finite numbers."""
    if check_suffix(path, POINTS) == ".npy":
        values = read_npy(path)
        if values.ndim != 2 or values.shape[1] != len(names):
            raise FormatError(
                f"'{path}' holds {values.shape} numbers; points are (N, {len(names)})"
            )
        table = values.astype(np.float64)
    else:
        table = _read_csv(path, names)
    if not np.isfinite(table).all():
        raise FormatError(f"'{path}' holds a point that is not finite")
    return table


def _read_csv(path: str | Path, names: tuple[str, ...]) -> Float64[np.ndarray, "N C"]:
    wanted = f"use {len(names)} numbers with commas between: {','.join(names)}"
    content = read_bytes(path)
    try:
        lines = [line for line in content.decode("utf-8-sig").splitlines() if line.strip()]
        if lines and [cell.strip() for cell in lines[0].split(",")] == list(names):
            lines = lines[1:]
        rows = [[float(cell) for cell in line.split(",")] for line in lines]
    except ValueError as error:
        raise FormatError(f"'{path}' is not a .csv of points; {wanted}") from error
    for number, row in enumerate(rows):
        if len(row) != len(names):
            raise FormatError(f"'{path}' has {len(row)} numbers in row {number + 1}; {wanted}")
    return np.array(rows, np.float64).reshape(-1, len(names))
