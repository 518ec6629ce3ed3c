"""Mutual neighbours, the ratio test and the threshold, by hand and against plain loops."""

import numpy as np
import pytest
import torch
from descriptors_by_angle import at, unit_rows

from corr.errors import OptionError, ShapeError
from corr.search import match_descriptors


def by_loops(
    first: np.ndarray, second: np.ndarray, ratio: float | None, min_score: float | None
) -> list[tuple[int, int]]:
    distances = [[float(np.linalg.norm(a - b)) for b in second.astype(float)] for a in first]
    pairs = []
    for i, row in enumerate(distances):
        j = row.index(min(row))
        column = [other[j] for other in distances]
        lowest, runner_up = sorted(row)[:2]
        if column.index(min(column)) != i:
            continue
        if ratio is not None and not lowest < ratio * runner_up:
            continue
        if min_score is not None and float(first[i] @ second[j]) < min_score:
            continue
        pairs.append((i, j))
    return pairs


def test_by_hand() -> None:
    first, second = at(0, 50, 100), at(98, 1, 120)
    pairs, scores = match_descriptors(first, second)
    assert pairs.tolist() == [[0, 1], [2, 0]]  # 50 is nearest to 98, which is nearer to 100
    np.testing.assert_allclose(scores, np.cos(np.deg2rad([1, 2])), atol=1e-6)
    pairs, _ = match_descriptors(first, second, mutual=False)
    assert pairs.tolist() == [[0, 1], [1, 0], [2, 0]]


def test_ratio_is_of_distances_not_of_angles_or_squares() -> None:
    """0 degrees has neighbours at 30 and 60: chords 2 sin 15 and 2 sin 30, a ratio of 0.5176."""
    first, second = at(0, 200), at(30, 60, 200)
    assert match_descriptors(first, second, ratio=0.518)[0].tolist() == [[0, 0], [1, 2]]
    assert match_descriptors(first, second, ratio=0.517)[0].tolist() == [[1, 2]]


@pytest.mark.parametrize("ratio", [None, 0.6, 0.9, 1.0])
@pytest.mark.parametrize("min_score", [None, 0.9])
@pytest.mark.parametrize("seed", range(3))
def test_equals_plain_loops(ratio: float | None, min_score: float | None, seed: int) -> None:
    first, second = unit_rows(60, seed), unit_rows(80, seed + 100)
    pairs, scores = match_descriptors(first, second, ratio=ratio, min_score=min_score)
    expected = by_loops(first, second, ratio, min_score)
    assert pairs.tolist() == [list(pair) for pair in expected]
    np.testing.assert_allclose(
        scores, np.einsum("kd,kd->k", first[pairs[:, 0]], second[pairs[:, 1]]), atol=1e-6
    )


def test_a_repeated_descriptor_fails_the_ratio_test() -> None:
    """Both distances are 0 up to rounding, whichever way it falls."""
    row = unit_rows(1, 5)
    rows = unit_rows(40, 6)
    assert len(match_descriptors(row, np.concatenate((rows, row, row)), ratio=0.95)[0]) == 0
    assert match_descriptors(row, np.concatenate((rows, row)), ratio=0.95)[0].tolist() == [[0, 40]]


def test_descriptors_that_only_rounding_tells_apart_fail_the_ratio_test() -> None:
    row = unit_rows(1, 5)
    twin = (row * np.float32(1 - 2e-7)).astype(np.float32)
    assert not np.array_equal(row, twin)
    assert len(match_descriptors(row, np.concatenate((twin, row)), ratio=0.95)[0]) == 0


def test_the_only_candidate_passes_the_ratio_test() -> None:
    assert match_descriptors(at(0), at(70), ratio=0.5)[0].tolist() == [[0, 0]]


def test_binary_by_hand() -> None:
    first = np.array([[0b11110000, 0], [0, 0b00001111]], np.uint8)
    second = np.array([[0, 0b00001110], [0b11110001, 0b10000000], [255, 255]], np.uint8)
    pairs, scores = match_descriptors(first, second)
    assert pairs.tolist() == [[0, 1], [1, 0]]
    np.testing.assert_allclose(scores, [1 - 2 / 16, 1 - 1 / 16])
    # Distances to the nearest and the second nearest: 2 and 7; 1 and 7.
    assert match_descriptors(first, second, ratio=0.28)[0].tolist() == [[1, 0]]
    assert len(match_descriptors(first, second, ratio=0.29)[0]) == 2
    assert match_descriptors(first, second, min_score=0.9)[0].tolist() == [[1, 0]]


def test_swapping_the_images_swaps_the_pairs() -> None:
    first, second = unit_rows(50, 1), unit_rows(70, 2)
    there, scores = match_descriptors(first, second)
    back, scores_back = match_descriptors(second, first)
    assert sorted(back[:, ::-1].tolist()) == there.tolist()
    np.testing.assert_allclose(np.sort(scores), np.sort(scores_back), atol=1e-6)


def test_arrays_that_may_not_be_written_and_tensors_are_taken() -> None:
    first, second = unit_rows(20, 1), unit_rows(30, 2)
    expected, _ = match_descriptors(first, second)
    first.flags.writeable = False
    np.testing.assert_array_equal(match_descriptors(first, second)[0], expected)
    tensors = torch.from_numpy(first.copy()), torch.from_numpy(second)
    np.testing.assert_array_equal(match_descriptors(*tensors)[0], expected)
    np.testing.assert_array_equal(match_descriptors(*tensors, device="cpu")[0], expected)


@pytest.mark.parametrize(("n", "m"), [(0, 5), (5, 0), (0, 0)])
@pytest.mark.parametrize("binary", [False, True])
def test_nothing_matches_nothing(n: int, m: int, binary: bool) -> None:
    kind = np.uint8 if binary else np.float32
    pairs, scores = match_descriptors(np.zeros((n, 8), kind), np.zeros((m, 8), kind), ratio=0.8)
    assert pairs.shape == (0, 2)
    assert pairs.dtype == np.int64
    assert scores.shape == (0,)


def test_options_outside_what_is_accepted_are_refused() -> None:
    rows = at(0, 10)
    with pytest.raises(OptionError, match=r"ratio is 1.3; use a value in \(0, 1\]"):
        match_descriptors(rows, rows, ratio=1.3)
    with pytest.raises(OptionError, match=r"ratio is 0.0; use a value in"):
        match_descriptors(rows, rows, ratio=0.0)
    with pytest.raises(OptionError, match=r"min_score is 7.0; use a value in \[-1, 1\]"):
        match_descriptors(rows, rows, min_score=7.0)
    with pytest.raises(OptionError, match="search 'flann' is not known; use one of auto"):
        match_descriptors(rows, rows, backend="flann")
    with pytest.raises(OptionError, match=r"descriptors1 are not of unit length \(row 1 has"):
        match_descriptors(rows, rows * np.array([[1], [512]], np.float32))
    with pytest.raises(OptionError, match="queries hold NaN"):
        match_descriptors(rows * np.float32("nan"), rows)
    with pytest.raises(ShapeError, match="rows have the same length"):
        match_descriptors(rows, unit_rows(4, 0))


def test_a_flat_patch_without_a_direction_is_no_error() -> None:
    rows = np.concatenate((at(0, 90), np.zeros((1, 2), np.float32)))
    assert match_descriptors(rows, rows)[0].tolist()[:2] == [[0, 0], [1, 1]]
