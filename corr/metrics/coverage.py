"""Which pixels count, and how many have an estimate."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from corr.errors import ShapeError


def density(
    estimate: Float[np.ndarray, "H W"], *, valid: Bool[np.ndarray, "H W"] | None = None
) -> float:
    """Share of the pixels that have an estimate; of the `valid` ones when given."""
    present = np.isfinite(estimate)
    return float(present.mean() if valid is None else present[valid].mean())


def counted(valid: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """The pixels that count, if there are any.

    Raises:
        ShapeError: none has ground truth.
    """
    if not valid.any():
        raise ShapeError("no pixel has ground truth, so there is nothing to measure")
    return valid
