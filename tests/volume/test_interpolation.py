import numpy as np

from corr.volume.interpolation import interpolate, mistaken


def test_a_hole_that_the_right_view_points_to_is_mistaken_and_others_are_hidden():
    valid = np.array([[True, False, False, False, True, True, True, False]])
    right = np.array([[0, 0, 0, 0, 0, 0, 0, 0]], np.int32)
    right[0] = [0, 4, 4, 4, 4, 4, 4, 4]  # points to the left pixels 0, and 5 and beyond
    # within a pixel of 0 lies 1; 2 and 3 are met by none
    assert mistaken(right, valid).tolist() == [[False, True, *[False] * 5, True]]


def test_hidden_pixels_take_the_background_and_mistaken_ones_the_median_around():
    disparity = np.full((21, 21), 5, np.float32)
    disparity[:, 15:] = 9
    valid = np.ones((21, 21), bool)
    valid[10, 12:18] = False  # between the surfaces
    valid[3:6, 3:6] = False
    mismatched = np.zeros_like(valid)
    mismatched[10, 17] = True  # 9 at most rays: the right surface is nearer there
    disparity[4, 4] = 77  # without a match, so that nobody looks at it
    found = interpolate(disparity, valid, mismatched)
    assert (found[10, 12:17] == 5).all()
    assert found[10, 17] == 9
    assert (found[3:6, 3:6] == 5).all()
    np.testing.assert_array_equal(found[valid], disparity[valid])


def test_the_median_is_that_of_a_naive_search_along_sixteen_rays():
    rng = np.random.default_rng(0)
    disparity = rng.random((15, 17), np.float32)
    valid = rng.random((15, 17)) > 0.7
    found = interpolate(disparity, valid, ~valid)
    for y, x in zip(*np.nonzero(~valid), strict=True):
        values = []
        for angle in np.arange(16) * np.pi / 8:
            for step in range(1, 30):
                row = round(y + step * round(float(np.sin(angle)), 6))
                column = round(x + step * round(float(np.cos(angle)), 6))
                if not (0 <= row < 15 and 0 <= column < 17):
                    break
                if valid[row, column]:
                    values.append(disparity[row, column])
                    break
        assert found[y, x] == np.float32(np.median(values))


def test_without_any_match_the_map_is_zero():
    disparity = np.full((3, 4), np.nan, np.float32)
    nothing = np.zeros((3, 4), bool)
    assert (interpolate(disparity, nothing, ~nothing) == 0).all()
