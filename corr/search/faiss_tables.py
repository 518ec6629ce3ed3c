"""Tables of descriptors on their way into a FAISS index."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Shaped
from torch import Tensor

from corr.errors import OptionError, ShapeError
from corr.search.faiss import as_rows

METRICS = ("cosine", "dot", "l2", "hamming")
CHUNK = 1 << 16
"""Rows that are converted at once."""

Table = Shaped[Tensor, "N D"] | Shaped[np.ndarray, "N D"]


def check_metric(metric: str) -> None:
    """Refuse a metric that is not known.

    Raises:
        OptionError: says which are.
    """
    if metric not in METRICS:
        raise OptionError(f"metric '{metric}' is not known; use one of {', '.join(METRICS)}")


def check_table(table: Table, name: str, dimension: int, metric: str) -> None:
    """Refuse rows that do not fit an index.

    Raises:
        OptionError: another type, or values that are not finite.
        ShapeError: another length.
    """
    bits = metric == "hamming"
    if table.ndim != 2 or table.shape[1] != dimension:
        raise ShapeError(
            f"{name} are {tuple(table.shape)}; this index takes rows of {dimension} "
            f"{'bytes' if bits else 'values'}"
        )
    if isinstance(table, Tensor):
        fits = table.dtype == torch.uint8 if bits else table.is_floating_point()
    else:
        fits = table.dtype == np.uint8 if bits else np.issubdtype(table.dtype, np.floating)
    if not fits:
        wanted = "uint8 rows of packed bits" if bits else "floating-point rows"
        raise OptionError(f"{name} of type {table.dtype} do not fit '{metric}'; use {wanted}")
    if not bits and not all(torch.isfinite(part).all() for part in _parts(table)):
        raise OptionError(f"{name} hold NaN or infinite values; use finite numbers")


def chunks(table: Table, metric: str) -> Iterator[np.ndarray]:
    """The rows as FAISS takes them, a part at a time."""
    for part in _parts(table):
        yield as_rows(part.cpu(), metric).numpy()


def _parts(table: Table) -> Iterator[Tensor]:
    for start in range(0, len(table), CHUNK):
        part = table[start : start + CHUNK]
        # A memory-mapped file is read-only, and torch warns of sharing such memory.
        yield part if isinstance(part, Tensor) else torch.from_numpy(np.array(part))
