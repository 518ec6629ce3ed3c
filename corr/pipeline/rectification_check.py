"""Whether a pair of images is fit for disparity: its order, its rows, its range."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from corr.classical.verification import verify_matches
from corr.drawing.rows import draw_rows
from corr.errors import ImageError
from corr.formats import as_image, write_picture
from corr.pipeline.matching import match
from corr.results import Picture
from corr.volume.disparity_range import estimate_max_disparity

MEDIAN_PX = 0.75
"""Half of the points are at most this far from their rows in a pair that is fit."""
MOST_PX = 2.5
"""And nine in ten at most this far."""
MIN_MATCHES = 20
"""With fewer nothing can be told."""

_MODEL = "rootsift"
_KEYPOINTS = 4096
_LONGEST_SIDE = 1600
"""Larger images are matched at this size."""
_EPIPOLAR_PX = 1.5
_SMALLEST_SIGN_PX = 1.0
"""Disparities within this of 0 have no sign: points far away."""
_NEGATIVE_SHARE = 0.02
"""More points than this of negative disparity are no accident."""
_SWAPPED_SHARE = 0.9
"""Of the disparities with a sign, how many are negative in a swapped pair."""
_TOLD_PX = 0.5
"""A part of the vertical offset is named when it moves a point by more than this."""
_FLAT = 2.0
"""Standard deviation of an image that shows nothing, in grey levels."""


class RowOffset(NamedTuple):
    """How points of the right image leave their rows: `y_right - y_left` as a plane."""

    shift_px: float
    """At the centre of the image; positive where the right view is lower."""
    turn_deg: float
    """Of the right view, from x towards y."""
    scale: float
    """Of the right view along y."""
    remaining_px: float
    """Median distance from the plane."""


@dataclass(frozen=True, eq=False)
class RectificationCheck:
    """What the points that both images show say about a pair."""

    points_left: Float[np.ndarray, "N 2"]
    """px; those that agree on one rigid scene."""
    points_right: Float[np.ndarray, "N 2"]
    offset: RowOffset | None
    """None where too few points were matched."""
    median_px: float
    """Median distance of a point from its row; NaN where too few were matched."""
    most_px: float
    """What nine in ten do not exceed."""
    swapped: bool
    disparity_range: tuple[float, float]
    """Of the matched points, in the order that is right; all but one in a hundred of them."""
    max_disparity: int | None
    """To search; None where the rows do not fit."""
    problems: tuple[str, ...]
    """A sentence each; none when the pair is fit."""
    views: tuple[Picture, Picture]

    @property
    def fit(self) -> bool:
        """Whether disparity can be computed as the pair is."""
        return not self.problems

    def draw(self, path: str | Path | None = None) -> Picture:
        """Some of the points on their rows in both images; written when `path` is given."""
        picture = draw_rows(*self.views, self.points_left, self.points_right, MEDIAN_PX)
        return write_picture(path, picture)


def check_rectified(left: Any, right: Any) -> RectificationCheck:
    """What is wrong with a pair, if anything, from keypoints matched anywhere in the two images.

    Args:
        left: as `corr.disparity` takes it.
        right: the other view, of the same size.

    Raises:
        ImageError: an image cannot be read or used, or the two differ in size.
    """
    views = as_image(left), as_image(right)
    if views[0].shape != views[1].shape:
        sizes = [f"{view.shape[1]} x {view.shape[0]}" for view in views]
        raise ImageError(
            f"left is {sizes[0]} and right {sizes[1]} pixels; a rectified pair has one size"
        )
    greys = [cv2.cvtColor(view, cv2.COLOR_RGB2GRAY) for view in views]
    blank = [
        f"the {side} image is of one colour, so nothing in it can be matched"
        for side, grey in zip(("left", "right"), greys, strict=True)
        if grey.std() < _FLAT
    ]
    points = match_views(*views) if not blank else (np.zeros((0, 2)), np.zeros((0, 2)))
    if len(points[0]) < MIN_MATCHES:
        few = (
            f"only {len(points[0])} points were matched, and {MIN_MATCHES} are needed: the images "
            "show different scenes, or too little texture"
        )
        problems = tuple(blank or [few])
        nan = math.nan
        return RectificationCheck(
            points[0], points[1], None, nan, nan, False, (nan, nan), None, problems, views
        )
    return _judge(views, (greys[0], greys[1]), *points)


def match_views(
    left: Picture, right: Picture
) -> tuple[Float[np.ndarray, "N 2"], Float[np.ndarray, "N 2"]]:
    """Points that both images show and that agree on one rigid scene, px; exact duplicates once."""
    scale = min(1.0, _LONGEST_SIDE / max(left.shape[:2]))
    size = (max(1, round(left.shape[1] * scale)), max(1, round(left.shape[0] * scale)))
    small = [cv2.resize(v, size, interpolation=cv2.INTER_AREA) for v in (left, right)]
    found = match(*small, model=_MODEL, max_keypoints=_KEYPOINTS)
    # Points of several orientations come several times.
    _, first = np.unique(
        np.hstack((found.keypoints0, found.keypoints1)).round(2), axis=0, return_index=True
    )
    points = found.keypoints0[first], found.keypoints1[first]
    _, agrees = verify_matches(*points, "fundamental", threshold_px=_EPIPOLAR_PX)
    factor = np.array([left.shape[1] / size[0], left.shape[0] / size[1]])
    back = [(view[agrees].astype(np.float64) + 0.5) * factor - 0.5 for view in points]
    return back[0], back[1]


def _judge(
    views: tuple[Picture, Picture],
    greys: tuple[UInt8[np.ndarray, "H W"], UInt8[np.ndarray, "H W"]],
    left: Float[np.ndarray, "N 2"],
    right: Float[np.ndarray, "N 2"],
) -> RectificationCheck:
    height, width = greys[0].shape
    away = right[:, 1] - left[:, 1]
    offset = fit_offset(left, away, (height, width))
    median, most = float(np.median(np.abs(away))), float(np.quantile(np.abs(away), 0.9))
    rows_fit = median <= MEDIAN_PX and most <= MOST_PX
    disparity = left[:, 0] - right[:, 0]
    signed = disparity[np.abs(disparity) > _SMALLEST_SIGN_PX]
    negative = float((signed < 0).mean()) if len(signed) else 0.0
    swapped = len(signed) >= MIN_MATCHES // 2 and negative > _SWAPPED_SHARE
    low, high = np.quantile(-disparity if swapped else disparity, (0.005, 0.995))
    problems = []
    if not rows_fit:
        problems.append(_say_rows(offset, median, (height, width)))
    if swapped:
        problems.append(
            f"the views are swapped: {100 * negative:.0f} % of the points are further right in the "
            "right image; give the images in the other order"
        )
    elif rows_fit and float((disparity < -_SMALLEST_SIGN_PX).mean()) > _NEGATIVE_SHARE:
        share = 100 * float((disparity < -_SMALLEST_SIGN_PX).mean())
        problems.append(
            f"{share:.0f} % of the points have a negative disparity, down to {low:.0f} px, which "
            f"is not searched: move the right image {math.ceil(-low)} px to the left, or run "
            "'corr rectify'"
        )
    if rows_fit and float(np.quantile(np.abs(disparity), 0.95)) < _TOLD_PX:
        problems.append("both images show the same view: no point has moved by half a pixel")
    max_disparity = None
    if rows_fit:
        ordered = greys[::-1] if swapped else greys
        reach = math.ceil(max(high, 0) + 2)
        max_disparity = min(width, max(estimate_max_disparity(*ordered)[0], reach))
    return RectificationCheck(
        left,
        right,
        offset,
        median,
        most,
        swapped,
        (float(low), float(high)),
        max_disparity,
        tuple(problems),
        views,
    )


def fit_offset(
    left: Float[np.ndarray, "N 2"], away: Float[np.ndarray, " N"], size: tuple[int, int]
) -> RowOffset:
    """The plane through the vertical offsets of points, by least squares that outliers do not pull.

    Args:
        left: points of the left image, px.
        away: y in the right image less y in the left one, px.
        size: (height, width).
    """
    centred = left - (np.array(size[::-1]) - 1) / 2
    columns = np.column_stack((np.ones(len(left)), centred))
    weight = np.ones(len(left))
    plane = np.array([np.median(away), 0.0, 0.0])
    for _ in range(20):  # reweighted: those beyond the usual error count by its inverse
        error = np.abs(away - columns @ plane)
        usual = max(1.5 * float(np.median(error)), 0.1)
        weight = np.minimum(1.0, usual / np.maximum(error, 1e-9))
        root = np.sqrt(weight)
        plane = np.linalg.lstsq(columns * root[:, None], away * root, rcond=None)[0]
    remaining = float(np.median(np.abs(away - columns @ plane)))
    turn = math.degrees(math.atan(plane[1]))
    return RowOffset(float(plane[0]), turn, 1 + float(plane[2]), remaining)


def _say_rows(offset: RowOffset, median: float, size: tuple[int, int]) -> str:
    """What the rows have, in a sentence."""
    height, width = size
    parts = []
    if abs(offset.shift_px) > _TOLD_PX:
        side = "lower" if offset.shift_px > 0 else "higher"
        parts.append(f"{abs(offset.shift_px):.1f} px {side}")
    if abs(math.tan(math.radians(offset.turn_deg))) * width / 2 > _TOLD_PX:
        parts.append(f"turned by {offset.turn_deg:.2f} degrees")
    if abs(offset.scale - 1) * height / 2 > _TOLD_PX:
        parts.append(f"{offset.scale:.3f} times as tall")
    told = f"the right view is {', '.join(parts)}" if parts else "their rows cross"
    rest = ""
    if offset.remaining_px > MEDIAN_PX:
        rest = f"; {offset.remaining_px:.1f} px remain beyond that"
    return (
        f"the pair is not rectified: half of the points are more than {median:.2f} px off their "
        f"rows ({told}{rest}); run 'corr rectify'"
    )
