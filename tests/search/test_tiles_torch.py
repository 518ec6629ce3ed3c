"""The path of CUDA tensors is plain torch: here it runs on the CPU, and has to agree."""

import numpy as np
import pytest
import torch

from corr.search import Exclusion, RowBand, Window, exact, nearest, tiles_torch


def draw(n, m, metric, seed, kind):
    rng = np.random.default_rng(seed)
    if metric == "hamming":
        return [torch.from_numpy(rng.integers(0, 4, (c, 5), dtype=np.uint8)) for c in (n, m)]
    if kind == "ties":
        tables = [rng.integers(-2, 3, (c, 8)).astype(np.float32) for c in (n, m)]
    else:
        tables = [rng.standard_normal((c, 24)).astype(np.float32) for c in (n, m)]
    return [torch.from_numpy(table) for table in tables]


def rules(n, m, seed):
    rng = np.random.default_rng(seed)
    first, second = (rng.uniform(0, 100, (c, 2)) for c in (n, m))
    tracks = [rng.integers(0, 20, c) for c in (n, m)]
    return {
        "none": {},
        "window": {"rule": Window(30, first, second).rule()},
        "rows": {"rule": RowBand(40, 9, first, second).rule()},
        "excluded": {
            "rule": Exclusion(
                tracks0=tracks[0], tracks1=tracks[1], points0=first, points1=second, radius=20
            ).rule()
        },
        "apart": {"rule": Exclusion(min_distance=1.2).rule()},
    }


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2", "hamming"])
@pytest.mark.parametrize("kind", ["ties", "normal"])
@pytest.mark.parametrize("tile", [(4096, 4096), (70, 90), (30, 41)])
@pytest.mark.parametrize("rule", ["none", "window", "rows", "excluded", "apart"])
def test_agrees_with_the_compiled_search(metric, kind, tile, rule, monkeypatch):
    tables = draw(150, 210, metric, 1, kind)
    options = rules(150, 210, 2)[rule]
    monkeypatch.setattr(tiles_torch, "TILE", tile)
    there = tiles_torch.search(*tables, (5, 2), metric, **options)
    here = exact.search(*tables, (5, 2), metric, **options)
    for one, other in zip(there, here, strict=True):
        assert torch.equal(one.index, other.index)
        torch.testing.assert_close(one.scores, other.scores, rtol=1e-6, atol=1e-30)


def test_rows_all_alike_are_searched_again_in_float64():
    table = torch.randn(1, 16).expand(40, -1)
    found, _ = tiles_torch.search(table, table, (2, 0), "cosine")
    assert found.index.tolist() == [[0, 1]] * 40
    assert found.num_rescored == 40


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("metric", ["cosine", "dot", "l2", "hamming"])
@pytest.mark.parametrize("kind", ["ties", "normal"])
def test_cuda_equals_cpu(metric, kind):
    tables = draw(5000, 9000, metric, 3, kind)
    there = nearest(*(x.cuda() for x in tables), 2, metric=metric, both_ways=True)
    here = nearest(*tables, 2, metric=metric, both_ways=True)
    assert there.index.is_cuda
    assert torch.equal(there.index.cpu(), here.index)
    assert torch.equal(there.reverse.index.cpu(), here.reverse.index)
