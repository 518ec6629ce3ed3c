"""Hard negatives: by hand, against plain loops, and with how little memory."""

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from random_tables import unit_rows
from torch import Tensor

from corr.errors import OptionError, ShapeError
from corr.search import Exclusion, hardest_negatives


def at(*angles_deg: float) -> Tensor:
    radians = torch.deg2rad(torch.tensor(angles_deg, dtype=torch.float64))
    return torch.stack([radians.cos(), radians.sin()], dim=1)


def pairs(num: int) -> Exclusion:
    return Exclusion(tracks0=np.arange(num), tracks1=np.arange(num))


def by_loops(anchors: Tensor, candidates: Tensor, k: int, left_out: Any) -> list[list[int]]:
    index = []
    for i, anchor in enumerate(anchors.double()):
        distances = [
            (float((anchor - candidate).norm()), j)
            for j, candidate in enumerate(candidates.double())
            if not left_out(i, j)
        ]
        index.append([j for _, j in sorted(distances)[:k]] + [-1] * max(0, k - len(distances)))
    return index


def test_by_hand() -> None:
    anchors, candidates = at(0, 90), at(10, 40, 75)
    mined = hardest_negatives(anchors, candidates)
    assert mined.index.tolist() == [[0], [2]]
    tracks = Exclusion(tracks0=np.array([5, 6]), tracks1=np.array([5, 5, 6]))
    mined = hardest_negatives(anchors, candidates, excluded=tracks, k=2, both_ways=True)
    # Of each anchor's candidates those of the other track are left, one or two.
    assert mined.index.tolist() == [[2, -1], [1, 0]]
    assert mined.found.tolist() == [[True, False], [True, True]]
    expected = torch.deg2rad(torch.tensor([[75.0, 0], [50, 80]], dtype=torch.float64)).cos()
    expected[0, 1] = -torch.inf
    torch.testing.assert_close(mined.similarity, expected)
    assert mined.reverse is not None
    assert mined.reverse.index.tolist() == [[1, -1], [1, -1], [0, -1]]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), k=st.integers(1, 3), kind=st.integers(0, 3))
def test_equals_plain_loops_both_ways(seed: int, k: int, kind: int) -> None:
    rng = np.random.default_rng(seed)
    n, m = (int(x) for x in rng.integers(3, 30, 2))
    anchors, candidates = unit_rows(n, 4, seed), unit_rows(m, 4, seed + 1)
    tracks = rng.integers(0, 4, n), rng.integers(0, 4, m)
    places = rng.integers(0, 9, (n, 2)).astype(float), rng.integers(0, 9, (m, 2)).astype(float)

    def left_out(i: int, j: int) -> bool:
        dx, dy = places[0][i] - places[1][j]
        distance = float((anchors[i].double() - candidates[j].double()).norm())
        signs = tracks[0][i] == tracks[1][j], dx * dx + dy * dy <= 9, distance < 0.7
        return bool(any(signs) if kind == 3 else signs[kind])

    kinds: dict[str, Any] = {}
    if kind in (0, 3):
        kinds |= {"tracks0": tracks[0], "tracks1": tracks[1]}
    if kind in (1, 3):
        kinds |= {"points0": places[0], "points1": places[1], "radius": 3.0}
    if kind in (2, 3):
        kinds |= {"min_distance": 0.7}
    mined = hardest_negatives(anchors, candidates, excluded=Exclusion(**kinds), k=k, both_ways=True)
    assert mined.index.tolist() == by_loops(anchors, candidates, k, left_out)
    assert mined.reverse is not None
    back = by_loops(candidates, anchors, k, lambda j, i: left_out(i, j))
    assert mined.reverse.index.tolist() == back
    for own, other, side in (
        (anchors, candidates, mined),
        (candidates, anchors, mined.reverse),
    ):
        products = (own[:, None] * other[side.index.clamp_min(0)]).sum(2)
        torch.testing.assert_close(
            side.similarity, products.masked_fill(side.index < 0, -torch.inf)
        )


@pytest.mark.parametrize("spread", [1.0, 0.1, 0.003, 1e-5])
def test_rows_that_are_all_alike(spread: float) -> None:
    """An untrained network's: similarities differ in the fifth place or the tenth."""
    middle = unit_rows(1, 128, 0, torch.float64)
    anchors, candidates = (
        F.normalize(middle + spread * unit_rows(num, 128, num, torch.float64), dim=1).float()
        for num in (200, 300)
    )
    mined = hardest_negatives(anchors, candidates, excluded=Exclusion(min_distance=spread / 5))
    distances = (anchors.double()[:, None] - candidates.double()[None]).norm(dim=2)
    distances[distances < spread / 5] = torch.inf
    assert torch.equal(mined.index[:, 0], distances.argmin(1))


@pytest.mark.parametrize(("n", "m"), [(0, 5), (5, 0), (0, 0)])
def test_nothing_among_nothing(n: int, m: int) -> None:
    anchors, candidates = torch.zeros(n, 3, requires_grad=True), torch.zeros(m, 3)
    mined = hardest_negatives(anchors, candidates, both_ways=True)
    assert mined.reverse is not None
    assert mined.index.shape == mined.similarity.shape == (n, min(1, m))
    assert mined.reverse.index.shape == (m, min(1, n))


MEMORY = """
import numpy as np, torch
from corr.search import Exclusion, hardest_negatives

def high_water():
    # MB that were resident at most since the last call
    with open("/proc/self/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmHWM:"))
    with open("/proc/self/clear_refs", "w", encoding="ascii") as reset:
        reset.write("5")
    return int(line.split()[1]) / 1024

def unit_rows(num):
    return torch.nn.functional.normalize(torch.randn(num, 128), dim=1)

def mine(anchors, candidates):
    n, m = len(anchors), len(candidates)
    tracks, points = (np.arange(n), np.arange(m)), (np.zeros((n, 2)), np.ones((m, 2)))
    excluded = Exclusion(
        tracks0=tracks[0], tracks1=tracks[1], points0=points[0], points1=points[1], radius=1.0,
        min_distance=0.008,
    )
    mined = hardest_negatives(anchors, candidates, excluded=excluded, both_ways={both_ways})
    mined.similarity.sum().backward()

anchors, candidates = unit_rows(4096).requires_grad_(), unit_rows(100_000)
mine(anchors[:300], candidates[:600])  # compiles, or loads what is compiled
before = high_water()
mine(anchors, candidates)
print(high_water() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
@pytest.mark.parametrize(("both_ways", "most_mb"), [(False, 40), (True, 160)])
def test_100_000_candidates_take_little_memory(both_ways: bool, most_mb: int) -> None:
    """A matrix would take 1600 MB, the inputs take 53.

    Both ways, the winner of each candidate takes 51 MB, and so do the products with it.
    """
    code = MEMORY.format(both_ways=both_ways)
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(done.stdout) < most_mb


def test_refusals() -> None:
    rows = unit_rows(4, 3, 0)
    with pytest.raises(OptionError, match="k is 5, and there are 4 rows to find; use at most 4"):
        hardest_negatives(rows, rows, k=5)
    with pytest.raises(OptionError, match="k is 0; use 1 or more"):
        hardest_negatives(rows, rows, k=0)
    with pytest.raises(OptionError, match="search 'flann' is not known; use one of auto, exact"):
        hardest_negatives(rows, rows, backend="flann")
    with pytest.raises(OptionError, match="database hold NaN, infinite or too large values"):
        hardest_negatives(rows, rows * torch.nan)
    with pytest.raises(ShapeError, match=r"the constraint is for \(3, 3\) rows"):
        hardest_negatives(rows, rows, excluded=pairs(3))


def test_tables_of_other_shapes_without_type_checks() -> None:
    code = """
import torch
from corr.errors import CorrError
from corr.search import hardest_negatives
for first, second in ((torch.ones(2, 3), torch.ones(2, 4)), (torch.ones(1, 2, 3),) * 2):
    try:
        hardest_negatives(first, second)
    except CorrError as error:
        print(error)
"""
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("queries are (2, 3) and the database is (2, 4); use two tables")
    assert lines[1].startswith("anchors are (1, 2, 3) and candidates are (1, 2, 3); use two tables")
