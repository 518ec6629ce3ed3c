"""Where a neighbour may lie in the other image: around a point, along a row, along a line.

A constraint is made of two sets of points and names, for each point of image 0, a region of image
1. The search goes through both sets in an order that keeps neighbours together and scores only
tiles that some region meets, so that a small region makes it faster.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np
from jaxtyping import Bool, Float64, Shaped
from torch import Tensor

from corr.errors import OptionError, ShapeError
from corr.search.rules import BOX, DISC, LINE, Rule, allowed_pairs

Points = Shaped[np.ndarray | Tensor, "..."]
"""(N, 2): x and y of each, px."""


class Constraint(ABC):
    """Which rows of the database may be neighbours of which queries."""

    @abstractmethod
    def rule(self) -> Rule:
        """The same as arrays."""

    @abstractmethod
    def sizes(self) -> tuple[int, int] | None:
        """How many queries and how many rows of the database it is for; None for any."""


class Region(Constraint):
    """A region of image 1 for each point of image 0; points are (x, y) in px.

    Args:
        points0: where each query is, or is expected to be.
        points1: where each row of the database is.

    Raises:
        ShapeError: points that are not pairs of numbers.
        OptionError: points that are not finite, or a size below 0.
    """

    def __init__(self, points0: Points, points1: Points) -> None:
        self.points0, self.points1 = as_points("points0", points0), as_points("points1", points1)

    def sizes(self) -> tuple[int, int]:
        """Numbers of points."""
        return len(self.points0), len(self.points1)

    def allowed(self) -> Bool[Tensor, "N M"]:
        """True for the pairs that may be neighbours: a matrix, for small sets and for tests."""
        size0, size1 = self.sizes()
        return allowed_pairs(self.rule(), slice(0, size0), slice(0, size1))


class Window(Region):
    """At most `radius` px from the predicted position.

    Args:
        radius: px, 0 or more.
        points0: where each query is predicted to be in image 1.
        points1: where each row of the database is.
    """

    def __init__(self, radius: float | int, points0: Points, points1: Points) -> None:
        super().__init__(points0, points1)
        self.radius = not_negative("radius", radius)

    def rule(self) -> Rule:
        """Discs."""
        reach = self.radius * (1 + 1e-12)
        return Rule(
            BOX | DISC,
            self.points1,
            low=self.points0 - reach,
            high=self.points0 + reach,
            middle=self.points0,
            radius=self.radius,
        )


class RowBand(Region):
    """In the same row and 0 to `max_disparity - 1` px to the left: a rectified stereo pair.

    Args:
        max_disparity: 1 or more.
        tolerance: how far the rows may differ, px.
        points0: of the left image.
        points1: of the right image.

    Raises:
        OptionError: a number outside its range.
    """

    def __init__(
        self, max_disparity: float | int, tolerance: float | int, points0: Points, points1: Points
    ) -> None:
        super().__init__(points0, points1)
        if not (np.isfinite(max_disparity) and max_disparity >= 1):
            raise OptionError(f"max_disparity is {max_disparity}; use 1 or more")
        self.max_disparity = float(max_disparity)
        self.tolerance = not_negative("tolerance", tolerance)

    def rule(self) -> Rule:
        """Boxes."""
        reach = np.array([self.max_disparity - 1, self.tolerance])
        return Rule(
            BOX,
            self.points1,
            low=self.points0 - reach,
            high=self.points0 + np.array([0, self.tolerance]),
        )


class EpipolarBand(Region):
    """At most `tolerance` px from the epipolar line.

    Args:
        fundamental: 3 x 3 matrix `F`, with `p1 . F p0 = 0` for corresponding points (x, y, 1).
        tolerance: px, 0 or more.
        points0: of image 0.
        points1: of image 1.

    Raises:
        OptionError: another matrix, or a tolerance outside its range.
    """

    def __init__(
        self,
        fundamental: Shaped[np.ndarray | Tensor, ...],
        tolerance: float | int,
        points0: Points,
        points1: Points,
    ) -> None:
        super().__init__(points0, points1)
        self.fundamental = np.asarray(fundamental, np.float64)
        if self.fundamental.shape != (3, 3) or not np.isfinite(self.fundamental).all():
            raise OptionError(
                f"the fundamental matrix has shape {self.fundamental.shape}; "
                "use 3 x 3 finite numbers"
            )
        self.tolerance = not_negative("tolerance", tolerance)

    def rule(self) -> Rule:
        """Bands; a point at the epipole has no line, and so may correspond to any point."""
        homogeneous = np.concatenate((self.points0, np.ones((len(self.points0), 1))), 1)
        line = homogeneous @ self.fundamental.T
        length = np.hypot(line[:, 0], line[:, 1])[:, None]
        line = np.divide(line, length, where=length > 0, out=np.zeros_like(line))
        return Rule(LINE, self.points1, line=line, reach=self.tolerance)


def as_points(name: str, points: Points) -> Float64[np.ndarray, "N 2"]:
    """The points in double precision.

    Raises:
        ShapeError: a table of another shape.
        OptionError: a point that is not finite.
    """
    table = points.detach().cpu().numpy() if isinstance(points, Tensor) else np.asarray(points)
    if table.ndim != 2 or table.shape[1] != 2:
        raise ShapeError(f"{name} are {table.shape}; use (N, 2): x and y of each")
    table = np.ascontiguousarray(table, np.float64)
    if not np.isfinite(table).all():
        raise OptionError(f"{name} hold NaN or infinite values; use finite pixels")
    return table


def not_negative(name: str, value: float | int) -> float:
    """The value, when it is a number of px.

    Raises:
        OptionError: it is negative or not finite.
    """
    if not (np.isfinite(value) and value >= 0):
        raise OptionError(f"{name} is {value}; use 0 px or more")
    return float(value)
