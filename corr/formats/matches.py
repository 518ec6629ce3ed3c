"""Matches: `.npz` and `.h5` hold all of the record, `.csv` the points and scores."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from corr.errors import FormatError
from corr.formats.atomic import replacing
from corr.formats.records import read_record, write_records
from corr.formats.suffixes import MATCHES, check_suffix, read_bytes

_KEYS = ("keypoints0", "keypoints1", "scores", "image_size0", "image_size1")
_CSV_HEADER = "x0,y0,x1,y1,score"


@runtime_checkable
class MatchRecord(Protocol):
    """What `corr.results.Matches` holds."""

    @property
    def keypoints0(self) -> np.ndarray:
        """(K, 2) px, (x, y) in image 0."""

    @property
    def keypoints1(self) -> np.ndarray:
        """(K, 2) px, (x, y) in image 1."""

    @property
    def scores(self) -> np.ndarray:
        """(K,)."""

    @property
    def image_size0(self) -> tuple[int, int]:
        """(height, width)."""

    @property
    def image_size1(self) -> tuple[int, int]:
        """(height, width)."""

    @property
    def model(self) -> np.ndarray | None:
        """(3, 3), or nothing."""


def write_matches(path: str | Path, matches: MatchRecord) -> None:
    """Write the record; a `.csv` has one line a match: x0, y0, x1, y1, score.

    Raises:
        FormatError: the suffix is not accepted, or the file cannot be written.
    """
    suffix = check_suffix(path, MATCHES)
    if suffix == ".csv":
        rows = np.column_stack((matches.keypoints0, matches.keypoints1, matches.scores))
        lines = [",".join(f"{value:.9g}" for value in row) for row in rows.astype(np.float32)]
        with replacing(path) as temporary:
            temporary.write_text("\n".join([_CSV_HEADER, *lines]) + "\n")
        return
    arrays = {key: np.asarray(getattr(matches, key)) for key in _KEYS}
    if matches.model is not None:
        arrays["model"] = np.asarray(matches.model)
    write_records(path, suffix, {"": arrays})


def read_matches(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays by field; those of a `.csv` are `keypoints0`, `keypoints1` and `scores` only.

    Raises:
        FormatError: the file cannot be read, or holds no matches.
    """
    suffix = check_suffix(path, MATCHES)
    if suffix == ".csv":
        return _read_csv(path)
    return read_record(path, suffix, _KEYS, optional=("model",))


def _read_csv(path: str | Path) -> dict[str, np.ndarray]:
    try:
        header, *lines = read_bytes(path).decode().splitlines() or [""]
        rows = np.array([[float(cell) for cell in line.split(",")] for line in lines if line])
        rows = rows.reshape(-1, 5).astype(np.float32)
    except ValueError as error:
        raise FormatError(f"'{path}' is not a .csv of matches: a line is not 5 numbers") from error
    if header != _CSV_HEADER:
        raise FormatError(f"'{path}' is not a .csv of matches: it begins without '{_CSV_HEADER}'")
    return {"keypoints0": rows[:, :2], "keypoints1": rows[:, 2:4], "scores": rows[:, 4]}
