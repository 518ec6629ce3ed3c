"""faiss as the searcher: the same answers, and a sentence where it is not installed."""

import sys

import numpy as np
import pytest
import torch

from corr.errors import MissingExtraError, OptionError
from corr.search import Neighbors, faiss, faiss_gpu, match_descriptors, nearest


def _tables(metric: str) -> list[torch.Tensor]:
    rng = np.random.default_rng(0)
    if metric == "hamming":
        draws = (rng.integers(0, 256, (n, 16), dtype=np.uint8) for n in (90, 130))
    else:
        draws = (rng.standard_normal((n, 12)).astype(np.float32) for n in (90, 130))
    return [torch.from_numpy(table) for table in draws]


def _same(ours: Neighbors, theirs: Neighbors, metric: str) -> None:
    assert ours.reverse is not None
    assert theirs.reverse is not None
    for one, other in ((ours, theirs), (ours.reverse, theirs.reverse)):
        torch.testing.assert_close(one.scores, other.scores.cpu(), atol=1e-4, rtol=1e-4)
        if metric != "hamming":  # whose many equal distances may come in any order
            assert torch.equal(one.index, other.index.cpu())


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2", "hamming"])
@pytest.mark.parametrize("k", [1, 2, 90])
def test_equals_the_exact_search(metric: str, k: int) -> None:
    pytest.importorskip("faiss")
    tables = _tables(metric)
    ours = nearest(*tables, k, metric=metric, both_ways=True)
    theirs = nearest(*tables, k, metric=metric, both_ways=True, backend="faiss")
    assert (ours.backend, theirs.backend) == ("exact", "faiss")
    _same(ours, theirs, metric)


def test_l2_far_from_the_origin_is_not_lost_to_rounding() -> None:
    """FAISS expands the square: 1e8 + 1e8 - 2e8 has no digit left for a distance of 1."""
    pytest.importorskip("faiss")
    rng = np.random.default_rng(2)
    tables = [torch.from_numpy(rng.standard_normal((n, 8)).astype("f4")) + 1e4 for n in (50, 70)]
    tables[1][3] = tables[0][7]
    found = nearest(*tables, 3, metric="l2", backend="faiss")
    torch.testing.assert_close(found.index, nearest(*tables, 3, metric="l2").index)
    assert found.scores[7, 0] == 0


def test_more_than_there_are_returns_all() -> None:
    pytest.importorskip("faiss")
    tables = _tables("dot")
    assert faiss.search(*tables, 1000, "dot", True).index.shape == (90, 130)


def test_a_gpu_selects_only_so_many() -> None:
    faiss_gpu.check_k(2048)
    with pytest.raises(OptionError, match="k is 2049, and FAISS finds at most 2048 neighbours on"):
        faiss_gpu.check_k(2049)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("metric", ["cosine", "dot", "l2", "hamming"])
def test_on_a_gpu_with_tensors_there_and_here(metric: str) -> None:
    if not hasattr(pytest.importorskip("faiss"), "StandardGpuResources"):
        pytest.skip("needs FAISS for CUDA")
    tables = _tables(metric)
    ours = nearest(*tables, 4, metric=metric, both_ways=True)
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):  # written and searched on a stream of its own
        there = [table.cuda(non_blocking=True) for table in tables]
        found = nearest(*there, 4, metric=metric, both_ways=True, backend="faiss-gpu")
    stream.synchronize()
    assert found.index.is_cuda
    assert found.backend == "faiss-gpu"
    _same(ours, found, metric)
    _same(ours, nearest(*tables, 4, metric=metric, both_ways=True, backend="faiss-gpu"), metric)


def test_matches_are_the_same() -> None:
    pytest.importorskip("faiss")
    rng = np.random.default_rng(1)
    first, second = (rng.standard_normal((n, 12)).astype(np.float32) for n in (90, 130))
    tables = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (first, second)]
    ours, _ = match_descriptors(*tables, ratio=0.9)
    theirs, _ = match_descriptors(*tables, ratio=0.9, backend="faiss")
    np.testing.assert_array_equal(ours, theirs)
    assert len(ours) > 5


def test_without_faiss_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faiss", None)
    table = torch.ones(3, 4)
    with pytest.raises(MissingExtraError, match=r"run: pip install corr-toolkit\[cpu\]"):
        nearest(table, table, backend="faiss")
    assert nearest(table, table).index.flatten().tolist() == [0, 0, 0]
