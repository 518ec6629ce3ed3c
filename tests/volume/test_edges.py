import numpy as np

from corr.volume.edges import align_to_edges


def _step(edge, width=40):
    return np.broadcast_to(np.where(np.arange(width) < edge, 3, 20), (30, width))


def test_a_jump_moves_to_where_the_colour_changes():
    image = np.where(_step(20)[..., None] == 3, [200, 30, 30], [30, 30, 200]).astype(np.uint8)
    fattened = _step(17).astype(np.float32)  # the near surface reaches 3 px too far
    np.testing.assert_array_equal(align_to_edges(fattened, image), _step(20))


def test_a_map_without_jumps_does_not_change():
    rng = np.random.default_rng(0)
    slope = (np.arange(40) * 0.2 + rng.random((30, 1))).astype(np.float32)
    image = rng.integers(0, 256, (30, 40, 3)).astype(np.uint8)
    np.testing.assert_array_equal(align_to_edges(slope, image), slope)


def test_the_input_and_a_single_pixel_stay_as_they_are():
    disparity = _step(10).astype(np.float32)
    before = disparity.copy()
    align_to_edges(disparity, np.zeros((30, 40, 3), np.uint8))
    np.testing.assert_array_equal(disparity, before)
    one = np.full((1, 1), 7.5, np.float32)
    assert align_to_edges(one, np.zeros((1, 1, 3), np.uint8)).tolist() == [[7.5]]


def test_a_weighted_median_equals_a_naive_one():
    rng = np.random.default_rng(1)
    disparity = rng.integers(0, 30, (12, 14)).astype(np.float32)
    image = rng.integers(0, 256, (12, 14, 3)).astype(np.uint8)
    found = align_to_edges(disparity, image)
    for y, x in [(0, 0), (5, 7), (11, 13), (3, 12)]:
        votes = np.zeros(32)
        for row in range(y % 2, 12, 2):
            for column in range(x % 2, 14, 2):
                if abs(row - y) <= 10 and abs(column - x) <= 10:
                    difference = np.abs(image[row, column].astype(int) - image[y, x]).sum()
                    distance = np.hypot(row - y, column - x)
                    votes[int(disparity[row, column])] += np.exp(-difference / 15 - distance / 10)
        place = int(np.searchsorted(votes.cumsum(), votes.sum() / 2))
        near = slice(max(0, place - 1), place + 2)
        expected = (votes[near] * np.arange(32)[near]).sum() / votes[near].sum()
        if abs(expected - disparity[y, x]) < 1:
            expected = disparity[y, x]
        np.testing.assert_allclose(found[y, x], expected, rtol=1e-4)
