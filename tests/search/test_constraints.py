"""Constraints: equal to brute force over the allowed pairs, and faster since tiles are left out."""

import numpy as np
import pytest
import torch

from corr.errors import OptionError, ShapeError
from corr.search import EpipolarBand, RowBand, Window, nearest
from corr.search.rules import Rule
from tests.search.brute_force import best, scores


def points(count, rng, width=640.0, height=480.0):
    return rng.uniform(0, 1, (count, 2)) * [width, height]


def fundamental_of(kind: str) -> np.ndarray:
    """Cross-product matrices: a camera that moves forward, aside, up, or obliquely and turned."""
    if kind == "oblique":
        turn = np.array([[0.96, -0.28, 3.0], [0.28, 0.96, -9.0], [0, 0, 1]])
        return cross([300.0, -80.0, 1.0]) @ turn
    epipole = {"forward": [320.0, 240, 1], "aside": [1.0, 0, 0], "up": [0.0, 1, 0]}[kind]
    return cross(epipole)


def cross(v):
    return np.array([[0, -v[2], v[1]], [v[2], 0, -v[0]], [-v[1], v[0], 0]])


def make(kind, first, second):
    if kind == "window":
        return Window(35.0, first, second)
    if kind == "rows":
        return RowBand(90, 2.5, first, second)
    return EpipolarBand(fundamental_of(kind), 4.0, first, second)


KINDS = ["window", "rows", "forward", "aside", "up", "oblique"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("metric", ["cosine", "l2", "hamming"])
@pytest.mark.parametrize("sizes", [(1, 1), (7, 300), (400, 900), (1000, 30)])
def test_equals_brute_force_over_the_allowed_pairs(kind, metric, sizes):
    rng = np.random.default_rng(len(kind) + sizes[1])
    first, second = (points(n, rng) for n in sizes)
    if metric == "hamming":
        tables = [torch.from_numpy(rng.integers(0, 4, (n, 3), dtype=np.uint8)) for n in sizes]
    else:
        tables = [torch.from_numpy(rng.integers(-2, 3, (n, 9)).astype(np.float32)) for n in sizes]
    constraint = make(kind, first, second)
    table = scores(*tables, metric)
    table[~constraint.allowed().numpy()] = -np.inf
    k = min(*sizes, 3)
    found = nearest(*tables, k, metric=metric, both_ways=True, constraint=constraint)
    for side, truth in ((found, table), (found.reverse, table.T)):
        wanted = best(truth, k)
        np.testing.assert_array_equal(side.index.numpy(), wanted)
        assert torch.equal(side.scores == -torch.inf, side.index == -1)


def test_what_is_allowed_by_hand():
    first, second = np.array([[50.0, 40.0]]), np.array([[50, 40], [53, 44], [53.1, 44], [47, 40]])
    assert Window(5, first, second).allowed().tolist() == [[True, True, False, True]]
    second = np.array([[50, 40], [50.1, 40], [41, 40], [40.9, 40], [45, 41], [45, 41.1]])
    allowed = RowBand(10, 1, first, second).allowed().tolist()
    assert allowed == [[True, False, True, False, True, False]]  # disparities 0 to 9
    # A camera that moves aside: the epipolar line of a point is its own row.
    allowed = EpipolarBand(fundamental_of("aside"), 1, first, second).allowed().tolist()
    assert allowed == [[True, True, True, True, True, False]]


def test_a_point_at_the_epipole_may_correspond_to_any():
    first, second = np.array([[320.0, 240.0], [320.0, 200.0]]), np.array([[1.0, 2.0], [320, 9]])
    allowed = EpipolarBand(fundamental_of("forward"), 1, first, second).allowed().tolist()
    assert allowed == [[True, True], [False, True]]


@pytest.mark.parametrize(("kind", "least"), [("window", 12), ("rows", 12), ("oblique", 4),
                                             ("aside", 4), ("forward", 4)])  # fmt: skip
def test_tiles_are_left_out(kind, least):
    rng = np.random.default_rng(0)
    first, second = points(4000, rng), points(4000, rng)
    tables = [torch.from_numpy(rng.standard_normal((4000, 16))).float() for _ in range(2)]
    found = nearest(*tables, constraint=make(kind, first, second), both_ways=True)
    assert found.num_products * least < 4000 * 4000


def test_a_dense_row_band_takes_a_hundredth_of_the_products():
    height, width = 60, 640
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    grid = np.stack((x.ravel(), y.ravel()), 1)
    maps = torch.nn.functional.normalize(torch.randn(2, len(grid), 16), dim=2)
    # Every left vector stands 17 px to the left in the right image.
    right = torch.roll(maps[0].view(height, width, 16), -17, dims=1).reshape(-1, 16)
    found = nearest(maps[0], right, constraint=RowBand(128, 0.4, grid, grid))
    allowed = found.num_products / len(grid) ** 2
    assert allowed < 0.01
    seen = grid[:, 0] >= 17
    disparity = grid[seen, 0] - grid[found.index[seen, 0], 0]
    assert (disparity == 17).all()


def test_other_points_than_rows_and_settings_outside_their_range_are_refused():
    table, place = torch.zeros(3, 4), np.zeros((3, 2))
    with pytest.raises(ShapeError, match=r"constraint is for \(3, 2\) rows, and the tables have"):
        nearest(table, table, constraint=Window(5, place, place[:2]))
    with pytest.raises(OptionError, match="radius is -1; use 0 px or more"):
        Window(-1, place, place)
    with pytest.raises(OptionError, match="max_disparity is 0; use 1 or more"):
        RowBand(0, 1, place, place)
    with pytest.raises(OptionError, match="tolerance is nan; use 0 px or more"):
        RowBand(9, float("nan"), place, place)
    with pytest.raises(OptionError, match=r"fundamental matrix has shape \(2, 3\)"):
        EpipolarBand(np.zeros((2, 3)), 1, place, place)
    with pytest.raises(ShapeError, match=r"points1 are \(3, 3\); use \(N, 2\)"):
        Window(5, place, np.zeros((3, 3)))
    with pytest.raises(OptionError, match="points0 hold NaN or infinite values"):
        Window(5, place * np.nan, place)
    with pytest.raises(OptionError, match="a constraint is for one pair of tables without masks"):
        nearest(table[None], table[None], constraint=Window(5, place, place))


def test_a_rule_without_conditions_allows_all():
    assert Rule().conditions == 0
