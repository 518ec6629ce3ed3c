"""NumPy's own files, never with pickled objects."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from corr.errors import FormatError
from corr.formats.atomic import replacing
from corr.formats.suffixes import read_bytes


def read_npy(path: str | Path) -> np.ndarray:
    """The numbers of a `.npy` file.

    Raises:
        FormatError: it is not one, or it is damaged, or does not hold real numbers.
    """
    content = io.BytesIO(read_bytes(path))
    try:
        values = np.load(content, allow_pickle=False)
    except (ValueError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise FormatError(f"'{path}' is not a .npy file of numbers, or it is damaged") from error
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "fiu":
        raise FormatError(f"'{path}' is not a .npy file of real numbers")
    return values


def write_npy(path: str | Path, values: np.ndarray) -> None:
    """Write one array as `.npy`.

    Raises:
        FormatError: the file cannot be written.
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.save(file, values, allow_pickle=False)


def read_npz(path: str | Path) -> dict[str, np.ndarray]:
    """All arrays of a `.npz` file.

    Raises:
        FormatError: it is not one, or it is damaged.
    """
    content = io.BytesIO(read_bytes(path))
    try:
        with np.load(content, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (ValueError, EOFError, OSError, AttributeError, zipfile.BadZipFile) as error:
        raise FormatError(f"'{path}' is not a .npz file of arrays, or it is damaged") from error


def write_npz(path: str | Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write named arrays as `.npz`.

    Raises:
        FormatError: the file cannot be written.
    """
    with replacing(path) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)
