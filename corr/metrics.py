"""How good an estimate is: descriptors, matches, homographies, disparity and flow.

Shares are in [0, 1]. What is missing (NaN, infinite, no homography, no match) counts as wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Bool, Float

from corr.errors import OptionError, ShapeError
from corr.geometry import transform_points


def fpr95(
    positive_distance: Float[np.ndarray, " P"], negative_distance: Float[np.ndarray, " N"]
) -> float:
    """Share of the negative pairs accepted at the threshold that accepts 95 % of the positive ones.

    The threshold is the smallest positive distance that at least 95 % of the positives do not
    exceed (no interpolation); a pair at the threshold is accepted, so ties count against the
    descriptor, as does a NaN. 0 when all negatives are farther, about 0.95 for a random
    descriptor, 1 for a constant one.

    Args:
        positive_distance: distances of the pairs that correspond.
        negative_distance: distances of the pairs that do not.

    Raises:
        ShapeError: no positive or no negative pair.

    Source: Brown, Hua and Winder 2011, "Discriminative Learning of Local Image Descriptors",
    section 3 (error rate at 95 % recall).
    """
    if len(positive_distance) == 0 or len(negative_distance) == 0:
        raise ShapeError(
            f"FPR95 compares positive and negative pairs; {len(positive_distance)} positive and "
            f"{len(negative_distance)} negative ones were given, at least one of each is needed"
        )
    positive = np.where(np.isnan(positive_distance), np.inf, positive_distance)
    num_accepted = -(-95 * len(positive) // 100)
    threshold = np.partition(positive, num_accepted - 1)[num_accepted - 1]
    return float(np.mean(~(negative_distance > threshold)))


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


def known_disparity(truth: Float[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """True where a disparity map has ground truth: finite and greater than 0."""
    known: Bool[np.ndarray, "H W"] = np.isfinite(truth) & (truth > 0)
    return known


def bad_pixel_rate(
    estimate: Float[np.ndarray, "H W"],
    truth: Float[np.ndarray, "H W"],
    threshold: float = 2.0,
    *,
    valid: Bool[np.ndarray, "H W"] | None = None,
) -> float:
    """Share of the ground-truth pixels that are wrong by more than `threshold` px, or missing.

    Args:
        estimate: disparity, px; NaN or infinite where missing.
        truth: true disparity, px.
        threshold: largest error that is still right.
        valid: True for the pixels that count; `known_disparity(truth)` when not given.

    Raises:
        ShapeError: no pixel counts.

    Source: Scharstein and Szeliski 2002, "A Taxonomy and Evaluation of Dense Two-Frame Stereo
    Correspondence Algorithms", equation 2.
    """
    error, _ = _disparity_error(estimate, truth, valid)
    return float(np.mean(error > threshold))


def d1_rate(
    estimate: Float[np.ndarray, "H W"],
    truth: Float[np.ndarray, "H W"],
    *,
    valid: Bool[np.ndarray, "H W"] | None = None,
) -> float:
    """Share of the ground-truth pixels wrong by more than 3 px and 5 % of the truth, or missing.

    Source: Menze and Geiger 2015, "Object Scene Flow for Autonomous Vehicles" (KITTI 2015, D1).
    """
    error, true = _disparity_error(estimate, truth, valid)
    return float(np.mean((error > 3) & (error > 0.05 * true)))


def mean_disparity_error(
    estimate: Float[np.ndarray, "H W"],
    truth: Float[np.ndarray, "H W"],
    *,
    valid: Bool[np.ndarray, "H W"] | None = None,
) -> float:
    """Mean |error| of the ground-truth pixels that are estimated, px; NaN when none is.

    Say the density with it: whoever leaves out the difficult pixels has a smaller error.
    """
    error, _ = _disparity_error(estimate, truth, valid)
    present = error[np.isfinite(error)]
    return float(present.mean()) if len(present) else float("nan")


def endpoint_error(
    estimate: Float[np.ndarray, "H W 2"],
    truth: Float[np.ndarray, "H W 2"],
    *,
    valid: Bool[np.ndarray, "H W"] | None = None,
) -> float:
    """Mean length of the flow's error over the ground-truth pixels, px.

    A missing vector counts as no motion.

    Args:
        estimate: flow, px; NaN or infinite where missing.
        truth: true flow, px.
        valid: True for the pixels that count; those of finite truth when not given.

    Raises:
        ShapeError: no pixel counts.

    Source: Baker et al. 2011, "A Database and Evaluation Methodology for Optical Flow", eq. 24.
    """
    error, _ = _flow_error(estimate, truth, valid)
    return float(error.mean())


def flow_outlier_rate(
    estimate: Float[np.ndarray, "H W 2"],
    truth: Float[np.ndarray, "H W 2"],
    *,
    valid: Bool[np.ndarray, "H W"] | None = None,
) -> float:
    """Share of the ground-truth pixels whose flow is wrong by more than 3 px and 5 % of the truth.

    A missing vector counts as no motion.

    Source: Menze and Geiger 2015, "Object Scene Flow for Autonomous Vehicles" (KITTI 2015, Fl).
    """
    error, length = _flow_error(estimate, truth, valid)
    return float(np.mean((error > 3) & (error > 0.05 * length)))


def density(
    estimate: Float[np.ndarray, "H W"], *, valid: Bool[np.ndarray, "H W"] | None = None
) -> float:
    """Share of the pixels that have an estimate; of the `valid` ones when given."""
    present = np.isfinite(estimate)
    return float(present.mean() if valid is None else present[valid].mean())


def _transform(
    homography: Float[np.ndarray, "3 3"], points: Float[np.ndarray, "N 2"]
) -> Float[np.ndarray, "N 2"]:
    mapped = transform_points(
        torch.from_numpy(homography.astype(np.float64)), torch.from_numpy(points.astype(np.float64))
    )
    return mapped.numpy()


def _disparity_error(
    estimate: Float[np.ndarray, "H W"],
    truth: Float[np.ndarray, "H W"],
    valid: Bool[np.ndarray, "H W"] | None,
) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """The |error| (infinite where missing) and the truth of each pixel that counts."""
    chosen = _counted(known_disparity(truth) if valid is None else valid)
    error = np.abs(estimate[chosen].astype(np.float64) - truth[chosen])
    return np.where(np.isnan(error), np.inf, error), truth[chosen].astype(np.float64)


def _flow_error(
    estimate: Float[np.ndarray, "H W 2"],
    truth: Float[np.ndarray, "H W 2"],
    valid: Bool[np.ndarray, "H W"] | None,
) -> tuple[Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
    """The length of the error and of the truth at each pixel that counts."""
    chosen = _counted(np.isfinite(truth).all(-1) if valid is None else valid)
    vectors, true = estimate[chosen].astype(np.float64), truth[chosen].astype(np.float64)
    vectors[~np.isfinite(vectors).all(-1)] = 0
    return np.linalg.norm(vectors - true, axis=-1), np.linalg.norm(true, axis=-1)


def _counted(valid: Bool[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    if not valid.any():
        raise ShapeError("no pixel has ground truth, so there is nothing to measure")
    return valid
