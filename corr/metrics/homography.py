"""How good matches and homographies are, by a known homography."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float

from corr.errors import OptionError, ShapeError
from corr.geometry import transform_points


def reprojection_error(
    points0: Float[np.ndarray, "K 2"],
    points1: Float[np.ndarray, "K 2"],
    homography_0to1: Float[np.ndarray, "3 3"],
) -> Float[np.ndarray, " K"]:
    """Distance in image 1, px, from each point to where the homography maps its partner.

    Infinite where the homography maps the partner on or behind its horizon.
    """
    difference = _transform(homography_0to1, points0) - points1
    error: Float[np.ndarray, " K"] = np.hypot(difference[:, 0], difference[:, 1])
    return error


def matching_accuracy(
    points0: Float[np.ndarray, "K 2"],
    points1: Float[np.ndarray, "K 2"],
    homography_0to1: Float[np.ndarray, "3 3"],
    thresholds: Sequence[float],
) -> Float[np.ndarray, " T"]:
    """Share of the matches whose reprojection error is at most each threshold (px); 0 of none.

    Its mean over image pairs is the mean matching accuracy, MMA.

    Source: Mikolajczyk and Schmid 2005, "A Performance Evaluation of Local Descriptors" (1 -
    precision); Dusmanu et al. 2019, "D2-Net", section 5.1 (MMA over thresholds).
    """
    if len(points0) == 0:
        return np.zeros(len(thresholds))
    error = reprojection_error(points0, points1, homography_0to1)
    return np.array([np.mean(error <= threshold) for threshold in thresholds])


def homography_corner_error(
    estimate: Float[np.ndarray, "3 3"] | None,
    truth: Float[np.ndarray, "3 3"],
    image_size0: tuple[int, int],
) -> float:
    """Mean distance, px of image 1, between the corners of image 0 mapped by the two homographies.

    The corners are the centres of the four corner pixels: (0, 0) to (width - 1, height - 1).
    Infinite without an estimate, or where it maps a corner on or behind its horizon.

    Args:
        estimate: what was estimated, 0 to 1.
        truth: the true homography, 0 to 1.
        image_size0: (height, width) of image 0.

    Source: DeTone, Malisiewicz and Rabinovich 2018, "SuperPoint", section 5.
    """
    if estimate is None or not np.isfinite(estimate).all():
        return float("inf")
    bottom, right = image_size0[0] - 1.0, image_size0[1] - 1.0
    corners = np.array([[0.0, 0.0], [right, 0.0], [right, bottom], [0.0, bottom]])
    mapped, expected = _transform(estimate, corners), _transform(truth, corners)
    if not (np.isfinite(mapped).all() and np.isfinite(expected).all()):
        return float("inf")
    return float(np.linalg.norm(mapped - expected, axis=1).mean())


def area_under_curve(
    errors: Float[np.ndarray, "*R N"], thresholds: Sequence[float]
) -> Float[np.ndarray, "*R T"]:
    """Area under the curve "share of the errors that are at most e", e in [0, t], divided by t.

    The curve is linear from (0, 0) through (i-th smallest error, i/N) and level after the last
    one. 1 when every error is 0. Errors that are infinite or NaN are never reached.

    Args:
        errors: one for each item, >= 0; leading axes are separate sets of items.
        thresholds: each upper end t, > 0.

    Raises:
        ShapeError: no errors.
        OptionError: a threshold that is not positive.

    Source: Sarlin et al. 2020, "SuperGlue", section 5 and its published `pose_auc`. In closed form:
    steps of 1/N at the errors reached have the area `sum(t - e) / N`, and the line that replaces
    them adds triangles of `largest e reached / 2N` together.
    """
    num_items = errors.shape[-1]
    if num_items == 0:
        raise ShapeError("the area under an error curve needs at least one error; none was given")
    if min(thresholds, default=1.0) <= 0:
        raise OptionError(f"thresholds are {list(thresholds)}; each must be greater than 0")
    areas = []
    for threshold in thresholds:
        reached = errors <= threshold
        left = np.where(reached, threshold - np.where(reached, errors, 0), 0).sum(-1)
        largest = np.where(reached, errors, 0).max(-1)
        areas.append((left + largest / 2) / (num_items * threshold))
    return np.stack(areas, axis=-1)


def _transform(
    homography: Float[np.ndarray, "3 3"], points: Float[np.ndarray, "N 2"]
) -> Float[np.ndarray, "N 2"]:
    mapped = transform_points(
        torch.from_numpy(homography.astype(np.float64)), torch.from_numpy(points.astype(np.float64))
    )
    return mapped.numpy()
