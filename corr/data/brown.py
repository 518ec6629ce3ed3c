"""Brown's PhotoTour patches: sheets of 16 x 16 patches, the point of each, and pairs to judge by.

Source: Brown 2011, "Discriminative Learning of Local Image Descriptors", and the notes that come
with each of the sets Liberty, Notre Dame and Yosemite.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Bool, Int64, UInt8

from corr.data.layouts import refusal
from corr.errors import CorrError, DatasetError, OptionError
from corr.formats.images import read_image
from corr.formats.suffixes import read_bytes
from corr.geometry import PATCH_SIZE

SHEET_SIDE, PUBLISHED_SIDE = 1024, 64
"""Of a sheet and of a patch in it, px."""
PER_SHEET = (SHEET_SIDE // PUBLISHED_SIDE) ** 2

_NUMBER = re.compile(r"-?[0-9]{1,18}")
_EXPECTED = "files such as patches0000.bmp and info.txt"


@dataclass(frozen=True, eq=False)
class BrownPatches:
    """One of the three sets."""

    patches: UInt8[np.ndarray, "N P P"]
    point_ids: Int64[np.ndarray, " N"]
    """The same for patches of the same point of the scene, from different photographs."""


@dataclass(frozen=True, eq=False)
class BrownPairs:
    """Pairs of patches that a published file lists for FPR95."""

    first: Int64[np.ndarray, " K"]
    second: Int64[np.ndarray, " K"]
    """Rows of `BrownPatches`."""
    matching: Bool[np.ndarray, " K"]
    """True where both show the same point."""


def read_brown(folder: str | Path, *, side: int = PATCH_SIZE) -> BrownPatches:
    """All patches of a set, and the point of each.

    Args:
        folder: of one set, such as `liberty`.
        side: patches are reduced to this, px, sheet by sheet; 64 keeps them as published, in 1.9 GB
            for Liberty instead of 0.5 GB.

    Raises:
        DatasetError: a file is missing, damaged, or does not fit the others.
        OptionError: side is no divisor of 64.
    """
    if side < 1 or PUBLISHED_SIDE % side:
        raise OptionError(f"side is {side}; use a divisor of {PUBLISHED_SIDE}, such as 32")
    folder = Path(folder)
    sheets = sorted(folder.glob("patches*.bmp")) if folder.is_dir() else []
    if not sheets:
        raise refusal(folder, ("brown",), _EXPECTED)
    for number, sheet in enumerate(sheets):
        if sheet.name != (wanted := f"patches{number:04d}.bmp"):
            raise DatasetError(f"'{folder}' lacks '{wanted}', so the set is not whole")
    info = _table(folder / "info.txt", columns=2)
    if not (len(sheets) - 1) * PER_SHEET < len(info) <= len(sheets) * PER_SHEET:
        raise DatasetError(
            f"'{folder / 'info.txt'}' names {len(info)} patches, and there are "
            f"{len(sheets)} sheets of {PER_SHEET}"
        )
    patches = np.empty((len(info), side, side), np.uint8)
    for number, sheet in enumerate(sheets):
        rows = patches[number * PER_SHEET : (number + 1) * PER_SHEET]
        rows[:] = _cut(sheet, side)[: len(rows)]
    return BrownPatches(patches, info[:, 0].copy())


def read_brown_pairs(path: str | Path, point_ids: Int64[np.ndarray, " N"]) -> BrownPairs:
    """The pairs of a file such as `m50_100000_100000_0.txt`, half of which match.

    Args:
        path: the file.
        point_ids: those of the set that the file belongs to.

    Raises:
        DatasetError: the file is missing or damaged, or belongs to another set.
    """
    table = _table(Path(path), columns=7)
    first, second = table[:, 0], table[:, 3]
    named = np.stack((first, second), 1)
    outside = (named < 0) | (named >= len(point_ids))
    if outside.any():
        row, side = np.argwhere(outside)[0]
        raise DatasetError(
            f"'{path}': line {row + 1} names patch {named[row, side]}, "
            f"and the set has {len(point_ids)}"
        )
    wrong = (point_ids[first] != table[:, 1]) | (point_ids[second] != table[:, 4])
    if wrong.any():
        raise DatasetError(
            f"'{path}': line {int(wrong.argmax()) + 1} gives a patch another point than info.txt; "
            "is it of another set?"
        )
    return BrownPairs(first.copy(), second.copy(), table[:, 1] == table[:, 4])


def _cut(sheet: Path, side: int) -> UInt8[np.ndarray, "256 P P"]:
    """The patches of a sheet, row by row."""
    try:
        pixels = read_image(sheet)
    except CorrError as error:
        raise DatasetError(f"a sheet of patches cannot be used: {error}") from error
    if pixels.shape[:2] != (SHEET_SIDE, SHEET_SIDE):
        height, width = pixels.shape[:2]
        raise DatasetError(
            f"'{sheet}' has {width} x {height} pixels instead of {SHEET_SIDE} x {SHEET_SIDE}"
        )
    grey = np.ascontiguousarray(pixels[..., 0])
    across = SHEET_SIDE // PUBLISHED_SIDE
    # Patches begin at multiples of the reduction, so that no pixel mixes two of them.
    reduced = cv2.resize(grey, (across * side, across * side), interpolation=cv2.INTER_AREA)
    tiles = reduced.reshape(across, side, across, side).swapaxes(1, 2)
    return np.asarray(tiles, np.uint8).reshape(PER_SHEET, side, side)


def _table(path: Path, *, columns: int) -> Int64[np.ndarray, "N C"]:
    try:
        rows = [line.split() for line in read_bytes(path).decode("ascii").splitlines()]
    except (CorrError, UnicodeDecodeError) as error:
        raise DatasetError(f"'{path}' cannot be read as text: {error}") from error
    for number, row in enumerate(rows, 1):
        if len(row) != columns or not all(_NUMBER.fullmatch(cell) for cell in row):
            raise DatasetError(f"'{path}': line {number} is not {columns} whole numbers")
    if not rows:
        raise DatasetError(f"'{path}' is empty")
    return np.array(rows, dtype=np.int64)
