"""Whole images as vectors: `.npz` or `.h5`."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from corr.formats.records import read_record, write_records
from corr.formats.suffixes import EMBEDDINGS, check_suffix

_KEYS = ("descriptors", "names")


@runtime_checkable
class EmbeddingRecord(Protocol):
    """What `corr.results.Embeddings` holds."""

    @property
    def descriptors(self) -> np.ndarray:
        """(N, D)."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of each image."""


def write_embeddings(path: str | Path, embeddings: EmbeddingRecord) -> None:
    """Write `descriptors` (N, D) and `names`, (N,) in UTF-8. Nothing is rounded.

    Raises:
        FormatError: the suffix is not accepted, or the file cannot be written.
    """
    suffix = check_suffix(path, EMBEDDINGS)
    names = np.array([name.encode() for name in embeddings.names], dtype="S")
    write_records(path, suffix, {"": {"descriptors": embeddings.descriptors, "names": names}})


def read_embeddings(path: str | Path) -> tuple[np.ndarray, tuple[str, ...]]:
    """The descriptors (N, D) and the names in a file.

    Raises:
        FormatError: the file cannot be read, or holds no embeddings.
    """
    found = read_record(path, check_suffix(path, EMBEDDINGS), _KEYS)
    return found["descriptors"], tuple(name.decode() for name in found["names"])
