"""What a loss refuses."""

from __future__ import annotations

import math
from collections.abc import Collection

import torch
from torch import Tensor

from corr.errors import OptionError, ShapeError
from corr.losses.guard import Guard
from corr.losses.labels import Labels

MAX_LENGTH_ERROR = 0.02
"""Of a unit-length descriptor: more than that of 8 bits, as bfloat16 has."""


def check_batch(
    anchors: Tensor, positives: Tensor, labels: Labels | None, guard: Guard, *, unit: bool = True
) -> bool:
    """Refuse a batch that a loss cannot learn from.

    Values that are not finite are not refused: training reports a loss that is not finite.

    Args:
        anchors: (B, D) descriptors.
        positives: likewise.
        labels: what is known of the rows.
        guard: what the loss needs to know of them.
        unit: whether the descriptors have to be of unit length. A row of zeros may stay, since
            normalising cannot change it.

    Returns:
        Whether all values are finite; `not_finite` is the loss where they are not.

    Raises:
        ShapeError: sides of different shapes, one row alone, labels of another number of rows.
        OptionError: no two rows of different tracks, descriptors that are not of unit length, or
            no points though the guard has a radius.
    """
    if anchors.shape != positives.shape:
        raise ShapeError(
            f"anchors are {tuple(anchors.shape)} and positives are {tuple(positives.shape)}; "
            "use as many rows of the same length"
        )
    num_rows = len(anchors)
    if num_rows < 2:
        raise ShapeError(f"a loss needs 2 rows or more in a batch, not {num_rows}")
    _check_labels(labels or Labels(), num_rows, guard)
    with torch.no_grad():
        lengths = torch.linalg.vector_norm(torch.cat((anchors, positives)).float(), dim=1)
        off = torch.where(lengths == 0, 0, (lengths - 1).abs())
        worst = float(lengths[off.argmax()])
    if not math.isfinite(worst):
        return False
    if unit and worst > 0 and abs(worst - 1) > MAX_LENGTH_ERROR:
        raise OptionError(
            f"descriptors are not normalised: one has length {worst:.3g}; use unit-length rows"
        )
    return True


def not_finite(anchors: Tensor, positives: Tensor) -> Tensor:
    """The loss of a batch with values that are not finite: NaN, so that training can say so."""
    return (anchors.float().sum() + positives.float().sum()) * torch.nan


def check_positive(**settings: float) -> None:
    """Refuse settings that have to be above 0 and finite.

    Raises:
        OptionError: names the setting.
    """
    for name, value in settings.items():
        if not 0 < value < float("inf"):
            raise OptionError(f"{name} is {value}; use a value above 0")


def check_not_negative(**settings: float | int) -> None:
    """Refuse settings below 0 and those that are no finite number.

    Raises:
        OptionError: names the setting.
    """
    for name, value in settings.items():
        if not 0 <= value < float("inf"):
            raise OptionError(f"{name} is {value}; use 0 or more")


def check_margin(name: str, value: float, *, least: float | None = None) -> None:
    """Refuse a margin that no distance of unit-length descriptors can meet.

    Args:
        name: of the setting.
        value: of it.
        least: smallest value that is accepted; anything above 0 when not given.

    Raises:
        OptionError: names the setting.
    """
    if not (0 < value <= 2 or (least is not None and least <= value <= 2)):
        opening = "(0" if least is None else f"[{least:g}"
        raise OptionError(f"{name} is {value}; use a value in {opening}, 2]")


def check_choice(name: str, value: str, choices: Collection[str]) -> None:
    """Refuse a word that is not known.

    Raises:
        OptionError: says which are.
    """
    if value not in choices:
        *others, last = (f"'{choice}'" for choice in choices)
        raise OptionError(f"{name} '{value}' is not known; use {', '.join(others)} or {last}")


def _check_labels(labels: Labels, num_rows: int, guard: Guard) -> None:
    if labels.num_rows not in (None, num_rows):
        raise ShapeError(
            f"labels are for {labels.num_rows} rows and the batch has {num_rows}; use one for each"
        )
    if guard.radius > 0 and labels.points is None:
        raise OptionError(
            f"radius is {guard.radius} px, but the data gives no points; use 0, or labels with "
            "points"
        )
    if labels.tracks is not None and bool((labels.tracks == labels.tracks[0]).all()):
        raise OptionError(
            f"all {num_rows} rows of the batch show track {int(labels.tracks[0])}, so that there "
            "is no negative; use batches with 2 tracks or more"
        )
