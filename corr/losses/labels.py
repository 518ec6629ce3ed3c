"""What the rows of a batch are known to show, beyond that row i of both sides shows the same."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float, Int64
from torch import Tensor

from corr.errors import ShapeError


@dataclass(frozen=True, eq=False)
class Labels:
    """Tells which pairs of different rows are no negatives; see `Guard`.

    Raises:
        ShapeError: numbers of different rows.
    """

    tracks: Int64[Tensor, " _"] | None = None
    """(B,) number of the point, or of the identity, that a row shows."""
    points: Float[Tensor, "_ 2"] | None = None
    """(B, 2) where it is in its photo, (x, y) px."""
    images: Int64[Tensor, " _"] | None = None
    """(B,) number of that photo; all points are in the same one when not given."""

    def __post_init__(self) -> None:
        sizes = {name: len(value) for name, value in vars(self).items() if value is not None}
        if len(set(sizes.values())) > 1:
            given = ", ".join(f"{name} for {size}" for name, size in sizes.items())
            raise ShapeError(f"labels are of different length: {given} rows; use one of each a row")

    @property
    def num_rows(self) -> int | None:
        """Of the batch that they belong to; None when nothing is known."""
        return next((len(value) for value in vars(self).values() if value is not None), None)
