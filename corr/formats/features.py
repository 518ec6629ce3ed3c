"""Keypoints with their descriptors: `.npz` for one image, `.h5` for one or for many."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from corr.formats.records import read_record, write_records
from corr.formats.suffixes import FEATURES, check_suffix

_KEYS = ("keypoints", "descriptors", "scores", "scale", "angle_deg", "image_size")


@runtime_checkable
class FeatureRecord(Protocol):
    """What `corr.results.Features` holds."""

    @property
    def keypoints(self) -> np.ndarray:
        """(N, 2) px, (x, y)."""

    @property
    def descriptors(self) -> np.ndarray:
        """(N, D)."""

    @property
    def scores(self) -> np.ndarray:
        """(N,)."""

    @property
    def scale(self) -> np.ndarray:
        """(N,) px."""

    @property
    def angle_deg(self) -> np.ndarray:
        """(N,) degrees."""

    @property
    def image_size(self) -> tuple[int, int]:
        """(height, width)."""


def write_features(path: str | Path, features: FeatureRecord | Mapping[str, FeatureRecord]) -> None:
    """Write one image's features, or several under their names (one group of a `.h5` each).

    The arrays are named as the record's fields; `descriptors` is (N, D) and `image_size` is
    (height, width). Nothing is rounded.

    Raises:
        FormatError: the suffix is not accepted, several images go to a `.npz`, or the file cannot
            be written.
    """
    suffix = check_suffix(path, FEATURES)
    named = features if isinstance(features, Mapping) else {"": features}
    write_records(
        path,
        suffix,
        {
            name: {key: np.asarray(getattr(record, key)) for key in _KEYS}
            for name, record in named.items()
        },
    )


def read_features(path: str | Path, name: str = "") -> dict[str, np.ndarray]:
    """The arrays of one image, by field.

    Args:
        path: a `.npz` or `.h5` file.
        name: which image of a `.h5` that holds several.

    Raises:
        FormatError: the file cannot be read, or holds no such features.
    """
    return read_record(path, check_suffix(path, FEATURES), _KEYS, name=name)
