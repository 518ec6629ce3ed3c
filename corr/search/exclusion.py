"""Which rows are no negatives of an anchor, though they are near: too near to count."""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64, Shaped
from torch import Tensor

from corr.errors import OptionError, ShapeError
from corr.search.constraints import Constraint, Points, as_points, not_negative
from corr.search.rules import APART, CEILING, TRACK, Rule

Numbers = Shaped[np.ndarray | Tensor, "..."]


class Exclusion(Constraint):
    """Leaves out the pairs that may show the same point, by any of three signs.

    Args:
        tracks0: number of the point that each query shows; pairs with equal numbers are left out.
        tracks1: of each candidate.
        points0: where the true match of each query is among the candidates' places, (x, y) px.
        points1: where each candidate is; pairs at most `radius` apart are left out.
        radius: px.
        min_distance: pairs whose descriptors are closer are left out; see `nearest` for the
            distance of each metric (for `cosine` and `dot` it is that of unit-length rows).

    Raises:
        OptionError: one of two that belong together, numbers of another type, or none at all.
        ShapeError: sides of different sizes.
    """

    def __init__(
        self,
        *,
        tracks0: Numbers | None = None,
        tracks1: Numbers | None = None,
        points0: Points | None = None,
        points1: Points | None = None,
        radius: float | int | None = None,
        min_distance: float | int | None = None,
    ) -> None:
        if (tracks0 is None) != (tracks1 is None):
            raise OptionError("tracks0 and tracks1 belong together; one was given")
        if len({points0 is None, points1 is None, radius is None}) > 1:
            raise OptionError("points0, points1 and radius belong together; not all were given")
        self._rule = Rule()
        self._sizes: list[tuple[int, int]] = []
        if tracks0 is not None and tracks1 is not None:
            numbers = _as_numbers("tracks0", tracks0), _as_numbers("tracks1", tracks1)
            self._add(TRACK, numbers, track0=numbers[0], track1=numbers[1])
        if points0 is not None and points1 is not None and radius is not None:
            points = as_points("points0", points0), as_points("points1", points1)
            apart = not_negative("radius", radius)
            self._add(APART, points, away=points[0], points=points[1], apart=apart)
        if min_distance is not None:
            if not 0 <= min_distance < np.inf:
                raise OptionError(f"min_distance is {min_distance}; use 0 or more")
            if min_distance > 0:  # nothing is closer than 0, though rounding may say so
                self._add(CEILING, None, min_distance=float(min_distance))
        if tracks0 is None and points0 is None and min_distance is None:
            raise OptionError(
                "nothing is excluded; give tracks, points with a radius or a distance"
            )
        if len(set(self._sizes)) > 1:
            raise ShapeError(
                f"tracks are for {self._sizes[0]} rows and points for {self._sizes[1]}; "
                "use one for each query and each candidate"
            )

    def rule(self) -> Rule:
        """The signs."""
        return self._rule

    def sizes(self) -> tuple[int, int] | None:
        """Numbers of tracks or points; None where a distance alone decides."""
        return self._sizes[0] if self._sizes else None

    def _add(
        self, condition: int, sides: tuple[np.ndarray, np.ndarray] | None, **fields: object
    ) -> None:
        conditions = self._rule.conditions | condition
        self._rule = self._rule._replace(conditions=conditions, **fields)  # type: ignore[arg-type]
        if sides is not None:
            self._sizes.append((len(sides[0]), len(sides[1])))


def turned(rule: Rule) -> Rule:
    """The rule of an exclusion for queries and candidates in each other's place."""
    return rule._replace(track0=rule.track1, track1=rule.track0, away=rule.points, points=rule.away)


def of_rows(rule: Rule, rows: Int64[np.ndarray, " P"]) -> Rule:
    """The rule of an exclusion for some of the queries."""
    track0 = rule.track0[rows] if rule.conditions & TRACK else rule.track0
    away = rule.away[rows] if rule.conditions & APART else rule.away
    return rule._replace(track0=track0, away=away)


def _as_numbers(name: str, numbers: Numbers) -> np.ndarray:
    table = numbers.detach().cpu().numpy() if isinstance(numbers, Tensor) else np.asarray(numbers)
    if table.ndim != 1 or not np.issubdtype(table.dtype, np.integer):
        raise OptionError(
            f"{name} are {table.dtype} of shape {table.shape}; use whole numbers (N,)"
        )
    return np.ascontiguousarray(table, np.int64)
