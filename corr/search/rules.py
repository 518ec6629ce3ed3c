"""Which pairs may be neighbours at all: the arrays that the compiled loops ask."""

from __future__ import annotations

from typing import NamedTuple, no_type_check

import numpy as np
import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from corr.compiled import borrowed, inlined

BOX, LINE, DISC, APART, TRACK, CEILING = 1, 2, 4, 8, 16, 32
"""Conditions that a rule is made of, to be added up."""

_NO_POINTS, _NO_TRACKS = np.zeros((0, 2)), np.zeros(0, np.int64)


class Rule(NamedTuple):
    """A pair is allowed when it meets every condition in `conditions`; points are (x, y), px."""

    conditions: int = 0
    points: np.ndarray = _NO_POINTS
    """(M, 2) where the columns are."""
    low: np.ndarray = _NO_POINTS
    """BOX: (N, 2) each column's point is at least this and at most `high`."""
    high: np.ndarray = _NO_POINTS
    line: np.ndarray = np.zeros((0, 3))
    """LINE: (N, 3) it is at most `reach` from the line a x + b y + c = 0, with a unit normal."""
    reach: float = 0.0
    middle: np.ndarray = _NO_POINTS
    """DISC: (N, 2) it is at most `radius` from this."""
    radius: float = 0.0
    away: np.ndarray = _NO_POINTS
    """APART: (N, 2) it is more than `apart` from this."""
    apart: float = 0.0
    track0: np.ndarray = _NO_TRACKS
    """TRACK: (N,) and (M,) the numbers of the two differ."""
    track1: np.ndarray = _NO_TRACKS
    min_distance: float = 0.0
    """CEILING: the two rows are at least so far apart: Euclidean for `l2`, and for unit-length rows
    by `cosine` or `dot`; bits for `hamming`."""
    ceiling: float = np.inf
    """The same as the highest score that is allowed, in the scale of one search."""


ANY = Rule()
"""Every pair is allowed."""


@inlined
@no_type_check
def borrow_rule(rule):
    """The rule for the loops of one thread, see `corr.compiled.borrowed`."""
    return Rule(
        rule.conditions,
        borrowed(rule.points),
        borrowed(rule.low),
        borrowed(rule.high),
        borrowed(rule.line),
        rule.reach,
        borrowed(rule.middle),
        rule.radius,
        borrowed(rule.away),
        rule.apart,
        borrowed(rule.track0),
        borrowed(rule.track1),
        rule.min_distance,
        rule.ceiling,
    )


@inlined
@no_type_check
def allows(  # noqa: PLR0917
    conditions, points, low, high, line, reach, middle, radius, away, apart, track0, track1, i, j
):
    """Whether row i and column j meet all conditions but that on their score.

    The arguments are the fields of a `Rule` one by one, for a loop that has them at hand.
    """
    allowed = True
    if conditions & (BOX | LINE | DISC | APART):
        x, y = points[j, 0], points[j, 1]
        if conditions & BOX:
            allowed = low[i, 0] <= x <= high[i, 0] and low[i, 1] <= y <= high[i, 1]
        if conditions & LINE:
            distance = line[i, 0] * x + line[i, 1] * y + line[i, 2]
            allowed = allowed and abs(distance) <= reach
        if conditions & DISC:
            dx, dy = x - middle[i, 0], y - middle[i, 1]
            allowed = allowed and dx * dx + dy * dy <= radius * radius
        if conditions & APART:
            dx, dy = x - away[i, 0], y - away[i, 1]
            allowed = allowed and dx * dx + dy * dy > apart * apart
    if conditions & TRACK:
        allowed = allowed and track0[i] != track1[j]
    return allowed


def with_ceiling(rule: Rule, metric: str, scale: float) -> Rule:
    """The rule for one search.

    Args:
        rule: which pairs are allowed.
        metric: as in `nearest`.
        scale: what inner products are multiplied by.
    """
    if not rule.conditions & CEILING:
        return rule
    if metric == "hamming":
        return rule._replace(ceiling=-rule.min_distance)
    half_square = rule.min_distance**2 / 2
    return rule._replace(ceiling=scale * (-half_square if metric == "l2" else 1 - half_square))


def allowed_pairs(
    rule: Rule, row: slice, column: slice, device: torch.device | None = None
) -> Bool[Tensor, "_ _"]:
    """True for the pairs of a tile that a rule allows, its condition on the score aside.

    Args:
        rule: of the whole tables.
        row: of the tile.
        column: of the tile.
        device: of the result.
    """
    rows, columns = (np.arange(part.start, part.stop) for part in (row, column))
    return allowed_at(rule, rows[:, None], columns[None], device)


def allowed_at(
    rule: Rule,
    rows: Int64[np.ndarray, "*_"],
    columns: Int64[np.ndarray, "*_"],
    device: torch.device | None = None,
) -> Bool[Tensor, "*_"]:
    """The same of any pairs, in the common shape of `rows` and `columns`.

    Args:
        rule: of the whole tables.
        rows: of the pairs.
        columns: likewise.
        device: of the result.
    """

    def at(values: np.ndarray, where: np.ndarray) -> Tensor:
        return torch.from_numpy(values[where]).to(device)

    shape = np.broadcast_shapes(rows.shape, columns.shape)
    allowed = torch.ones(shape, dtype=torch.bool, device=device)
    if rule.conditions & (BOX | LINE | DISC | APART):
        x, y = at(rule.points, columns).unbind(-1)
    if rule.conditions & BOX:
        (left, top), (right, bottom) = (at(z, rows).unbind(-1) for z in (rule.low, rule.high))
        allowed &= (x >= left) & (x <= right) & (y >= top) & (y <= bottom)
    if rule.conditions & LINE:
        a, b, c = at(rule.line, rows).unbind(-1)
        allowed &= (a * x + b * y + c).abs() <= rule.reach
    if rule.conditions & DISC:
        middle_x, middle_y = at(rule.middle, rows).unbind(-1)
        allowed &= (x - middle_x).square() + (y - middle_y).square() <= rule.radius**2
    if rule.conditions & APART:
        away_x, away_y = at(rule.away, rows).unbind(-1)
        allowed &= (x - away_x).square() + (y - away_y).square() > rule.apart**2
    if rule.conditions & TRACK:
        allowed &= at(rule.track0, rows) != at(rule.track1, columns)
    return allowed
