"""The one search of the project: nearest neighbours of descriptors, anywhere."""

from __future__ import annotations

import torch
from jaxtyping import Shaped
from torch import Tensor

from corr.errors import OptionError, ShapeError
from corr.search import exact
from corr.search.neighbors import Neighbors

METRICS = ("dot", "l2", "hamming")
BACKENDS = ("auto", "exact", "faiss")
MAX_MAGNITUDE = 1e15
"""Values beyond it could overflow a float32 inner product."""


@torch.no_grad()
def nearest(
    queries: Shaped[Tensor, "N _"],
    database: Shaped[Tensor, "M _"],
    k: int = 1,
    *,
    metric: str = "dot",
    both_ways: bool = False,
    backend: str = "auto",
) -> Neighbors:
    """The `k` nearest database rows of each query, exactly, in float32.

    Every pair is scored once, also where both ways are asked for, and scores are dropped tile by
    tile: beyond the inputs, memory grows with N + M only.

    Args:
        queries: descriptors, on any device; floating, or uint8 rows of packed bits for `hamming`.
        database: descriptors of the same kind, length and device.
        k: how many neighbours; fewer are returned where the database holds fewer.
        metric: `dot`, the inner product (cosine similarity for unit-length rows); `l2`, minus the
            Euclidean distance; or `hamming`, minus the number of bits that differ.
        both_ways: also find the nearest queries of each database row, as `.reverse`.
        backend: `exact`, corr's own; `faiss`, on the CPU; `auto` chooses the faster, today `exact`.

    Raises:
        OptionError: an option outside what is accepted, or values that are not finite.
        ShapeError: rows of different length.
        MissingExtraError: faiss was asked for and is not installed.
    """
    _check_options(k, metric, backend)
    _check_descriptors(queries, database, metric)
    if backend == "faiss":
        from corr.search import faiss

        return faiss.search(queries, database, k, metric, both_ways)
    return exact.search(queries, database, k, metric, both_ways)


def _check_options(k: int, metric: str, backend: str) -> None:
    if k < 1:
        raise OptionError(f"k is {k}; use 1 or more")
    if metric not in METRICS:
        raise OptionError(f"metric '{metric}' is not known; use one of {', '.join(METRICS)}")
    check_backend(backend)


def check_backend(backend: str) -> None:
    """Refuse a searcher that is not known.

    Raises:
        OptionError: says which are.
    """
    if backend not in BACKENDS:
        raise OptionError(f"search '{backend}' is not known; use one of {', '.join(BACKENDS)}")


def _check_descriptors(queries: Tensor, database: Tensor, metric: str) -> None:
    if queries.ndim != 2 or database.ndim != 2 or queries.shape[1] != database.shape[1]:
        raise ShapeError(
            f"queries are {tuple(queries.shape)} and the database is {tuple(database.shape)}; "
            "use two tables whose rows have the same length"
        )
    if queries.device != database.device:
        raise OptionError(
            f"queries are on {queries.device} and the database is on {database.device}; "
            "use one device"
        )
    for name, table in (("queries", queries), ("database", database)):
        fits = table.dtype == torch.uint8 if metric == "hamming" else table.is_floating_point()
        if not fits:
            wanted = "uint8 rows of packed bits" if metric == "hamming" else "floating-point rows"
            raise OptionError(f"{name} of type {table.dtype} do not fit '{metric}'; use {wanted}")
        if metric != "hamming" and table.numel():
            low, high = torch.aminmax(table)
            # A NaN fails every comparison, so it is refused too.
            if not (low >= -MAX_MAGNITUDE and high <= MAX_MAGNITUDE):
                raise OptionError(
                    f"{name} hold NaN, infinite or too large values; "
                    f"use finite numbers within {MAX_MAGNITUDE:g}"
                )
