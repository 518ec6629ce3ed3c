"""Which suffix each kind of result may be written with."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from corr.errors import FormatError
from corr.formats.atomic import check_writable

PICTURE = (".png", ".jpg", ".jpeg")
FEATURES = (".npz", ".h5")
EMBEDDINGS = (".npz", ".h5")
RANKING = (".csv",)
MATCHES = (".npz", ".h5", ".csv")
DISPARITY = (".pfm", ".npy", ".png")
DEPTH = DISPARITY
POINT_CLOUD = (".ply",)
FLOW = (".flo", ".npy", ".png")
FLOW_READ = (*FLOW, ".pfm")
DENSE_MATCHES = (".npz", ".h5", *FLOW)
POINTS = (".csv", ".npy")


def check_output(path: str | Path, suffixes: Sequence[str]) -> Path:
    """The path, if a file with one of these suffixes can be written there; nothing is touched.

    Raises:
        FormatError: the suffix is not accepted, or the file cannot be written.
    """
    check_suffix(path, suffixes)
    return check_writable(path)


def check_suffix(path: str | Path, suffixes: Sequence[str]) -> str:
    """The path's suffix in lower case, if it is an accepted one.

    Raises:
        FormatError: it is not.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in suffixes:
        given = f"suffix '{suffix}' is not accepted here" if suffix else "no suffix was given"
        raise FormatError(f"'{path}': {given}; use {_listed(suffixes)}")
    return suffix


def read_bytes(path: str | Path) -> bytes:
    """The whole content of a file.

    Raises:
        FormatError: it is missing, a folder, or cannot be read.
    """
    path = Path(path)
    if path.is_dir():
        raise FormatError(f"'{path}' is a folder, not a file")
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise FormatError(f"there is no file '{path}'") from error
    except OSError as error:
        raise FormatError(f"'{path}' cannot be read: {error.strerror or error}") from error


def _listed(suffixes: Sequence[str]) -> str:
    return suffixes[0] if len(suffixes) == 1 else f"{', '.join(suffixes[:-1])} or {suffixes[-1]}"
