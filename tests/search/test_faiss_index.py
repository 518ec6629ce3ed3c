"""FAISS indices of any kind: what they find, how they are trained, and what they refuse."""

import warnings

import numpy as np
import pytest
import torch
from small_indices import BINARY, KINDS, NUM, clusters, filled, rows_of

from corr.errors import FormatError, OptionError, ShapeError
from corr.search import nearest
from corr.search.faiss.index import FaissIndex

faiss = pytest.importorskip("faiss")
pytestmark = pytest.mark.usefixtures("one_faiss_thread")


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2", "hamming"])
def test_a_flat_index_finds_what_the_exact_search_finds(metric):
    kind = "BFlat" if metric == "hamming" else "Flat"
    index = filled(kind, metric, 2000)
    queries, rows = (torch.from_numpy(rows_of(kind, n, s)) for n, s in ((50, 1), (2000, 0)))
    found = index.search(queries, 4)
    assert found.backend == "faiss"
    if metric == "cosine":
        queries, rows = (torch.nn.functional.normalize(x, dim=1) for x in (queries, rows))
    exact = nearest(queries, rows, 4, metric="dot" if metric == "cosine" else metric)
    torch.testing.assert_close(found.scores, exact.scores, atol=1e-3, rtol=1e-4)
    if metric != "hamming":
        assert torch.equal(found.index, exact.index)


@pytest.mark.parametrize("kind", KINDS + BINARY)
def test_approximate_kinds_find_most_true_neighbours(kind):
    index = filled(kind)
    queries = rows_of(kind, 200, seed=1)
    width = queries.shape[1]
    flat = FaissIndex(width, "BFlat" if kind in BINARY else "Flat", metric=index.metric)
    flat.add(rows_of(kind, NUM))
    best = flat.search(queries, 1).scores[:, 0]
    settings = {"nprobe": 16} if "IVF" in kind else {"efSearch": 64} if "HNSW" in kind else {}
    found = index.search(queries, 1, **settings)
    truth = flat.search(queries, 1).index
    if "PQ" in kind:  # its codes are coarse: 8 bytes for 32 values
        ten = index.search(queries, 10, **settings).index
        assert (ten == truth).any(1).float().mean() > 0.6
    else:
        assert (found.scores[:, 0] >= best - 1e-3).float().mean() > 0.95
    assert len(index) == NUM


def test_parameters_hold_for_one_search_only():
    index = filled("IVF16,Flat")
    queries = clusters(200, seed=1)
    plain, wide, again = (index.search(queries, 5, **given) for given in ({}, {"nprobe": 16}, {}))
    assert torch.equal(plain.index, again.index)
    assert (wide.scores >= plain.scores).all()
    assert (wide.scores > plain.scores).any()


def test_parameters_hold_when_faiss_takes_torch_tensors_too():
    """Its bridge to torch replaces `search` by one without settings."""
    index = filled("IVF16,Flat")
    before = index.search(clusters(20, seed=1), 5, nprobe=16)
    import faiss.contrib.torch_utils  # noqa: F401

    after = index.search(clusters(20, seed=1), 5, nprobe=16)
    assert torch.equal(before.index, after.index)


def test_what_lists_do_not_hold_is_missing():
    index = FaissIndex(32, "IVF64,Flat", metric="l2")
    with pytest.warns(UserWarning, match="few"):
        index.train(clusters(300))
    index.add(clusters(100))
    found = index.search(clusters(20, seed=1), 50)
    missing = found.index < 0
    assert missing.any()
    assert torch.isinf(found.scores[missing]).all()
    assert torch.isfinite(found.scores[~missing]).all()
    assert (missing.int().diff(dim=1) >= 0).all()  # last
    assert found.index.max() < 100


def test_more_than_there_are_and_none():
    index = FaissIndex(4)
    assert index.search(np.ones((3, 4), np.float32), 5).index.shape == (3, 0)
    index.add(torch.eye(4, dtype=torch.float16)[:2])
    assert index.search(torch.eye(4)[:3], 9).index.shape == (3, 2)
    assert index.search(torch.zeros(0, 4), 9).index.shape == (0, 2)


@pytest.mark.parametrize("kind", ["IVF64,Flat", "IVF64,PQ4", "OPQ4,IVF64,PQ4", "PQ4", "BIVF64"])
def test_too_few_training_vectors_are_named_by_us_and_not_by_faiss(kind, capfd):
    least = 256 if "PQ" in kind else 64
    rows = rows_of(kind, least)
    index = (
        FaissIndex(rows.shape[1], kind, metric="hamming" if kind in BINARY else "l2")
        if (not kind.startswith("B"))
        else FaissIndex(rows.shape[1], kind, metric="hamming")
    )
    with pytest.raises(
        OptionError, match=f"{least - 1} vectors were given to train '{kind}', which needs at least"
    ):
        index.train(rows[: least - 1])
    assert not index.is_trained
    with pytest.warns(UserWarning, match=f"with {39 * least} or more it finds more"):
        index.train(rows)
    assert index.is_trained
    assert capfd.readouterr() == ("", "")


def test_enough_training_vectors_bring_no_warning(capfd):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        FaissIndex(32, "IVF64,Flat").train(clusters(39 * 64))
    assert capfd.readouterr() == ("", "")


def test_refusals(tmp_path):
    with pytest.raises(OptionError, match="metric 'l1' is not known; use one of cosine, dot, l2"):
        FaissIndex(8, metric="l1")
    with pytest.raises(OptionError, match="dimension is 0; use 1 or more"):
        FaissIndex(0)
    for kind in ("nonsense", "", "IVF,Flat", "BFlat", "IVF8,PQ7"):
        with pytest.raises(OptionError, match=f"index '{kind}' is not known for 32 values"):
            FaissIndex(32, kind)
    with pytest.raises(OptionError, match=r"'Flat' is not known for 4 bytes .* such as BFlat"):
        FaissIndex(4, metric="hamming")
    index = FaissIndex(32, "IVF16,Flat")
    rows = clusters(1000)
    for call in (lambda: index.add(rows), lambda: index.search(rows)):
        with pytest.raises(OptionError, match=r"'IVF16,Flat' is not trained; call train\(vectors"):
            call()
    index.train(rows)
    for table, says, error in [
        (rows[:, :31], r"vectors are \(1000, 31\); this index takes rows of 32 values", ShapeError),
        (rows.astype(np.uint8), "of type uint8 do not fit 'cosine'", OptionError),
        (np.full((3, 32), np.nan, np.float32), "vectors hold NaN or infinite", OptionError),
    ]:
        with pytest.raises(error, match=says):
            index.add(table)
    assert len(index) == 0
    index.add(rows)
    with pytest.raises(OptionError, match="the index holds 1000 vectors already; train it before"):
        index.train(rows)
    with pytest.raises(OptionError, match="k is 0; use 1 or more"):
        index.search(rows, 0)
    with pytest.raises(OptionError, match="'efSearch' does not fit this index; it accepts: nprobe"):
        index.search(rows, efSearch=16)
    with pytest.raises(OptionError, match="nprobe is 0; use a whole number of 1 or more"):
        index.search(rows, nprobe=0)
    with pytest.raises(FormatError, match="cannot be written: there is no folder"):
        index.save(tmp_path / "no" / "a.faiss")


@pytest.mark.skipif(
    not (torch.cuda.is_available() and hasattr(faiss, "StandardGpuResources")),
    reason="needs a CUDA device and FAISS for it",
)
@pytest.mark.parametrize("kind", ["Flat", "IVF16,Flat", "IVF16,PQ8", "BFlat"])
def test_on_gpus(kind):
    index = filled(kind)
    queries = torch.from_numpy(rows_of(kind, 50, seed=1))
    settings = {"nprobe": 16} if "IVF" in kind else {}
    copy = index.to_gpus()
    for table in (queries, queries.cuda()):
        here, there = index.search(queries, 3, **settings), copy.search(table, 3, **settings)
        assert there.backend == "faiss-gpu"
        assert there.index.device == table.device
        torch.testing.assert_close(here.scores, there.scores.cpu(), atol=1e-2, rtol=1e-2)
    with pytest.raises(OptionError, match="on GPUs cannot be added to"):
        copy.add(queries)
