"""Coloured point clouds as `.ply`, which MeshLab, CloudCompare, Blender and Open3D read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from corr.errors import FormatError
from corr.formats.atomic import replacing
from corr.formats.suffixes import read_bytes

_ROW = np.dtype([("xyz", "<f4", 3), ("rgb", "u1", 3)])
_PROPERTIES = (
    *(f"property float {name}" for name in "xyz"),
    *(f"property uchar {name}" for name in ("red", "green", "blue")),
)


def write_ply(
    path: str | Path,
    points: Float[np.ndarray, "N 3"],
    colours: UInt8[np.ndarray, "N 3"],
    comments: tuple[str, ...] = (),
) -> None:
    """Write points and their colours, binary, little endian.

    Args:
        path: `.ply`.
        points: x, y, z.
        colours: RGB.
        comments: lines of the header, such as the unit.

    Raises:
        FormatError: the file cannot be written.

    Source: Turk 1994, "The PLY Polygon File Format".
    """
    rows = np.empty(len(points), _ROW)
    rows["xyz"], rows["rgb"] = points, colours
    header = (
        "ply",
        "format binary_little_endian 1.0",
        *(f"comment {line}" for line in comments),
        f"element vertex {len(points)}",
        *_PROPERTIES,
        "end_header",
    )
    with replacing(path) as temporary:
        temporary.write_bytes("\n".join(header).encode() + b"\n" + rows.tobytes())


def read_ply(
    path: str | Path,
) -> tuple[Float[np.ndarray, "N 3"], UInt8[np.ndarray, "N 3"], tuple[str, ...]]:
    """Points, colours and comments of a file that `write_ply` wrote.

    Raises:
        FormatError: it is another kind of file, or is damaged.
    """
    content = read_bytes(path)
    header, found, body = content.partition(b"end_header\n")
    lines = header.decode(errors="replace").splitlines()
    counts = [line.split()[-1] for line in lines if line.startswith("element vertex ")]
    known = all(line in lines for line in ("format binary_little_endian 1.0", *_PROPERTIES))
    if not found or lines[:1] != ["ply"] or not known or len(counts) != 1:
        raise FormatError(f"'{path}' is not a .ply file as corr writes it")
    if len(body) != int(counts[0]) * _ROW.itemsize:
        raise FormatError(
            f"'{path}' is damaged: {counts[0]} points need {int(counts[0]) * _ROW.itemsize} bytes, "
            f"it has {len(body)}"
        )
    rows = np.frombuffer(body, _ROW)
    comments = tuple(line[8:] for line in lines if line.startswith("comment "))
    return rows["xyz"].copy(), rows["rgb"].copy(), comments
