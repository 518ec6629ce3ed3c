"""FAISS stereo: candidates of a row, and the row band, against naive loops."""

import numpy as np
import pytest
import torch

from corr.errors import OptionError, ShapeError
from corr.search import RowBand, Window, nearest
from corr.search.faiss_rows import search_row_band, search_rows

pytest.importorskip("faiss")


def _view(seed: int, metric: str, shape=(5, 23)) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    if metric == "hamming":
        return torch.from_numpy(rng.integers(0, 256, (*shape, 8), dtype=np.uint8))
    return torch.from_numpy(rng.standard_normal((*shape, 8)).astype(np.float32))


def _score(one: torch.Tensor, other: torch.Tensor, metric: str) -> float:
    if metric == "hamming":
        return -float(sum((int(a) ^ int(b)).bit_count() for a, b in zip(one, other, strict=True)))
    one, other = one.double(), other.double()
    if metric == "cosine":
        return float(one @ other / one.norm() / other.norm())
    return float(one @ other) if metric == "dot" else -float((one - other).norm())


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2", "hamming"])
@pytest.mark.parametrize("k", [3, 23, 99])
def test_candidates_are_those_of_the_row(metric, k):
    left, right = _view(0, metric), _view(1, metric)
    found = search_rows(left, right, 6, k, metric)
    assert found.disparity.shape == (5, 23, min(k, 23))
    for y in range(5):
        for x in range(23):
            scores = np.array([_score(left[y, x], right[y, c], metric) for c in range(23)])
            best = np.argsort(-scores, kind="stable")[:k]
            np.testing.assert_allclose(found.scores[y, x], scores[best], atol=1e-5)
            if metric == "hamming" and k == 3:
                continue  # of equal distances at the last place any may be found
            disparity = x - best
            disparity[(disparity < 0) | (disparity > 5)] = -1
            assert found.disparity[y, x].tolist() == disparity.tolist()


@pytest.mark.parametrize("metric", ["cosine", "hamming"])
@pytest.mark.parametrize("tolerance", [0.0, 0.4])
def test_the_row_band_equals_a_naive_loop(metric, tolerance):
    rng = np.random.default_rng(4)
    counts = 60, 80
    tables = [_view(k, metric, (n, 1))[:, 0] for k, n in enumerate(counts)]
    points = [
        torch.from_numpy(np.stack((rng.uniform(0, 40, n), rng.integers(0, 6, n)), 1))
        for n in counts
    ]
    for side in points:  # not quite on their rows
        side[:, 1] += torch.from_numpy(rng.uniform(-tolerance / 2, tolerance / 2, len(side)))
    found = search_row_band(
        *tables,
        3,
        metric,
        True,
        points0=points[0],
        points1=points[1],
        max_disparity=12,
        tolerance=tolerance,
    )
    assert found.backend == "faiss"
    assert found.reverse is not None
    for first, result in enumerate((found, found.reverse)):
        for i in range(counts[first]):
            accepted = []
            for j in range(counts[1 - first]):
                (x0, y0), (x1, y1) = (
                    (points[0][i], points[1][j]) if first == 0 else (points[0][j], points[1][i])
                )
                if abs(y0 - y1) <= tolerance and 0 <= x0 - x1 <= 11:
                    accepted.append((-_score(tables[first][i], tables[1 - first][j], metric), j))
            accepted.sort()
            wanted = [j for _, j in accepted[:3]] + [-1] * (3 - len(accepted))
            assert result.index[i].tolist() == wanted
            np.testing.assert_allclose(
                result.scores[i][: len(accepted)], [-s for s, _ in accepted[:3]], atol=1e-5
            )
            assert (result.scores[i][len(accepted) :] == -torch.inf).all()
    assert (found.index == -1).any()
    assert (found.index != -1).any()


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2", "hamming"])
def test_nearest_keeps_to_a_row_band_by_faiss_as_by_the_exact_search(metric):
    rng = np.random.default_rng(5)
    tables = [_view(k, metric, (n, 1))[:, 0] for k, n in enumerate((90, 70))]
    points = [np.stack((rng.uniform(0, 40, n), rng.integers(0, 5, n)), 1) for n in (90, 70)]
    band = RowBand(9, 0.3, *points)
    exact, by_faiss = (
        nearest(*tables, 2, metric=metric, both_ways=True, constraint=band, backend=backend)
        for backend in ("exact", "faiss")
    )
    assert by_faiss.backend == "faiss"
    assert exact.reverse is not None
    assert by_faiss.reverse is not None
    for one, other in ((exact, by_faiss), (exact.reverse, by_faiss.reverse)):
        assert torch.equal(one.index, other.index)
        torch.testing.assert_close(one.scores, other.scores, atol=1e-5, rtol=1e-5)
    with pytest.raises(OptionError, match="'faiss' cannot keep to a Window, only to a RowBand"):
        nearest(*tables, metric=metric, constraint=Window(3, *points), backend="faiss")


@pytest.mark.parametrize("metric", ["cosine", "hamming"])
def test_candidates_equal_the_row_band_where_they_cover_the_row(metric):
    left, right = _view(0, metric), _view(1, metric)
    found = search_rows(left, right, 6, 23, metric)
    y, x = np.mgrid[:5, :23]
    points = np.stack((x, y), 2).reshape(-1, 2)
    band = nearest(
        left.flatten(0, 1),
        right.flatten(0, 1),
        6,
        metric=metric,
        constraint=RowBand(6, 0, points, points),
    )
    for pixel, kept in enumerate(found.disparity.flatten(0, 1).tolist()):
        inside = [pixel % 23 - d for d in kept if d >= 0]
        assert inside == [i % 23 for i in band.index[pixel].tolist() if i >= 0]


def test_nothing_to_search():
    for n, m in ((0, 0), (0, 3), (3, 0)):
        found = search_row_band(
            torch.zeros(n, 4),
            torch.zeros(m, 4),
            2,
            "dot",
            True,
            points0=torch.zeros(n, 2),
            points1=torch.zeros(m, 2),
            max_disparity=4,
            tolerance=0.5,
        )
        assert found.index.shape == (n, min(2, m))
        assert found.reverse is not None
        assert found.reverse.index.shape == (m, min(2, n))


def test_refusals():
    view = _view(0, "dot")
    with pytest.raises(ShapeError, match=r"left descriptors are \(5, 23, 8\) and right ones"):
        search_rows(view, view[:4], 6, 3, "dot")
    with pytest.raises(OptionError, match="k is 0; use 1 or more"):
        search_rows(view, view, 6, 0, "dot")
    with pytest.raises(OptionError, match="max_disparity is 0; use 1 or more"):
        search_rows(view, view, 0, 1, "dot")
    points = torch.stack((torch.zeros(9), torch.arange(9) / 2), 1)
    with pytest.raises(OptionError, match=r"tolerance is 0\.5 px and the points lie closer"):
        search_row_band(
            torch.ones(9, 4),
            torch.ones(9, 4),
            1,
            "dot",
            False,
            points0=points,
            points1=points,
            max_disparity=4,
            tolerance=0.5,
        )


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("metric", ["cosine", "l2", "hamming"])
def test_on_a_gpu(metric):
    faiss = pytest.importorskip("faiss")
    if not hasattr(faiss, "StandardGpuResources"):
        pytest.skip("needs FAISS for CUDA")
    left, right = _view(0, metric, (4, 3000)), _view(1, metric, (4, 3000))
    here = search_rows(left, right, 64, 8, metric)
    there = search_rows(left.cuda(), right.cuda(), 64, 8, metric, gpu=True)
    assert there.disparity.is_cuda
    torch.testing.assert_close(here.scores, there.scores.cpu(), atol=1e-3, rtol=1e-3)
