"""What a search refuses, before it starts."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from corr.errors import OptionError, ShapeError
from corr.resources import available_memory
from corr.search.backends import BACKENDS

METRICS = ("cosine", "dot", "l2", "hamming")
MAX_MAGNITUDE = 1e15
"""Values beyond it could overflow a float32 inner product."""

SMALL_RESULT = 1 << 24
"""Bytes that are not worth asking the machine about."""

BYTES_A_PLACE = 12 + 2 * 16
"""Of the result, and of the candidates while it is sought: at most so many for each neighbour."""


def as_tensor(table: np.ndarray | Tensor) -> Tensor:
    """The table as a tensor; an array shares its memory where that may be written."""
    if isinstance(table, Tensor):
        return table
    return torch.from_numpy(table if table.flags.writeable else table.copy())


def check_options(k: int, metric: str, backend: str) -> None:
    """Refuse options that are not known.

    Raises:
        OptionError: says which are.
    """
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


def check_descriptors(
    queries: Tensor, database: Tensor, metric: str, masks: tuple[Tensor | None, Tensor | None]
) -> None:
    """Refuse tables that cannot be compared.

    Raises:
        ShapeError: shapes that do not fit.
        OptionError: other types, devices, or values that are not finite.
    """
    shapes = tuple(queries.shape), tuple(database.shape)
    if (
        queries.ndim not in (2, 3)
        or queries.ndim != database.ndim
        or queries.shape[-1] != database.shape[-1]
        or shapes[0][:-2] != shapes[1][:-2]
    ):
        raise ShapeError(
            f"queries are {shapes[0]} and the database is {shapes[1]}; use two tables whose rows "
            "have the same length, or two batches of as many tables"
        )
    if queries.device != database.device:
        raise OptionError(
            f"queries are on {queries.device} and the database is on {database.device}; "
            "use one device"
        )
    sides = ("queries", queries, masks[0]), ("database", database, masks[1])
    for name, table, mask in sides:
        fits = table.dtype == torch.uint8 if metric == "hamming" else table.is_floating_point()
        if not fits:
            wanted = "uint8 rows of packed bits" if metric == "hamming" else "floating-point rows"
            raise OptionError(f"{name} of type {table.dtype} do not fit '{metric}'; use {wanted}")
        if mask is not None:
            _check_mask(name, table, mask)
        if metric != "hamming" and table.numel():
            # Padding may hold anything.
            low, high = _extremes(table if mask is None else _without(table, mask))
            # A NaN fails every comparison, so it is refused too.
            if not (low >= -MAX_MAGNITUDE and high <= MAX_MAGNITUDE):
                raise OptionError(
                    f"{name} hold NaN, infinite or too large values; "
                    f"use finite numbers within {MAX_MAGNITUDE:g}"
                )


def check_count(k: int, sizes: tuple[int, int], both_ways: bool) -> None:
    """Refuse more neighbours than there are rows; of an empty table there are none to refuse.

    Raises:
        OptionError: says how many there are.
    """
    most = min(sizes) if both_ways else sizes[1]
    if 0 not in sizes and k > most:
        raise OptionError(f"k is {k}, and there are {most} rows to find; use at most {most}")


def check_room(sizes: tuple[int, int], k: int, both_ways: bool, device: torch.device) -> None:
    """Refuse a search whose result cannot be held.

    Raises:
        OptionError: says how much it would take.
    """
    needed = (sizes[0] + (sizes[1] if both_ways else 0)) * k * BYTES_A_PLACE
    room = available_memory(device) if needed > SMALL_RESULT else None
    if room is not None and needed > room:
        raise OptionError(
            f"{k} neighbours of {sizes[0]} rows take {needed / 1e9:.1f} GB, and {room / 1e9:.1f} "
            "GB are free; ask for fewer, or for a part of the rows at a time"
        )


def _check_mask(name: str, table: Tensor, mask: Tensor) -> None:
    if mask.shape != table.shape[:-1] or mask.dtype != torch.bool or mask.device != table.device:
        raise ShapeError(
            f"the mask of {name} is {tuple(mask.shape)} {mask.dtype} on {mask.device}; use "
            f"{tuple(table.shape[:-1])} bool on {table.device}"
        )


def _without(table: Tensor, mask: Tensor) -> Tensor:
    return table.masked_fill(~mask.unsqueeze(-1), 0)


def _extremes(table: Tensor) -> tuple[float, float]:
    """Lowest and highest value; NaN where there is one."""
    if table.device.type == "cpu" and table.dtype in (torch.float32, torch.float64):
        # torch would wake threads of its own, which go on turning while those of the search work.
        values = table.detach().numpy()
        return float(values.min()), float(values.max())
    low, high = torch.aminmax(table)
    return float(low), float(high)
