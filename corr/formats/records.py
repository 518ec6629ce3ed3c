"""Named arrays of one record, in `.npz` or in (a group of) `.h5`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import h5py
import numpy as np

from corr.errors import FormatError
from corr.formats.atomic import replacing
from corr.formats.npy import read_npz, write_npz
from corr.formats.suffixes import read_bytes

Arrays = dict[str, np.ndarray]


def write_records(path: str | Path, suffix: str, records: Mapping[str, Arrays]) -> None:
    """Write records under their names; the name `""` puts one at the top of the file.

    Raises:
        FormatError: several records for a `.npz`, or the file cannot be written.
    """
    if suffix == ".npz":
        if len(records) != 1:
            raise FormatError(f"'{path}': a .npz holds one image, not {len(records)}; use .h5")
        write_npz(path, next(iter(records.values())))
        return
    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        for name, arrays in records.items():
            group = file.require_group(name) if name else file
            for key, values in arrays.items():
                group[key] = values


def read_record(
    path: str | Path, suffix: str, keys: Sequence[str], optional: Sequence[str] = (), name: str = ""
) -> Arrays:
    """The arrays of one record.

    Args:
        path: a `.npz` or `.h5` file.
        suffix: which of the two.
        keys: arrays that must be there.
        optional: arrays that may be there.
        name: the group of a `.h5`; the top of the file when empty.

    Raises:
        FormatError: the file cannot be read, or lacks a group or an array.
    """
    arrays = read_npz(path) if suffix == ".npz" else _read_h5(path, name)
    missing = [key for key in keys if key not in arrays]
    if missing:
        raise FormatError(f"'{path}' holds no '{missing[0]}'; it has {sorted(arrays) or 'nothing'}")
    return {key: arrays[key] for key in (*keys, *optional) if key in arrays}


def _read_h5(path: str | Path, name: str) -> Arrays:
    if read_bytes(path)[:8] != b"\x89HDF\r\n\x1a\n":
        raise FormatError(f"'{path}' is not an HDF5 file")
    try:
        with h5py.File(path, "r") as file:
            if name and name not in file:
                raise FormatError(f"'{path}' holds no image '{name}'; it has {sorted(file)}")
            group = file[name] if name else file
            return {key: item[()] for key, item in group.items() if isinstance(item, h5py.Dataset)}
    except OSError as error:
        raise FormatError(f"'{path}' is damaged or cut short, and cannot be read") from error
