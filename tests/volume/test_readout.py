import numpy as np
import pytest

from corr.volume.readout import Winners, agree, read_winners


def _read(total, subpixel="parabola"):
    """Of a volume whose entries come in unequal parts from both sweeps."""
    part = total // 3
    return read_winners(np.stack([part, total - part]), subpixel)


def test_the_winner_lies_at_the_lowest_point_of_a_parabola():
    depth, lowest = np.arange(10), 4.3
    total = np.rint(1000 * (depth - lowest) ** 2 / 10).astype(np.uint16).reshape(1, 1, -1)
    np.testing.assert_allclose(_read(total).disparity, [[4.3]], atol=1e-3)


@pytest.mark.parametrize("lowest", [3.5, 3.8, 4.0, 4.3])
def test_the_winner_lies_where_two_lines_of_one_slope_meet(lowest):
    total = np.rint(1000 * np.abs(np.arange(10) - lowest)).astype(np.uint16).reshape(1, 1, -1)
    np.testing.assert_allclose(_read(total, "equiangular").disparity, [[lowest]], atol=1e-3)
    biased = _read(total, "parabola").disparity  # drawn towards whole pixels
    assert abs(float(biased[0, 0]) - round(lowest)) <= abs(lowest - round(lowest)) + 1e-6


def test_winners_at_either_end_have_no_sub_pixel_part():
    total = np.array([[[1, 5, 9, 9], [9, 9, 5, 1]]], np.uint16)
    assert _read(total).disparity.tolist() == [[0, 3]]


def test_both_views_equal_a_naive_loop():
    rng = np.random.default_rng(0)
    total = rng.integers(0, 500, (6, 20, 9)).astype(np.uint16)
    winners = _read(total)
    for y in range(6):
        for x in range(20):
            costs = total[y, x].astype(float)
            best = int(costs.argmin())
            assert abs(winners.disparity[y, x] - best) <= 0.5
            rivals = [c for d, c in enumerate(costs) if abs(d - best) > 1]
            uniqueness = (min(rivals) - costs[best]) / max(min(rivals), 1)
            np.testing.assert_allclose(winners.peak_ratio[y, x], uniqueness, rtol=1e-6)
            seen = [d for d in range(9) if x + d < 20]
            assert winners.right[y, x] == min(seen, key=lambda d: (total[y, x + d, d], d))


def test_confidence_is_nothing_for_a_tie_or_without_a_rival():
    tie = np.array([[[3, 9, 9, 3, 9]]], np.uint16)
    assert _read(tie).peak_ratio.tolist() == [[0]]
    for depth in (1, 2):
        assert _read(np.zeros((2, 2, depth), np.uint16)).peak_ratio.max() == 0
    clear = np.array([[[100, 60, 25, 60, 100]]], np.uint16)
    assert _read(clear).peak_ratio.tolist() == [[0.75]]


def test_views_agree_up_to_the_tolerance_and_never_outside_the_right_image():
    left = np.array([[1, 1, 2, 0, 2, 3]], np.float32)
    right = np.array([[1, 3, 2, 0, 0, 0]], np.int32)
    winners = Winners(left, np.ones_like(left), right)
    # x=0 leaves the image; 1 -> 0 (1 = 1); 2 -> 0 (2, 1); 3 -> 3 (0 = 0); 4 -> 2 (2 = 2); 5 -> 2
    assert agree(winners).tolist() == [[False, True, True, True, True, True]]
    assert agree(winners, tolerance=0).tolist() == [[False, True, False, True, True, False]]
