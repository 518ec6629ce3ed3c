"""How good an estimate is: descriptors, rankings, matches, homographies, disparity and flow.

Shares are in [0, 1]. What is missing (NaN, infinite, no homography, no match) counts as wrong.
"""

from corr.metrics.calibration import Reliability, reliability
from corr.metrics.coverage import density
from corr.metrics.disparity import (
    bad_pixel_rate,
    d1_rate,
    known_disparity,
    mean_disparity_error,
    root_mean_square_error,
)
from corr.metrics.flow import endpoint_error, flow_outlier_rate
from corr.metrics.homography import (
    area_under_curve,
    homography_corner_error,
    matching_accuracy,
    reprojection_error,
)
from corr.metrics.keypoints import percentage_of_correct_keypoints
from corr.metrics.pose import epipolar_distance, rotation_error_deg, translation_error_deg
from corr.metrics.ranking import average_precision, precision_of_ranks, roc_area
from corr.metrics.retrieval import (
    mean_average_precision,
    mean_average_precision_at_r,
    recall_at_k,
    relevant_ranks,
)
from corr.metrics.sparsification import area_under_sparsification, sparsification
from corr.metrics.verification import (
    best_threshold,
    equal_error_rate,
    fpr95,
    roc_curve,
    verification_accuracy,
)

__all__ = [
    "Reliability",
    "area_under_curve",
    "area_under_sparsification",
    "average_precision",
    "bad_pixel_rate",
    "best_threshold",
    "d1_rate",
    "density",
    "endpoint_error",
    "epipolar_distance",
    "equal_error_rate",
    "flow_outlier_rate",
    "fpr95",
    "homography_corner_error",
    "known_disparity",
    "matching_accuracy",
    "mean_average_precision",
    "mean_average_precision_at_r",
    "mean_disparity_error",
    "percentage_of_correct_keypoints",
    "precision_of_ranks",
    "recall_at_k",
    "relevant_ranks",
    "reliability",
    "reprojection_error",
    "roc_area",
    "roc_curve",
    "root_mean_square_error",
    "rotation_error_deg",
    "sparsification",
    "translation_error_deg",
    "verification_accuracy",
]
