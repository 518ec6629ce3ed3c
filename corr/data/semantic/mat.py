"""Annotations that MATLAB wrote."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from corr.errors import DatasetError

FIRST_PIXEL = 1.0
"""MATLAB's coordinate of the centre of the top-left pixel, which is 0 in corr."""


def read_mat(path: Path, keys: Sequence[str]) -> list[np.ndarray]:
    """The numbers of a `.mat` file (version 7.2 or older) under each key.

    Raises:
        DatasetError: it is no such file, or holds nothing or no numbers under a key.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        content = loadmat(str(path))
    except NotImplementedError as error:
        raise DatasetError(
            f"'{path}' is a .mat of version 7.3; save it as version 7 in MATLAB"
        ) from error
    except (OSError, ValueError, TypeError, KeyError, zlib.error, MatReadError) as error:
        raise DatasetError(f"'{path}' is not a .mat file, or it is damaged") from error
    found = []
    for key in keys:
        if key not in content:
            names = sorted(name for name in content if not name.startswith("__"))
            raise DatasetError(f"'{path}' holds no '{key}'; it has {names or 'nothing'}")
        if content[key].dtype.kind not in "fiu":
            raise DatasetError(f"'{path}' holds no numbers under '{key}'")
        found.append(content[key].astype(np.float64))
    return found
