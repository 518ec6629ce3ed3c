"""All options of the matcher together: one to one, and the first inconsistent neighbour."""

from typing import Any

import numpy as np
import pytest
import torch
from descriptors_by_angle import at, unit_rows
from hypothesis import given, settings
from hypothesis import strategies as st

from corr.errors import OptionError, ShapeError
from corr.search import match_descriptors, matcher, nearest


def reference(
    first: np.ndarray,
    second: np.ndarray,
    places: np.ndarray,
    *,
    mutual: bool,
    one_to_one: bool,
    ratio: float | None,
    inconsistent_px: float | None,
) -> list[tuple[int, int]]:
    """All options, a pair at a time."""
    binary = first.dtype == np.uint8

    def distance(a: np.ndarray, b: np.ndarray) -> float:
        if binary:
            return float(np.unpackbits(a ^ b).sum())
        return float(np.sqrt(max(0.0, 2 - 2 * a.astype(float) @ b.astype(float))))

    table = [[distance(a, b) for b in second] for a in first]
    pairs = []
    for i, row in enumerate(table):
        j = row.index(min(row))
        column = [other[j] for other in table]
        if mutual and column.index(min(column)) != i:
            continue
        others = [
            d
            for c, d in enumerate(row)
            if c != j
            and (
                inconsistent_px is None
                or float(((places[c] - places[j]) ** 2).sum()) > inconsistent_px**2
            )
        ]
        if ratio is not None and others and not row[j] < ratio * min(others):
            continue
        pairs.append((i, j))
    if one_to_one:
        pairs = [
            (i, j) for i, j in pairs if i == min((table[a][b], a) for a, b in pairs if b == j)[1]
        ]
    return pairs


@pytest.mark.parametrize("binary", [False, True])
@settings(max_examples=80, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    mutual=st.booleans(),
    one_to_one=st.booleans(),
    ratio=st.sampled_from([None, 0.7, 0.95, 1.0]),
    inconsistent_px=st.sampled_from([None, 0.0, 2.0, 5.0, 1e6]),
)
def test_all_options_equal_plain_loops(  # noqa: PLR0917
    binary: bool,
    seed: int,
    mutual: bool,
    one_to_one: bool,
    ratio: float | None,
    inconsistent_px: float | None,
) -> None:
    rng = np.random.default_rng(seed)
    n, m = (int(x) for x in rng.integers(1, 40, 2))
    if binary:
        first, second = (rng.integers(0, 256, (x, 2), dtype=np.uint8) for x in (n, m))
    else:
        first, second = unit_rows(n, seed), unit_rows(m, seed + 1)
    places = rng.integers(0, 10, (m, 2)).astype(float)
    options = {
        "mutual": mutual,
        "one_to_one": one_to_one,
        "ratio": ratio,
        "inconsistent_px": None if ratio is None else inconsistent_px,
    }
    pairs, scores = match_descriptors(first, second, keypoints1=places, **options)
    assert pairs.tolist() == [list(x) for x in reference(first, second, places, **options)]
    assert len(scores) == len(pairs)
    if one_to_one or mutual:
        assert len(set(pairs[:, 1])) == len(pairs)


def test_one_to_one_by_hand() -> None:
    """0, 2 and 50 degrees are all nearest to 3; 2 is the closest, and 100 has its own."""
    first, second = at(0, 2, 50, 100), at(3, 98)
    pairs, _ = match_descriptors(first, second, mutual=False)
    assert pairs.tolist() == [[0, 0], [1, 0], [2, 0], [3, 1]]
    pairs, scores = match_descriptors(first, second, mutual=False, one_to_one=True)
    assert pairs.tolist() == [[1, 0], [3, 1]]
    np.testing.assert_allclose(scores, np.cos(np.deg2rad([1, 2])), atol=1e-6)


def test_of_equal_scores_one_to_one_keeps_the_first() -> None:
    rows = np.repeat(at(10), 5, 0)
    pairs, _ = match_descriptors(rows, at(90, 12), mutual=False, one_to_one=True)
    assert pairs.tolist() == [[0, 1]]


def test_a_pair_that_fails_another_test_does_not_take_the_place_of_one_that_passes() -> None:
    """Row 0 is at no distance of column 0 and of its twin, row 1 is near column 0 alone."""
    first = np.array([[0b1111, 0], [0b11111, 0b1000000]], np.uint8)
    second = np.array([[0b1111, 0], [0b1110, 0]], np.uint8)
    options = {"mutual": False, "one_to_one": True}
    assert match_descriptors(first, second, **options)[0].tolist() == [[0, 0]]
    assert match_descriptors(first, second, ratio=0.9, **options)[0].tolist() == [[0, 0]]
    twins = np.array([[0b1111, 0], [0b1111, 0]], np.uint8)
    assert len(match_descriptors(first, twins, ratio=0.9, **options)[0]) == 0


def test_a_point_detected_twice_passes_by_the_first_inconsistent_neighbour() -> None:
    """Columns at 1 and 2 degrees lie 3 px apart; the first elsewhere is at 60 degrees."""
    first, second = at(0), at(1, 2, 60)
    places = np.array([[10.0, 10], [13, 10], [80, 80]])
    options = {"keypoints1": places, "ratio": 0.8}
    assert match_descriptors(first, second, ratio=0.8)[0].tolist() == [[0, 0]]
    second = at(1, 1.1, 60)
    assert len(match_descriptors(first, second, ratio=0.8)[0]) == 0
    assert match_descriptors(first, second, inconsistent_px=3.0, **options)[0].tolist() == [[0, 0]]
    assert len(match_descriptors(first, second, inconsistent_px=2.9, **options)[0]) == 0
    # Where no keypoint is far enough there is nothing to fail against.
    assert len(match_descriptors(first, second, inconsistent_px=500.0, **options)[0]) == 1
    # chords: 2 sin 0.5 / 2 sin 30 = 0.01745
    options["ratio"] = 0.0174
    assert len(match_descriptors(first, second, inconsistent_px=3.0, **options)[0]) == 0


def test_only_rows_in_question_are_searched_again(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = unit_rows(60, 0), unit_rows(80, 1)
    places = np.random.default_rng(0).uniform(0, 50, (80, 2))
    sizes = []

    def counting(queries: torch.Tensor, *arguments: Any, **options: Any) -> Any:
        sizes.append(len(queries))
        return nearest(queries, *arguments, **options)

    monkeypatch.setattr(matcher, "nearest", counting)
    options = {"ratio": 0.8, "keypoints1": places}
    pairs, _ = match_descriptors(first, second, inconsistent_px=10.0, **options)
    mutual, passing = (len(match_descriptors(first, second, ratio=r)[0]) for r in (None, 0.8))
    assert sizes[:2] == [60, mutual - passing]
    assert passing < len(pairs) < mutual


def test_faiss_matches_by_every_option_alike() -> None:
    pytest.importorskip("faiss")
    first, second = unit_rows(90, 0), unit_rows(130, 1)
    places = np.random.default_rng(0).uniform(0, 50, (130, 2))
    options = {
        "mutual": False,
        "one_to_one": True,
        "ratio": 0.8,
        "inconsistent_px": 15.0,
        "keypoints1": places,
    }
    ours, _ = match_descriptors(first, second, **options)
    theirs, _ = match_descriptors(first, second, backend="faiss", **options)
    np.testing.assert_array_equal(ours, theirs)
    assert len(ours) > 10


def test_the_inconsistent_ratio_test_needs_what_it_tests() -> None:
    rows = at(0, 10)
    with pytest.raises(OptionError, match="inconsistent_px needs keypoints1, which were not given"):
        match_descriptors(rows, rows, ratio=0.8, inconsistent_px=3.0)
    with pytest.raises(OptionError, match="the ratio test that it is for is off; give a ratio"):
        match_descriptors(rows, rows, inconsistent_px=3.0, keypoints1=np.zeros((2, 2)))
    with pytest.raises(ShapeError, match="keypoints1 are 3, and descriptors1 are 2; use one for"):
        match_descriptors(rows, rows, ratio=0.8, inconsistent_px=3.0, keypoints1=np.zeros((3, 2)))
    for wrong in (-1.0, float("nan"), float("inf")):
        with pytest.raises(OptionError, match=f"inconsistent_px is {wrong}; use 0 px or more"):
            match_descriptors(rows, rows, ratio=0.8, inconsistent_px=wrong)
