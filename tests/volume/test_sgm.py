from inspect import unwrap

import numpy as np
import pytest

from corr.errors import OptionError, ShapeError
from corr.volume.penalties import Penalties, StepPenalties
from corr.volume.sgm import aggregate, checked_costs, sweep

PATHS = [(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (1, -1), (-1, 1), (-1, -1)]
"""(dy, dx) of a step along each path; the first four are rows and columns."""


def _path_costs(cost, guide, penalties, dy, dx):
    """Hirschmueller 2008, equation 13, one pixel at a time."""
    height, width, depth = cost.shape
    path = np.zeros((height, width, depth), int)
    rows = range(height) if dy >= 0 else range(height - 1, -1, -1)
    columns = range(width) if dx >= 0 else range(width - 1, -1, -1)
    for y in rows:
        for x in columns:
            y0, x0 = y - dy, x - dx
            if not (0 <= y0 < height and 0 <= x0 < width):
                path[y, x] = cost[y, x]
                continue
            before = path[y0, x0]
            small, large = _both(penalties, guide, abs(int(guide[y, x]) - int(guide[y0, x0])))
            for d in range(depth):
                choices = [before[d], before.min() + large]
                if d > 0:
                    choices.append(before[d - 1] + small)
                if d < depth - 1:
                    choices.append(before[d + 1] + small)
                path[y, x, d] = cost[y, x, d] + min(choices) - before.min()
    return path


def _both(penalties, guide, step):
    """P1 and P2 between neighbours that differ by `step`."""
    if isinstance(penalties, StepPenalties):
        share = penalties.quotient if step > penalties.edge * guide.std() else 1
        return round(penalties.small / share), round(penalties.large / share)
    large = round(penalties.large * penalties.contrast / max(step, penalties.contrast))
    return penalties.small, max(large, penalties.small)


@pytest.mark.parametrize("num_paths", [4, 8])
@pytest.mark.parametrize(
    "shape", [(7, 9, 5), (1, 6, 3), (6, 1, 4), (5, 4, 1), (1, 1, 1), (4, 5, 33)]
)
def test_sums_equal_a_naive_loop_exactly(shape, num_paths):
    rng = np.random.default_rng(sum(shape))
    cost = rng.integers(0, 63, shape).astype(np.uint8)
    guide = rng.integers(0, 256, shape[:2]).astype(np.uint8)
    penalties = Penalties(small=7, large=40, contrast=20.0)
    expected = sum(_path_costs(cost, guide, penalties, *path) for path in PATHS[:num_paths])
    total = aggregate(cost, guide, penalties, num_paths=num_paths)
    assert total.dtype == np.uint16
    np.testing.assert_array_equal(total, expected)


def test_the_default_penalties_and_16_bit_costs_equal_a_naive_loop_too():
    rng = np.random.default_rng(0)
    cost = rng.integers(0, 8191 - 120, (5, 6, 8)).astype(np.uint16)
    guide = rng.integers(0, 256, (5, 6)).astype(np.uint8)
    expected = sum(_path_costs(cost, guide, Penalties(), *path) for path in PATHS)
    np.testing.assert_array_equal(aggregate(cost, guide), expected)


def test_penalties_by_steps_equal_a_naive_loop_and_the_sweeps_add_up():
    rng = np.random.default_rng(5)
    cost = rng.integers(0, 63, (6, 7, 9)).astype(np.uint8)
    guide = rng.integers(0, 256, (6, 7)).astype(np.uint8)
    penalties = StepPenalties(small=9, large=50, edge=1.0, quotient=3.0)
    halves = [
        sum(_path_costs(cost, guide, penalties, *path) for path in half)
        for half in ([PATHS[i] for i in (0, 2, 4, 5)], [PATHS[i] for i in (1, 3, 6, 7)])
    ]
    sweeps = sweep(cost, guide, penalties)
    np.testing.assert_array_equal(sweeps, halves)
    np.testing.assert_array_equal(aggregate(cost, guide, penalties), sum(halves))


def test_without_penalties_the_best_cost_of_each_pixel_wins():
    cost = np.random.default_rng(1).permutation(np.arange(240) % 63).reshape(5, 6, 8)
    total = aggregate(
        cost.astype(np.uint8), np.zeros((5, 6), np.uint8), Penalties(small=0, large=0)
    )
    np.testing.assert_array_equal(total, 8 * cost)


def test_float_costs_count_in_steps_of_one_in_255():
    rng = np.random.default_rng(2)
    cost = rng.random((4, 5, 6), np.float32)
    guide = rng.integers(0, 256, (4, 5)).astype(np.uint8)
    whole = np.rint(cost * 255).astype(np.uint8)
    np.testing.assert_array_equal(aggregate(cost, guide), aggregate(whole, guide))


def test_the_result_does_not_depend_on_chance():
    rng = np.random.default_rng(3)
    cost = rng.integers(0, 63, (40, 50, 16)).astype(np.uint8)
    guide = rng.integers(0, 256, (40, 50)).astype(np.uint8)
    first = aggregate(cost, guide)
    for _ in range(5):
        np.testing.assert_array_equal(aggregate(cost, guide), first)


def test_turning_volume_and_image_turns_the_result():
    rng = np.random.default_rng(4)
    cost = rng.integers(0, 63, (9, 8, 6)).astype(np.uint8)
    guide = rng.integers(0, 256, (9, 8)).astype(np.uint8)
    turned = aggregate(cost[::-1, ::-1], np.ascontiguousarray(guide[::-1, ::-1]))
    np.testing.assert_array_equal(turned[::-1, ::-1], aggregate(cost, guide))


def test_large_penalty_falls_at_edges_but_not_below_the_small_one():
    guide = np.array([[0, 200]], np.uint8)  # its deviation is 100
    small, large = Penalties(small=14, large=120, contrast=8.0).tables(guide)
    assert large[[0, 8, 16, 32, 255]].tolist() == [120, 120, 60, 30, 14]
    assert set(small.tolist()) == {14}
    small, large = StepPenalties(small=12, large=120, edge=0.5, quotient=4.0).tables(guide)
    assert large[[0, 50, 51, 255]].tolist() == [120, 120, 30, 30]
    assert small[[50, 51]].tolist() == [12, 3]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"num_paths": 5}, "num_paths is 5; use 4 or 8"),
        ({"penalties": Penalties(large=9000)}, "add up to 9003; use at most 8191"),
        ({"cost": np.full((2, 3, 4), 1.5)}, r"float costs from 1.5 to 1.5 .* \[0, 1\]"),
        ({"cost": np.full((2, 3, 4), np.nan)}, "float costs from nan"),
        ({"cost": np.zeros((2, 3, 4), np.int32)}, "not int32"),
    ],
)
def test_bad_options_are_refused(change, message):
    given = {
        "cost": np.full((2, 3, 4), 3, np.uint8),
        "guide": np.zeros((2, 3), np.uint8),
        "penalties": None,
        "num_paths": 8,
        **change,
    }
    with pytest.raises(OptionError, match=message):
        aggregate(given["cost"], given["guide"], given["penalties"], num_paths=given["num_paths"])


def test_bad_shapes_and_penalties_are_refused():
    cost = np.zeros((2, 3, 4), np.uint8)
    with pytest.raises(ShapeError, match="does not fit"):
        unwrap(checked_costs)(cost, np.zeros((2, 4), np.uint8), Penalties(), 8)  # unchecked
    with pytest.raises(ShapeError, match="does not fit"):
        aggregate(cost[:, :, :0], np.zeros((2, 3), np.uint8))
    with pytest.raises(OptionError, match="small 5 and large 4"):
        Penalties(small=5, large=4)
    with pytest.raises(OptionError, match=r"contrast is 0\.0"):
        Penalties(contrast=0.0)
    with pytest.raises(OptionError, match=r"edge is 0\.1 and quotient 0\.5"):
        StepPenalties(small=1, large=2, edge=0.1, quotient=0.5)
