"""Each metric against an answer worked by hand, a naive reference, or what it must refuse."""

import numpy as np
import pytest

from corr import metrics
from corr.errors import OptionError, ShapeError

IDENTITY = np.eye(3)
NAN, INF = float("nan"), float("inf")


class TestFpr95:
    def test_hand_answer(self):
        # Positives 1..20: 19 of them are 95 %, so the threshold is 19; 2 of 4 negatives pass it.
        positive = np.arange(1.0, 21.0)
        negative = np.array([0.5, 19.0, 19.5, 40.0])
        assert metrics.fpr95(positive, negative) == 0.5

    def test_rounds_the_number_of_positives_up(self):
        # 0.95 * 3 = 2.85: all three must be accepted.
        assert metrics.fpr95(np.array([1.0, 2.0, 9.0]), np.array([5.0, 10.0])) == 0.5

    def test_separated_is_zero_and_upside_down_is_one(self):
        near, far = np.linspace(0, 1, 100), np.linspace(2, 3, 50)
        assert metrics.fpr95(near, far) == 0.0
        assert metrics.fpr95(far, near) == 1.0

    def test_random_is_095(self):
        random = np.random.default_rng(0)
        value = metrics.fpr95(random.random(20_000), random.random(20_000))
        assert value == pytest.approx(0.95, abs=0.01)

    def test_constant_descriptor_and_nan_are_the_worst(self):
        assert metrics.fpr95(np.ones(10), np.ones(10)) == 1.0
        assert metrics.fpr95(np.full(10, NAN), np.ones(10)) == 1.0
        assert metrics.fpr95(np.zeros(10), np.array([NAN, 1.0])) == 0.5

    def test_equals_the_loop_over_all_thresholds(self):
        random = np.random.default_rng(1)
        positive, negative = random.normal(1, 1, 137), random.normal(2, 1, 211)
        threshold = min(t for t in positive if sum(p <= t for p in positive) >= 0.95 * 137)
        expected = sum(n <= threshold for n in negative) / 211
        assert metrics.fpr95(positive, negative) == pytest.approx(expected)

    def test_refuses_nothing(self):
        with pytest.raises(ShapeError, match="0 positive and 3 negative"):
            metrics.fpr95(np.zeros(0), np.zeros(3))


class TestMatches:
    shift = np.array([[1.0, 0.0, 10.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    points0 = np.array([[0.0, 0.0], [5.0, 5.0], [1.0, 2.0], [3.0, 3.0]], np.float32)
    points1 = np.array([[10.0, 0.0], [15.0, 6.0], [14.0, 6.0], [90.0, 3.0]], np.float32)

    def test_reprojection_error(self):
        error = metrics.reprojection_error(self.points0, self.points1, self.shift)
        assert error == pytest.approx([0, 1, 5, 77])

    def test_accuracy_includes_the_threshold(self):
        accuracy = metrics.matching_accuracy(
            self.points0, self.points1, self.shift, (0.5, 1.0, 5.0, 10.0)
        )
        assert accuracy == pytest.approx([0.25, 0.5, 0.75, 0.75])

    def test_perspective_divides(self):
        homography = np.array([[2.0, 0, 0], [0, 2.0, 0], [0.5, 0, 1.0]])  # (2, 2) -> (4, 4)/2
        error = metrics.reprojection_error(
            np.array([[2.0, 2.0]]), np.array([[2.0, 3.0]]), homography
        )
        assert error == pytest.approx([1.0])

    def test_behind_the_horizon_is_wrong(self):
        homography = np.array([[1.0, 0, 0], [0, 1, 0], [-1, 0, 1]])
        points = np.array([[2.0, 0.0]])
        assert metrics.reprojection_error(points, points, homography) == pytest.approx([INF])

    def test_no_matches_are_zero(self):
        none = np.zeros((0, 2), np.float32)
        assert metrics.matching_accuracy(none, none, IDENTITY, (1.0, 3.0)).tolist() == [0, 0]


class TestHomography:
    def test_shift_is_its_length(self):
        shift = np.array([[1.0, 0, 3], [0, 1, 4], [0, 0, 1]])
        assert metrics.homography_corner_error(shift, IDENTITY, (480, 640)) == pytest.approx(5)

    def test_scale_reaches_the_centres_of_the_corner_pixels(self):
        # (0,0), (10,0), (10,5), (0,5) doubled: errors 0, 10, sqrt(125), 5.
        double = np.diag([2.0, 2.0, 1.0])
        expected = (0 + 10 + 125**0.5 + 5) / 4
        assert metrics.homography_corner_error(double, IDENTITY, (6, 11)) == pytest.approx(expected)

    def test_scale_of_the_matrix_does_not_matter(self):
        assert metrics.homography_corner_error(3 * IDENTITY, IDENTITY, (5, 5)) == pytest.approx(0)

    @pytest.mark.parametrize("estimate", [None, np.full((3, 3), NAN)])
    def test_no_estimate_is_infinite(self, estimate):
        assert metrics.homography_corner_error(estimate, IDENTITY, (5, 5)) == INF

    def test_corner_behind_the_horizon_is_infinite(self):
        behind = np.array([[1.0, 0, 0], [0, 1, 0], [-1, 0, 1]])
        assert metrics.homography_corner_error(behind, IDENTITY, (5, 5)) == INF


class TestAreaUnderCurve:
    def test_hand_answer(self):
        # Two errors, 1 and 3, up to 4: triangle to (1, .5), trapeze to (3, 1), level to 4.
        area = (0.5 * 1 * 0.5 + 2 * 0.75 + 1 * 1.0) / 4
        assert metrics.area_under_curve(np.array([3.0, 1.0]), (4.0,)) == pytest.approx([area])

    def test_level_after_the_last_error_reached(self):
        # Up to 2 only the first error counts: triangle to (1, .5), level .5 to 2.
        errors = np.array([1.0, 3.0])
        assert metrics.area_under_curve(errors, (2.0,)) == pytest.approx([0.75 / 2])

    def test_perfect_and_hopeless(self):
        assert metrics.area_under_curve(np.zeros(5), (1.0, 10.0)) == pytest.approx([1, 1])
        assert metrics.area_under_curve(np.array([INF, NAN, 50.0]), (10.0,)) == pytest.approx([0])

    def test_equals_superglue_on_random_errors(self):
        def pose_auc(errors, threshold):  # as published, in its own words
            errors = np.sort(errors)
            recall = np.r_[0, (np.arange(len(errors)) + 1) / len(errors)]
            errors = np.r_[0, errors]
            last = np.searchsorted(errors, threshold)
            r, e = np.r_[recall[:last], recall[last - 1]], np.r_[errors[:last], threshold]
            return np.trapezoid(r, x=e) / threshold

        errors = np.random.default_rng(2).exponential(4, 57)
        expected = [pose_auc(errors, t) for t in (1, 3, 5, 10)]
        assert metrics.area_under_curve(errors, (1.0, 3.0, 5.0, 10.0)) == pytest.approx(expected)

    def test_refusals(self):
        with pytest.raises(ShapeError, match="none was given"):
            metrics.area_under_curve(np.zeros(0), (1.0,))
        with pytest.raises(OptionError, match="greater than 0"):
            metrics.area_under_curve(np.zeros(2), (0.0,))


class TestDisparity:
    # Truth is unknown in three places (0, inf, NaN), so five pixels count.
    truth = np.array([[10.0, 10.0, 100.0, 100.0], [0.0, INF, NAN, 10.0]], np.float32)
    estimate = np.array([[12.0, 13.5, 104.0, 106.0], [5.0, 5.0, 5.0, NAN]], np.float32)

    def test_bad_pixels_count_missing_and_ignore_unknown(self):
        assert metrics.bad_pixel_rate(self.estimate, self.truth, 2.0) == pytest.approx(4 / 5)
        assert metrics.bad_pixel_rate(self.estimate, self.truth, 4.0) == pytest.approx(2 / 5)
        assert metrics.bad_pixel_rate(self.estimate, self.truth, 1000.0) == pytest.approx(1 / 5)

    def test_exactly_the_threshold_is_right(self):
        estimate, truth = np.full((1, 1), 12.0), np.full((1, 1), 10.0)
        assert metrics.bad_pixel_rate(estimate, truth, 2.0) == 0

    def test_d1_needs_both_limits(self):
        # errors 2 (right), 3.5 (35 %), 4 of 100 (right: 4 %), 6 of 100 (wrong), missing (wrong).
        assert metrics.d1_rate(self.estimate, self.truth) == pytest.approx(3 / 5)

    def test_mean_error_is_of_what_is_estimated(self):
        error = metrics.mean_disparity_error(self.estimate, self.truth)
        assert error == pytest.approx((2 + 3.5 + 4 + 6) / 4)
        assert np.isnan(metrics.mean_disparity_error(np.full_like(self.truth, NAN), self.truth))

    def test_density(self):
        assert metrics.density(self.estimate) == pytest.approx(7 / 8)
        valid = metrics.known_disparity(self.truth)
        assert metrics.density(self.estimate, valid=valid) == pytest.approx(4 / 5)

    def test_valid_chooses_the_pixels(self):
        valid = np.zeros((2, 4), bool)
        valid[0, 0] = True
        assert metrics.bad_pixel_rate(self.estimate, self.truth, 2.0, valid=valid) == 0

    def test_refuses_no_ground_truth(self):
        with pytest.raises(ShapeError, match="no pixel has ground truth"):
            metrics.d1_rate(self.truth, np.zeros_like(self.truth))


class TestFlow:
    def test_hand_answer_with_a_missing_vector(self):
        truth = np.array([[[3.0, 4.0], [1.0, 0.0], [INF, 0.0]]])
        estimate = np.array([[[0.0, 0.0], [NAN, 0.0], [9.0, 9.0]]])
        assert metrics.endpoint_error(estimate, truth) == pytest.approx((5 + 1) / 2)

    def test_valid_chooses_the_pixels(self):
        truth = np.zeros((1, 2, 2))
        estimate = np.array([[[3.0, 4.0], [60.0, 0.0]]])
        valid = np.array([[True, False]])
        assert metrics.endpoint_error(estimate, truth, valid=valid) == 5

    def test_refuses_no_ground_truth(self):
        with pytest.raises(ShapeError, match="no pixel has ground truth"):
            metrics.endpoint_error(np.zeros((2, 2, 2)), np.full((2, 2, 2), INF))
