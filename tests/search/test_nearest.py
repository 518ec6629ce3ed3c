"""The neighbours are those of float64 brute force, on every path, whatever comes in."""

from contextlib import contextmanager

import numpy as np
import pytest
import skimage.data
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor

import corr
from corr.errors import OptionError, ShapeError
from corr.search import exact, nearest, tables
from corr.search.microkernel import HAS_BF16
from tests.search.brute_force import best, scores

FLOATS = (torch.float32, torch.float64, torch.float16, torch.bfloat16)
METRICS = ("cosine", "dot", "l2", "hamming")


@contextmanager
def forced(bf16_from: int, blocks: tuple[int, int] | None = None):
    """Low precision from so many products on, and blocks of so many rows and columns."""
    before = tables.BF16_FROM, exact.BLOCK0, exact.BLOCK1, exact.ALONE
    tables.BF16_FROM, exact.ALONE = bf16_from, 0
    if blocks is not None:
        exact.BLOCK0, exact.BLOCK1 = (
            n * width for n, width in zip(blocks, (exact.ROWS, exact.COLUMNS), strict=True)
        )
    try:
        yield
    finally:
        tables.BF16_FROM, exact.BLOCK0, exact.BLOCK1, exact.ALONE = before


def check(queries: Tensor, database: Tensor, k: int, metric: str) -> None:
    """Both directions, and the runner-up, against brute force."""
    table = scores(queries, database, metric)
    with_second = min(table.shape) > k
    found = nearest(queries, database, k, metric=metric, both_ways=True, return_second=with_second)
    assert found.backend == "exact"
    for side, truth in ((found, table), (found.reverse, table.T)):
        wanted = best(truth, k + with_second)
        np.testing.assert_array_equal(side.index.numpy(), wanted[:, :k])
        values = np.take_along_axis(truth, wanted, 1)
        values = -np.sqrt(-values) if metric == "l2" else values
        np.testing.assert_allclose(side.scores.numpy(), values[:, :k], rtol=1e-6, atol=1e-30)
        if with_second:
            np.testing.assert_allclose(side.second.numpy(), values[:, k], rtol=1e-6, atol=1e-30)
        assert 0 <= side.num_rescored <= len(truth)


def draw(kind: str, count: int, width: int, dtype: torch.dtype, rng: np.random.Generator) -> Tensor:
    if dtype == torch.uint8:
        high = 2 if kind == "ties" else 256
        return torch.from_numpy(rng.integers(0, high, (count, width), dtype=np.uint8))
    if kind == "ties":  # whole numbers, whose products are exact
        table = rng.integers(-2, 3, (count, width)).astype(float)
    elif kind == "alike":  # all rows within rounding of one
        table = rng.standard_normal(width) + 1e-7 * rng.standard_normal((count, width))
    elif kind == "sizes":  # lengths that differ by twelve orders of magnitude
        table = rng.standard_normal((count, width)) * 10.0 ** rng.uniform(-6, 6, (count, 1))
        if dtype == torch.float16:
            table = table.clip(-6e4, 6e4)
    else:
        table = rng.standard_normal((count, width))
        table /= np.linalg.norm(table, axis=1, keepdims=True)
    table[rng.random(count) < 0.1] = table[0]  # some rows are the same, one may be of zeros
    if rng.random() < 0.3:
        table[rng.integers(count)] = 0
    return torch.from_numpy(table).to(dtype)


@settings(max_examples=1000, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.tuples(st.integers(1, 120), st.integers(1, 160), st.integers(1, 40)),
    metric=st.sampled_from(METRICS),
    kind=st.sampled_from(["ties", "alike", "sizes", "unit"]),
    dtypes=st.tuples(st.sampled_from(FLOATS), st.sampled_from(FLOATS)),
    k=st.integers(1, 6),
    low=st.booleans(),
    blocks=st.sampled_from([None, (1, 1), (2, 1), (3, 2)]),
)
def test_a_thousand_random_searches_equal_brute_force(  # noqa: PLR0917
    seed, sizes, metric, kind, dtypes, k, low, blocks
):
    rng = np.random.default_rng(seed)
    n, m, width = sizes
    if metric == "hamming":
        dtypes = (torch.uint8, torch.uint8)
    first, second = (
        draw(kind, count, width, dtype, rng) for count, dtype in zip((n, m), dtypes, strict=True)
    )
    if kind == "alike" and metric != "hamming":
        second[: min(n, m)] = first[: min(n, m)].to(second.dtype)
    with forced(0 if low else 1 << 62, blocks):
        check(first, second, min(k, n, m), metric)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("k", [1, 17, 100])
def test_many_neighbours(metric, k):
    rng = np.random.default_rng(0)
    dtype = torch.uint8 if metric == "hamming" else torch.float32
    for kind in ("ties", "unit"):
        first, second = (draw(kind, count, 8, dtype, rng) for count in (150, 310))
        check(first, second, k, metric)


@pytest.mark.parametrize("low", [False, True])
def test_one_step_of_the_last_bit_decides(low):
    """A copy of the best that is one float32 step better or worse, before or after it."""
    rng = np.random.default_rng(1)
    queries = torch.nn.functional.normalize(torch.from_numpy(rng.random((40, 64))), dim=1).float()
    database = queries.clone()
    for place in range(64):  # each a step away from the row itself, in another number
        moved = queries.clone()
        toward = torch.inf if place % 2 else 0.0
        moved[:, place] = torch.nextafter(moved[:, place], torch.tensor(toward))
        database = torch.cat((database, moved))
    with forced(0 if low else 1 << 62):
        for metric in ("cosine", "dot", "l2"):
            check(queries, database, 3, metric)


def test_equal_rows_are_found_in_order():
    """Every score ties with every other, far more of them than a row has room for."""
    row = torch.randn(1, 128, generator=torch.Generator().manual_seed(0))
    with forced(0):
        found = nearest(row.expand(900, -1), row.expand(1500, -1), 3, both_ways=True)
    assert found.index.tolist() == [[0, 1, 2]] * 900
    assert found.reverse.index.tolist() == [[0, 1, 2]] * 1500
    assert found.num_rescored == 900


def test_scores_in_rising_order_are_the_worst_case_and_still_right():
    queries = torch.arange(1.0, 301.0).reshape(-1, 1)
    database = torch.arange(1.0, 701.0).reshape(-1, 1)
    found = nearest(queries, database, 2, metric="dot", both_ways=True)
    assert found.index.tolist() == [[699, 698]] * 300
    assert found.reverse.index.tolist() == [[299, 298]] * 700


def test_l2_is_exact_far_from_the_origin():
    """The inner products are of the order 1e8, whose float32 steps are 8."""
    generator = torch.Generator().manual_seed(2)
    queries = 1e4 + torch.randn(50, 4, generator=generator)
    check(queries, queries.clone(), 2, "l2")
    assert float(nearest(queries, queries.clone(), metric="l2").scores.abs().max()) == 0.0


def test_tiny_and_huge_values_neither_vanish_nor_overflow():
    generator = torch.Generator().manual_seed(3)
    table = torch.randn(30, 16, generator=generator)
    for size in (1e-38, 1e-20, 1e14):
        for metric in ("cosine", "dot", "l2"):
            found = nearest(table * size, table * size, 2, metric=metric)
            assert found.index.tolist() == nearest(table, table, 2, metric=metric).index.tolist()


def test_cosine_divides_by_lengths_and_dot_does_not():
    queries = torch.tensor([[1.0, 0.0]])
    database = torch.tensor([[5.0, 5.0], [0.1, 0.0]])
    assert nearest(queries, database).index.tolist() == [[1]]
    assert nearest(queries, database).scores.tolist() == [[1.0]]
    assert nearest(queries, database, metric="dot").index.tolist() == [[0]]
    assert nearest(torch.zeros(1, 2), database).scores.tolist() == [[0.0]]


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_the_number_of_threads_changes_nothing(workers, monkeypatch):
    generator = torch.Generator().manual_seed(4)
    first, second = (torch.randn(n, 32, generator=generator) for n in (2000, 1500))
    expected = nearest(first, second, 2, both_ways=True)
    monkeypatch.setattr(exact, "num_threads", lambda: workers)
    with forced(0, (4, 5)):
        found = nearest(first, second, 2, both_ways=True)
    for one, other in ((found, expected), (found.reverse, expected.reverse)):
        assert torch.equal(one.index, other.index)
        assert torch.equal(one.scores, other.scores)


def test_low_precision_leaves_a_share_in_doubt_and_says_so():
    generator = torch.Generator().manual_seed(5)
    first, second = (
        torch.nn.functional.normalize(torch.randn(n, 128, generator=generator), dim=1)
        for n in (1000, 4000)
    )
    with forced(1 << 62):
        precise = nearest(first, second)
    with forced(0):
        found = nearest(first, second)
    assert torch.equal(found.index, precise.index)
    assert precise.num_rescored <= 20
    if HAS_BF16:
        assert 20 < found.num_rescored < 800


@pytest.mark.parametrize("model", ["rootsift", "hardnet", "orb"])
def test_real_descriptors(model):
    """Repeated structure, and flat patches, in two views of a photograph."""
    photo = skimage.data.brick()
    views = photo[:400, :400], np.rot90(photo)[100:, 50:]
    tables = [
        torch.from_numpy(corr.extract(view, model=model, max_keypoints=300).descriptors)
        for view in views
    ]
    with forced(0):
        check(*tables, 2, "hamming" if model == "orb" else "dot")


def test_progress_goes_from_nothing_to_all():
    seen: list[float] = []
    with forced(0, (4, 2)):
        nearest(torch.randn(500, 8), torch.randn(700, 8), on_progress=seen.append)
    assert len(seen) > 10
    assert sorted(seen)[-1] == 1.0


def test_more_products_than_31_bits_count():
    """Each query has its own row planted among the others."""
    generator = torch.Generator().manual_seed(6)
    database = torch.randn(60_000, 4, generator=generator)
    names = torch.randperm(60_000, generator=generator)[:40_000]
    found = nearest(database[names], database, metric="l2")
    assert found.num_products > 2**31
    assert torch.equal(found.index[:, 0], names)
    assert torch.equal(found.scores, torch.zeros_like(found.scores))


def test_strided_views_and_tensors_with_gradients_are_taken():
    generator = torch.Generator().manual_seed(7)
    queries, database = (torch.randn(n, 8, generator=generator) for n in (9, 20))
    wide = torch.stack((queries, -queries), 2).requires_grad_()
    found = nearest(wide[:, :, 0], database.T.contiguous().T)
    assert torch.equal(found.index, nearest(queries, database).index)
    assert not found.scores.requires_grad


def test_arrays_are_taken_too_even_where_they_may_not_be_written():
    rng = np.random.default_rng(8)
    queries, database = (rng.standard_normal((n, 8)).astype(np.float32) for n in (9, 20))
    expected = nearest(torch.from_numpy(queries), torch.from_numpy(database))
    database.flags.writeable = False
    assert torch.equal(nearest(queries, database).index, expected.index)


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 4), (4, 0)])
@pytest.mark.parametrize("metric", METRICS)
def test_nothing_has_no_neighbours(n, m, metric):
    dtype = torch.uint8 if metric == "hamming" else torch.float32
    tables = (torch.zeros(count, 8, dtype=dtype) for count in (n, m))
    found = nearest(*tables, 2, metric=metric, both_ways=True, return_second=True)
    assert found.index.shape == (n, min(2, m))
    assert found.reverse.scores.shape == (m, min(2, n))
    assert found.second.tolist() == [-torch.inf] * n


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e30])
@pytest.mark.parametrize("side", ["queries", "database"])
def test_values_that_are_not_finite_are_refused(value, side):
    both = {"queries": torch.zeros(3, 4), "database": torch.zeros(5, 4)}
    both[side][2, 1] = value
    with pytest.raises(OptionError, match=f"{side} hold NaN, infinite or too large values"):
        nearest(both["queries"], both["database"])


def test_options_outside_what_is_accepted_are_refused():
    table = torch.zeros(3, 4)
    with pytest.raises(OptionError, match="k is 0; use 1 or more"):
        nearest(table, table, 0)
    with pytest.raises(OptionError, match="k is 4, and there are 3 rows to find; use at most 3"):
        nearest(torch.zeros(9, 4), table, 4)
    with pytest.raises(OptionError, match="k is 4, and there are 3 rows to find"):
        nearest(table, torch.zeros(9, 4), 4, both_ways=True)
    with pytest.raises(OptionError, match="metric 'cosin' is not known; use one of cosine, dot"):
        nearest(table, table, metric="cosin")
    with pytest.raises(OptionError, match="search 'annoy' is not known; use one of auto, exact"):
        nearest(table, table, backend="annoy")
    with pytest.raises(OptionError, match=r"do not fit 'hamming'; use uint8 rows"):
        nearest(table, table, metric="hamming")
    with pytest.raises(OptionError, match=r"torch.uint8 do not fit 'dot'; use floating"):
        nearest(table, table.byte(), metric="dot")
    with pytest.raises(ShapeError, match=r"queries are \(3, 4\) and the database is \(3, 5\)"):
        nearest(table, torch.zeros(3, 5))
    with pytest.raises(OptionError, match="queries are on cpu and the database is on meta"):
        nearest(table, table.to("meta"))


def test_a_result_that_does_not_fit_is_refused_before_it_starts():
    rows = torch.zeros(1, 4).expand(10_000_000, 4)
    with pytest.raises(OptionError, match="20000 neighbours of 10000000 rows take"):
        nearest(rows, torch.zeros(20_000, 4), 20_000)
