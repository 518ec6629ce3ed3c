"""How good an estimate is: descriptors, matches, homographies, disparity and flow.

Shares are in [0, 1]. What is missing (NaN, infinite, no homography, no match) counts as wrong.
"""

from corr.metrics.coverage import density
from corr.metrics.disparity import bad_pixel_rate, d1_rate, known_disparity, mean_disparity_error
from corr.metrics.flow import endpoint_error, flow_outlier_rate
from corr.metrics.homography import (
    area_under_curve,
    homography_corner_error,
    matching_accuracy,
    reprojection_error,
)
from corr.metrics.ranking import average_precision, precision_of_ranks, roc_area
from corr.metrics.verification import fpr95

__all__ = [
    "area_under_curve",
    "average_precision",
    "bad_pixel_rate",
    "d1_rate",
    "density",
    "endpoint_error",
    "flow_outlier_rate",
    "fpr95",
    "homography_corner_error",
    "known_disparity",
    "matching_accuracy",
    "mean_disparity_error",
    "precision_of_ranks",
    "reprojection_error",
    "roc_area",
]
