"""Which pairs are left out: each sign by hand, and all together against plain loops."""

import math
import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from corr.errors import OptionError, ShapeError
from corr.search import Exclusion, nearest, tiles_torch
from corr.search.exclusion import of_rows, turned
from corr.search.rules import allowed_pairs

METRICS = ("cosine", "dot", "l2", "hamming")


def unit_rows(rng: np.random.Generator, count: int, width: int) -> np.ndarray:
    rows = rng.standard_normal((count, width))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)


def score_of(first: np.ndarray, second: np.ndarray, metric: str) -> float:
    if metric == "hamming":
        return -float(np.unpackbits(first ^ second).sum())
    one, two = first.astype(float), second.astype(float)
    return -float(np.linalg.norm(one - two)) if metric == "l2" else float(one @ two)


def distance_of(score: float, metric: str) -> float:
    return -score if metric in ("l2", "hamming") else math.sqrt(max(0.0, 2 - 2 * score))


def by_loops(
    first: np.ndarray, second: np.ndarray, metric: str, k: int, signs: dict[str, object]
) -> tuple[list[list[int]], list[list[float]]]:
    """One pair at a time: the indices and scores of the k best that are not left out."""
    index, scores = [], []
    for i, query in enumerate(first):
        left = []
        for j, candidate in enumerate(second):
            score = score_of(query, candidate, metric)
            if "tracks0" in signs and signs["tracks0"][i] == signs["tracks1"][j]:
                continue
            if "points0" in signs:
                x, y = signs["points0"][i] - signs["points1"][j]
                if x * x + y * y <= signs["radius"] ** 2:
                    continue
            if "min_distance" in signs and distance_of(score, metric) < signs["min_distance"]:
                continue
            left.append((-score, j))
        best = sorted(left)[:k] + [(math.inf, -1)] * max(0, k - len(left))
        index.append([j for _, j in best])
        scores.append([-score for score, _ in best])
    return index, scores


def swapped(signs: dict[str, object]) -> dict[str, object]:
    other = {"0": "1", "1": "0"}
    return {name[:-1] + other.get(name[-1], name[-1]): value for name, value in signs.items()}


def random_case(
    seed: int, kinds: tuple[str, ...], metric: str
) -> tuple[np.ndarray, np.ndarray, dict[str, object]]:
    """Few tracks, coarse places and rows that come again, so that every sign leaves some out."""
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 40, 2)
    if metric == "hamming":
        first, second = (rng.integers(0, 256, (count, 3), dtype=np.uint8) for count in (n, m))
    else:
        first, second = unit_rows(rng, n, 5), unit_rows(rng, m, 5)
    copied = rng.integers(0, n, m // 3 + 1)
    second[: len(copied)] = first[copied][:m]
    signs: dict[str, object] = {}
    if "tracks" in kinds:
        signs["tracks0"], signs["tracks1"] = rng.integers(-2, 6, n), rng.integers(-2, 6, m)
    if "points" in kinds:
        signs["points0"] = rng.integers(0, 12, (n, 2)).astype(float)
        signs["points1"] = rng.integers(0, 12, (m, 2)).astype(float)
        signs["radius"] = float(rng.choice([0.0, 1.0, 5.0, 8.0]))  # many pairs lie exactly so far
    if "distance" in kinds:
        signs["min_distance"] = float(rng.integers(0, 12)) if metric == "hamming" else 0.6
    return first, second, signs


ALL_KINDS = [
    ("tracks",),
    ("points",),
    ("distance",),
    ("tracks", "points"),
    ("tracks", "distance"),
    ("points", "distance"),
    ("tracks", "points", "distance"),
]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kinds", ALL_KINDS, ids="+".join)
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10**6), k=st.integers(1, 4))
def test_equals_plain_loops_both_ways(
    kinds: tuple[str, ...], metric: str, seed: int, k: int
) -> None:
    first, second, signs = random_case(seed, kinds, metric)
    k = min(k, len(first), len(second))
    tables, excluded = (torch.from_numpy(first), torch.from_numpy(second)), Exclusion(**signs)
    found = nearest(*tables, k, metric=metric, both_ways=True, constraint=excluded)
    assert found.reverse is not None
    there = by_loops(first, second, metric, k, signs)
    back = by_loops(second, first, metric, k, swapped(signs))
    torch_path = tiles_torch.search(*tables, (k, k), metric, rule=excluded.rule())
    for own, other, (index, scores) in zip(
        (found, found.reverse), torch_path, (there, back), strict=True
    ):
        assert own.index.tolist() == index
        assert other.index.tolist() == index
        np.testing.assert_allclose(own.scores, np.array(scores), atol=2e-6)
        assert torch.equal(own.scores, other.scores)


def test_tracks_by_hand() -> None:
    rows = torch.tensor([[1.0, 0], [0.8, 0.6], [0, 1]])
    excluded = Exclusion(tracks0=np.array([7, 7, 8]), tracks1=torch.tensor([7, 8, 9]))
    found = nearest(rows, rows, 2, constraint=excluded)
    assert found.index.tolist() == [[1, 2], [1, 2], [2, 0]]


def test_a_place_exactly_at_the_radius_is_left_out() -> None:
    rows = torch.tensor([[1.0, 0], [0, 1]])
    places = {"points0": np.array([[0.0, 0], [9, 9]]), "points1": np.array([[3.0, 4], [50, 50]])}
    found = nearest(rows, rows, constraint=Exclusion(**places, radius=5.0))
    assert found.index.tolist() == [[1], [1]]
    found = nearest(rows, rows, constraint=Exclusion(**places, radius=4.999))
    assert found.index.tolist() == [[0], [1]]


def test_a_row_exactly_at_the_distance_stays() -> None:
    first, second = torch.tensor([[0], [255]], dtype=torch.uint8), torch.tensor([[3], [127]]).byte()
    for distance, index in ((1.0, [[0], [1]]), (2.0, [[0], [0]]), (3.0, [[1], [0]])):
        found = nearest(
            first, second, metric="hamming", constraint=Exclusion(min_distance=distance)
        )
        assert found.index.tolist() == index
    origin, line = torch.zeros(1, 1), torch.tensor([[1.0], [2.0], [4.0]])
    for distance, index in ((2.0, 1), (2.0001, 2), (4.0, 2), (4.0001, -1)):
        found = nearest(origin, line, metric="l2", constraint=Exclusion(min_distance=distance))
        assert found.index.item() == index


def test_a_distance_of_nothing_excludes_nothing_even_where_rounding_goes_beyond_1() -> None:
    rows = torch.full((2, 3), 0.57735032)  # a little longer than 1
    for metric in ("dot", "cosine", "l2"):
        found = nearest(rows, rows, metric=metric, constraint=Exclusion(min_distance=0.0))
        assert found.index.tolist() == [[0], [0]]


def test_where_all_are_left_out_nothing_is_found() -> None:
    rows = torch.eye(4)
    same = np.zeros(4, int)
    for excluded in (
        Exclusion(tracks0=same, tracks1=same),
        Exclusion(points0=np.zeros((4, 2)), points1=np.zeros((4, 2)), radius=0.0),
        Exclusion(min_distance=2.5),
    ):
        found = nearest(rows, rows, 2, both_ways=True, return_second=True, constraint=excluded)
        assert found.reverse is not None
        for side in (found, found.reverse):
            assert (side.index == -1).all()
            assert (side.scores == -torch.inf).all()
            assert side.second is not None
            assert (side.second == -torch.inf).all()


@pytest.mark.parametrize("metric", METRICS)
def test_large_tables_in_low_precision(metric: str) -> None:
    """Many tiles, of bfloat16 where the processor has it, with rows on either side of the limit."""
    rng = np.random.default_rng(3)
    if metric == "hamming":
        first = rng.integers(0, 256, (700, 16), dtype=np.uint8)
        second = rng.integers(0, 256, (900, 16), dtype=np.uint8)
        second[:700], limit = first ^ (rng.random((700, 16)) < 0.1), 2.0
    else:
        first, second = unit_rows(rng, 700, 32), unit_rows(rng, 900, 32)
        near = first + rng.uniform(0, 0.002, (700, 1)) * unit_rows(rng, 700, 32)
        second[:700] = near / np.linalg.norm(near, axis=1, keepdims=True)
        limit = 0.001
    tracks = rng.integers(0, 300, 700), rng.integers(0, 300, 900)
    tables = torch.from_numpy(first), torch.from_numpy(second)
    excluded = Exclusion(tracks0=tracks[0], tracks1=tracks[1], min_distance=limit)
    found = nearest(*tables, metric=metric, both_ways=True, constraint=excluded)
    if metric == "hamming":
        scores = -torch.from_numpy(
            np.unpackbits(first[:, None] ^ second[None], axis=2).sum(2, dtype=float)
        )
        distances = -scores
    else:
        one, two = (x.double() for x in tables)
        if metric == "l2":
            distances = (one[:, None] - two[None]).square().sum(2).sqrt()
            scores = -distances
        else:
            scores = one @ two.T
            distances = (2 - 2 * scores).clamp_min(0).sqrt()
    left_out = (distances < limit) | (
        torch.from_numpy(tracks[0])[:, None] == torch.from_numpy(tracks[1])
    )
    scores[left_out] = -torch.inf
    assert found.reverse is not None
    assert torch.equal(found.index[:, 0], scores.argmax(1))
    assert torch.equal(found.reverse.index[:, 0], scores.argmax(0))
    assert 50 < (distances.diagonal() < limit).sum() < 650


def test_rules_of_the_other_side_and_of_some_rows() -> None:
    _, _, signs = random_case(11, ("tracks", "points"), "dot")
    rule = Exclusion(**signs).rule()
    n, m = len(signs["tracks0"]), len(signs["tracks1"])
    whole = allowed_pairs(rule, slice(0, n), slice(0, m))
    assert 0 < whole.sum() < whole.numel()
    assert torch.equal(allowed_pairs(turned(rule), slice(0, m), slice(0, n)), whole.T)
    rows = np.array([n - 1, 0, 0])
    assert torch.equal(allowed_pairs(of_rows(rule, rows), slice(0, 3), slice(0, m)), whole[rows])


def test_refusals() -> None:
    numbers, points = np.arange(3), np.zeros((3, 2))
    with pytest.raises(OptionError, match="tracks0 and tracks1 belong together; one was given"):
        Exclusion(tracks0=numbers)
    with pytest.raises(OptionError, match="points0, points1 and radius belong together; not all"):
        Exclusion(points0=points, points1=points)
    with pytest.raises(OptionError, match="nothing is excluded; give tracks, points with a radius"):
        Exclusion()
    for radius in (-1.0, math.nan, math.inf):
        with pytest.raises(OptionError, match=f"radius is {radius}; use 0 px or more"):
            Exclusion(points0=points, points1=points, radius=radius)
        with pytest.raises(OptionError, match=f"min_distance is {radius}; use 0 or more"):
            Exclusion(min_distance=radius)
    with pytest.raises(OptionError, match=r"points1 hold NaN or infinite values; use finite"):
        Exclusion(points0=points, points1=points * np.nan, radius=1.0)
    with pytest.raises(ShapeError, match=r"tracks are for \(3, 3\) rows and points for \(2, 3\)"):
        Exclusion(tracks0=numbers, tracks1=numbers, points0=points[:2], points1=points, radius=1.0)
    rows = torch.eye(3)
    with pytest.raises(ShapeError, match=r"the constraint is for \(2, 3\) rows, and the tables"):
        nearest(rows, rows, constraint=Exclusion(tracks0=numbers[:2], tracks1=numbers))


def test_other_types_without_type_checks() -> None:
    code = """
import numpy as np
from corr.errors import CorrError
from corr.search import Exclusion
print(Exclusion(tracks0=[1, 2], tracks1=[2, 1, 3]).sizes())
for tracks in ([0.0, 1.0], [[0, 1]], [True, False]):
    try:
        Exclusion(tracks0=[0, 1], tracks1=tracks)
    except CorrError as error:
        print(error)
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "(2, 3)",
        "tracks1 are float64 of shape (2,); use whole numbers (N,)",
        "tracks1 are int64 of shape (1, 2); use whole numbers (N,)",
        "tracks1 are bool of shape (2,); use whole numbers (N,)",
    ]
