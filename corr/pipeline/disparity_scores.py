"""How good disparity maps are, in a line or a table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from corr.errors import ShapeError
from corr.metrics import (
    bad_pixel_rate,
    d1_rate,
    known_disparity,
    mean_disparity_error,
    root_mean_square_error,
)

_BAD_PX = (0.5, 1.0, 2.0, 4.0)
_BAD_NAME = f"bad-{'/'.join(f'{t:g}' for t in _BAD_PX)}"


class DisparityScores(NamedTuple):
    """Of the pixels with truth; a missing value counts as bad, and not in the errors."""

    known: float
    """Share of the pixels with truth."""
    bad: tuple[float, ...]
    """Shares of errors above 0.5, 1, 2 and 4 px."""
    d1: float
    """Share of errors above 3 px and 5 % of the truth."""
    mean_px: float
    rms_px: float


def score_disparity(
    found: Float[np.ndarray, "H W"], truth: Float[np.ndarray, "H W"]
) -> DisparityScores:
    """Bad pixels, D1 and errors over every pixel with truth.

    Raises:
        ShapeError: the truth knows no pixel.
    """
    known = known_disparity(truth)
    if not known.any():
        raise ShapeError("the true disparity is unknown everywhere, so the map cannot be judged")
    return DisparityScores(
        float(known.mean()),
        tuple(bad_pixel_rate(found, truth, t) for t in _BAD_PX),
        d1_rate(found, truth),
        mean_disparity_error(found, truth),
        root_mean_square_error(found, truth),
    )


def describe_scores(scores: DisparityScores) -> str:
    """One line, with thresholds and mask."""
    return (
        f"of the {100 * scores.known:.0f} % of pixels with truth, missing ones counted as bad: "
        f"{_BAD_NAME} {_rates(scores)} %, D1 (above 3 px and 5 %) {100 * scores.d1:.1f} %; of "
        f"those with a value: mean error {scores.mean_px:.2f} px, RMS {scores.rms_px:.2f} px"
    )


def tabulate_scores(scores: Mapping[str, DisparityScores]) -> list[list[str]]:
    """A row for each map, and one of the means over the maps."""
    columns = zip(*scores.values(), strict=True)
    known, bad, *others = (np.nanmean(np.array(column), axis=0) for column in columns)
    mean = DisparityScores(float(known), tuple(bad.tolist()), *(float(value) for value in others))
    heading = ["pair", "truth %", f"{_BAD_NAME} %", "D1 %", "mean px", "RMS px"]
    return [
        heading,
        *(
            [
                name,
                f"{100 * row.known:.0f}",
                _rates(row),
                f"{100 * row.d1:.1f}",
                f"{row.mean_px:.2f}",
                f"{row.rms_px:.2f}",
            ]
            for name, row in {**scores, "mean": mean}.items()
        ),
    ]


def _rates(scores: DisparityScores) -> str:
    return "/".join(f"{100 * rate:.1f}" for rate in scores.bad)
