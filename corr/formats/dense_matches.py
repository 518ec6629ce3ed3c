"""Dense matches: `.npz` and `.h5` hold all of the record, flow formats the flow of every pixel."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from corr.formats.flow import write_flow
from corr.formats.records import read_record, write_records
from corr.formats.suffixes import DENSE_MATCHES, FLOW, check_suffix

_KEYS = ("flow", "confidence", "stride", "image_size0", "image_size1")


@runtime_checkable
class DenseMatchRecord(Protocol):
    """What `corr.results.DenseMatches` holds."""

    @property
    def flow(self) -> np.ndarray:
        """(Hs, Ws, 2) px; NaN where there is no match."""

    @property
    def confidence(self) -> np.ndarray:
        """(Hs, Ws)."""

    @property
    def stride(self) -> int:
        """Side of a cell, px."""

    @property
    def image_size0(self) -> tuple[int, int]:
        """(height, width)."""

    @property
    def image_size1(self) -> tuple[int, int]:
        """(height, width)."""

    def flow_of_pixels(self) -> np.ndarray:
        """(H, W, 2) px."""


def write_dense_matches(path: str | Path, matches: DenseMatchRecord) -> None:
    """Write the record, or the flow of every pixel of image 0 as `.flo`, `.npy` or KITTI `.png`.

    Raises:
        FormatError: the suffix is not accepted, a value does not fit the format, or the file cannot
            be written.
    """
    suffix = check_suffix(path, DENSE_MATCHES)
    if suffix in FLOW:
        write_flow(path, matches.flow_of_pixels())
        return
    write_records(path, suffix, {"": {key: np.asarray(getattr(matches, key)) for key in _KEYS}})


def read_dense_matches(path: str | Path) -> dict[str, np.ndarray]:
    """The arrays by field, of a `.npz` or `.h5`.

    Raises:
        FormatError: the file cannot be read, or holds no dense matches.
    """
    return read_record(path, check_suffix(path, (".npz", ".h5")), _KEYS)
