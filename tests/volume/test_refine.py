import numpy as np

from corr.volume.refine import fill_background, median, smooth_steps, without_speckles


def test_holes_take_the_smaller_neighbour_of_their_row():
    row = np.array([[0, 0, 7, 0, 0, 3, 0, 9, 0]], np.float32)
    filled = fill_background(row, row > 0)
    assert filled.tolist() == [[7, 7, 7, 3, 3, 3, 3, 9, 9]]


def test_rows_without_any_value_take_the_nearest_row():
    disparity = np.zeros((5, 2), np.float32)
    disparity[1], disparity[4] = 5, 8
    assert fill_background(disparity, disparity > 0)[:, 0].tolist() == [5, 5, 5, 8, 8]


def test_a_map_without_any_value_becomes_zero():
    disparity = np.full((3, 4), np.nan, np.float32)
    assert (fill_background(disparity, np.zeros((3, 4), bool)) == 0).all()


def test_filling_keeps_what_is_valid_and_its_input():
    rng = np.random.default_rng(0)
    disparity = rng.random((20, 30), np.float32) + 1
    before = disparity.copy()
    valid = rng.random((20, 30)) > 0.5
    filled = fill_background(disparity, valid)
    np.testing.assert_array_equal(filled[valid], disparity[valid])
    np.testing.assert_array_equal(disparity, before)
    assert np.isin(filled, disparity[valid]).all()


def test_islands_below_the_size_are_removed():
    disparity = np.full((30, 30), 5, np.float32)
    disparity[2:5, 2:5] = 20  # 9 pixels
    disparity[10:14, 10:14] = 20  # 16 pixels
    disparity[20, 20:] = 5.9  # a step below one pixel is no border
    valid = np.ones((30, 30), bool)
    valid[25, 25] = False
    kept = without_speckles(disparity, valid, min_pixels=10)
    expected = valid.copy()
    expected[2:5, 2:5] = False
    np.testing.assert_array_equal(kept, expected)


def test_islands_of_exactly_the_size_stay():
    disparity = np.full((9, 9), 5, np.float32)
    disparity[2:5, 2:5] = 20
    valid = np.ones((9, 9), bool)
    assert without_speckles(disparity, valid, min_pixels=9).all()
    assert without_speckles(disparity, valid, min_pixels=10).sum() == 72


def test_very_large_disparities_do_not_wrap_around():
    disparity = np.full((10, 10), 5000, np.float32)
    assert without_speckles(disparity, np.ones((10, 10), bool), min_pixels=20).all()


def test_the_median_removes_single_pixels():
    disparity = np.full((9, 9), 3, np.float32)
    disparity[4, 4] = 60
    assert (median(disparity) == 3).all()


def test_steps_of_a_slant_are_smoothed_and_jumps_stay():
    column = np.arange(60, dtype=np.float32)
    truth = np.broadcast_to(np.where(column < 30, 10 + column / 8, 40), (20, 60)).copy()
    stepped = np.float32(np.rint(truth))
    smooth = smooth_steps(stepped)
    inner = np.s_[:, 5:25]
    assert np.abs(smooth - truth)[inner].mean() < 0.6 * np.abs(stepped - truth)[inner].mean()
    np.testing.assert_allclose(smooth[:, 30:], 40, atol=1e-3)
    assert np.abs(smooth - stepped).max() < 1
