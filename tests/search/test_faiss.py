"""faiss as the searcher: the same answers, and a sentence where it is not installed."""

import sys

import numpy as np
import pytest
import torch

from corr.errors import MissingExtraError
from corr.search import match_descriptors, nearest


@pytest.mark.parametrize("metric", ["dot", "l2", "hamming"])
@pytest.mark.parametrize("k", [1, 2, 300])
def test_equals_the_exact_search(metric: str, k: int) -> None:
    pytest.importorskip("faiss")
    rng = np.random.default_rng(0)
    if metric == "hamming":
        first, second = (rng.integers(0, 256, (n, 16), dtype=np.uint8) for n in (90, 130))
    else:
        first, second = (rng.standard_normal((n, 12)).astype(np.float32) for n in (90, 130))
    tables = torch.from_numpy(first), torch.from_numpy(second)
    ours = nearest(*tables, k, metric=metric, both_ways=True)
    theirs = nearest(*tables, k, metric=metric, both_ways=True, backend="faiss")
    assert ours.reverse is not None
    assert theirs.reverse is not None
    for one, other in ((ours, theirs), (ours.reverse, theirs.reverse)):
        torch.testing.assert_close(one.scores, other.scores, atol=1e-4, rtol=1e-4)
        if metric != "hamming":  # whose many equal distances may come in any order
            assert torch.equal(one.index, other.index)


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
