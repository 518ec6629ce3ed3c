"""Which rows are no negatives of an anchor, though they are near: too near to count."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Shaped
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
            distance = not_negative("min_distance", min_distance)
            self._add(CEILING, None, min_distance=distance)
        if not self._rule.conditions:
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


def _as_numbers(name: str, numbers: Numbers) -> np.ndarray:
    table = numbers.detach().cpu().numpy() if isinstance(numbers, torch.Tensor) else numbers
    if table.ndim != 1 or not np.issubdtype(table.dtype, np.integer):
        raise OptionError(
            f"{name} are {table.dtype} of shape {table.shape}; use whole numbers (N,)"
        )
    return np.ascontiguousarray(table, np.int64)
