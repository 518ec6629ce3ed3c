"""Exact nearest neighbours against naive loops, on every path."""

import numpy as np
import pytest
import torch
from torch import Tensor

from corr.errors import OptionError, ShapeError
from corr.search import exact, nearest, tiles_torch


def naive(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Sorted row by row by (score, lowest index), in plain Python."""
    order = [sorted(range(len(row)), key=lambda j: (-row[j], j))[:k] for row in scores]
    index = np.array(order, np.int64).reshape(len(scores), min(k, scores.shape[1]))
    return index, np.take_along_axis(scores, index, 1)


def naive_scores(queries: Tensor, database: Tensor, metric: str) -> np.ndarray:
    if metric == "hamming":
        rows, columns = (np.unpackbits(x.numpy(), axis=1) for x in (queries, database))
        return np.array([[-float((q != d).sum()) for d in columns] for q in rows])
    rows, columns = queries.double().numpy(), database.double().numpy()
    if metric == "dot":
        return np.array([[q @ d for d in columns] for q in rows])
    return np.array([[-np.sqrt(((q - d) ** 2).sum()) for d in columns] for q in rows])


def draw(n: int, m: int, metric: str, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Small whole numbers: many equal scores, and every product is exact in float32."""
    rng = np.random.default_rng(seed)
    if metric == "hamming":
        tables = (rng.integers(0, 4, (count, 11), dtype=np.uint8) for count in (n, m))
    else:
        tables = (rng.integers(-2, 3, (count, 8)).astype(np.float32) for count in (n, m))
    first, second = (torch.from_numpy(table) for table in tables)
    return first, second


@pytest.mark.parametrize("metric", ["dot", "l2", "hamming"])
@pytest.mark.parametrize("k", [1, 2, 5])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 200), (130, 65), (64, 64), (40, 3)])
def test_equals_sorting_every_pair(metric: str, k: int, n: int, m: int) -> None:
    queries, database = draw(n, m, metric)
    found = nearest(queries, database, k, metric=metric, both_ways=True)
    scores = naive_scores(queries, database, metric)
    assert found.reverse is not None
    for side, table in ((found, scores), (found.reverse, scores.T)):
        index, best = naive(table, k)
        np.testing.assert_array_equal(side.index.numpy(), index)
        np.testing.assert_allclose(side.scores.numpy(), best, atol=1e-6)


@pytest.mark.parametrize("metric", ["dot", "hamming"])
def test_many_tiles_equal_one(metric: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from corr.search import tiles_cpu

    queries, database = draw(300, 500, metric)
    whole = nearest(queries, database, 3, metric=metric, both_ways=True)
    monkeypatch.setattr(tiles_cpu, "TILE", (70, 90))
    tiled = nearest(queries, database, 3, metric=metric, both_ways=True)
    assert whole.reverse is not None
    assert tiled.reverse is not None
    assert torch.equal(whole.index, tiled.index)
    assert torch.equal(whole.reverse.index, tiled.reverse.index)
    assert torch.equal(whole.reverse.scores, tiled.reverse.scores)


@pytest.mark.parametrize("metric", ["dot", "l2", "hamming"])
@pytest.mark.parametrize("tile", [(4096, 4096), (70, 90), (7, 3)])
def test_the_path_of_cuda_tensors_agrees(
    metric: str, tile: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is plain torch, so it runs here too, where its result must be the same."""
    queries, database = draw(150, 210, metric)
    compiled = nearest(queries, database, 5, metric=metric, both_ways=True)
    monkeypatch.setattr(tiles_torch, "TILE", tile)
    rows, columns = exact.as_products(queries, database, metric)
    forward, backward = tiles_torch.search_products(rows, columns, (5, 5))
    assert compiled.reverse is not None
    if metric != "l2":  # whose order is settled afterwards, by the true distances
        assert torch.equal(forward.index, compiled.index)
        assert torch.equal(backward.index, compiled.reverse.index)
    if metric == "dot":
        assert torch.equal(forward.scores, compiled.scores)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("metric", ["dot", "l2", "hamming"])
def test_cuda_equals_cpu(metric: str) -> None:
    queries, database = draw(5000, 9000, metric)
    there = nearest(queries.cuda(), database.cuda(), 2, metric=metric, both_ways=True)
    here = nearest(queries, database, 2, metric=metric, both_ways=True)
    assert there.reverse is not None
    assert here.reverse is not None
    assert there.index.is_cuda
    assert torch.equal(there.index.cpu(), here.index)
    assert torch.equal(there.reverse.index.cpu(), here.reverse.index)


def test_random_descriptors_beyond_one_tile() -> None:
    generator = torch.Generator().manual_seed(1)
    tables = (torch.randn(n, 128, generator=generator) for n in (1500, 2500))
    queries, database = (torch.nn.functional.normalize(x, dim=1) for x in tables)
    found = nearest(queries, database, 2, both_ways=True)
    scores = queries.double() @ database.double().T
    assert found.reverse is not None
    for side, table in ((found, scores), (found.reverse, scores.T)):
        best = table.topk(2, dim=1)
        assert torch.equal(side.index, best.indices)
        torch.testing.assert_close(side.scores.double(), best.values, atol=1e-6, rtol=0)


def test_scores_in_rising_order_are_the_worst_case_and_still_right() -> None:
    queries = torch.arange(1.0, 301.0).reshape(-1, 1)
    database = torch.arange(1.0, 701.0).reshape(-1, 1)
    found = nearest(queries, database, 2, both_ways=True)
    assert found.reverse is not None
    assert found.index.tolist() == [[699, 698]] * 300
    assert found.reverse.index.tolist() == [[299, 298]] * 700


def test_l2_is_exact_far_from_the_origin() -> None:
    """The inner products are of the order 1e8, whose float32 steps are 8."""
    generator = torch.Generator().manual_seed(2)
    queries = 1e4 + torch.randn(50, 4, generator=generator)
    found = nearest(queries, queries.clone(), 2, metric="l2")
    assert found.index[:, 0].tolist() == list(range(50))
    assert float(found.scores[:, 0].abs().max()) == 0.0
    expected = np.sort(naive_scores(queries, queries, "l2"), axis=1)[:, -2]
    np.testing.assert_allclose(found.scores[:, 1].numpy(), expected, rtol=1e-5)


def test_equal_distances_come_by_index_though_their_products_round_apart() -> None:
    rng = np.random.default_rng(0)
    for offset in rng.uniform(1, 2, 200).astype(np.float32):
        database = torch.tensor([[offset], [-offset], [5.0]])
        assert nearest(torch.zeros(1, 1), database, 2, metric="l2").index.tolist() == [[0, 1]]


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_other_floating_types_are_computed_in_float32(dtype: torch.dtype) -> None:
    queries, database = draw(9, 20, "dot")
    found = nearest(queries.to(dtype), database.to(dtype), 2)
    assert torch.equal(found.index, nearest(queries, database, 2).index)
    assert found.scores.dtype == torch.float32


def test_strided_views_and_tensors_with_gradients_are_taken() -> None:
    queries, database = draw(9, 20, "dot")
    wide = torch.stack((queries, -queries), 2).requires_grad_()
    found = nearest(wide[:, :, 0], database.T.contiguous().T)
    assert torch.equal(found.index, nearest(queries, database).index)
    assert not found.scores.requires_grad


@pytest.mark.parametrize(("n", "m"), [(0, 0), (0, 4), (4, 0)])
@pytest.mark.parametrize("metric", ["dot", "l2", "hamming"])
@pytest.mark.parametrize("backend", ["exact", "faiss"])
def test_nothing_has_no_neighbours(n: int, m: int, metric: str, backend: str) -> None:
    if backend == "faiss":
        pytest.importorskip("faiss")
    queries, database = draw(n, m, metric)
    found = nearest(queries, database, 2, metric=metric, both_ways=True, backend=backend)
    assert found.reverse is not None
    assert found.index.shape == (n, min(2, m))
    assert found.reverse.scores.shape == (m, min(2, n))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 1e30])
@pytest.mark.parametrize("side", ["queries", "database"])
@pytest.mark.parametrize("backend", ["exact", "faiss"])
def test_values_that_are_not_finite_are_refused(value: float, side: str, backend: str) -> None:
    tables = {"queries": torch.zeros(3, 4), "database": torch.zeros(5, 4)}
    tables[side][2, 1] = value
    with pytest.raises(OptionError, match=f"{side} hold NaN, infinite or too large values"):
        nearest(tables["queries"], tables["database"], backend=backend)


def test_options_outside_what_is_accepted_are_refused() -> None:
    table = torch.zeros(3, 4)
    with pytest.raises(OptionError, match="k is 0; use 1 or more"):
        nearest(table, table, 0)
    with pytest.raises(OptionError, match="metric 'cosin' is not known; use one of dot, l2"):
        nearest(table, table, metric="cosin")
    with pytest.raises(OptionError, match="search 'annoy' is not known; use one of auto, exact"):
        nearest(table, table, backend="annoy")
    with pytest.raises(OptionError, match=r"do not fit 'hamming'; use uint8 rows"):
        nearest(table, table, metric="hamming")
    with pytest.raises(OptionError, match=r"torch.uint8 do not fit 'dot'; use floating"):
        nearest(table, table.byte())
    with pytest.raises(ShapeError, match=r"queries are \(3, 4\) and the database is \(3, 5\)"):
        nearest(table, torch.zeros(3, 5))
