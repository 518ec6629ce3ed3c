"""FAISS indices of any kind: what they find, their files, their shards, and what they refuse."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch

from corr.errors import FormatError, OptionError, ShapeError
from corr.search import nearest
from corr.search.faiss_index import FaissIndex

faiss = pytest.importorskip("faiss")

KINDS = ["Flat", "IVF16,Flat", "IVF16,PQ8", "HNSW16", "OPQ8,IVF16,PQ8", "IVF16_HNSW8,Flat"]
NUM = 3000
BINARY = ["BFlat", "BIVF16", "BHNSW16"]


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """FAISS's threads wait for each other without rest, which takes long on a busy machine."""
    threads = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(1)
    yield
    faiss.omp_set_num_threads(threads)


def _clusters(num: int, dimension: int = 32, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(9).standard_normal((100, dimension))
    return (
        centres[rng.integers(0, 100, num)] + 0.3 * rng.standard_normal((num, dimension))
    ).astype(np.float32)


def _bits(num: int, seed: int = 0) -> np.ndarray:
    return np.packbits(_clusters(num, 64, seed) > 0, axis=1)


def _rows(kind: str, num: int, seed: int = 0) -> np.ndarray:
    return _bits(num, seed) if kind.startswith("B") else _clusters(num, 32, seed)


def _filled(kind: str, metric: str = "l2", num: int = NUM) -> FaissIndex:
    """Few train the codes, since FAISS takes long over many."""
    binary = kind in BINARY
    index = FaissIndex(8 if binary else 32, kind, metric="hamming" if binary else metric)
    rows = _rows(kind, num)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        index.train(rows[:300])
    for part in np.array_split(rows, 3):
        index.add(part)
    return index


@pytest.mark.parametrize("metric", ["cosine", "dot", "l2", "hamming"])
def test_a_flat_index_finds_what_the_exact_search_finds(metric):
    kind = "BFlat" if metric == "hamming" else "Flat"
    index = _filled(kind, metric, 2000)
    queries, rows = (torch.from_numpy(_rows(kind, n, s)) for n, s in ((50, 1), (2000, 0)))
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
    index = _filled(kind)
    queries = _rows(kind, 200, seed=1)
    width = queries.shape[1]
    flat = FaissIndex(width, "BFlat" if kind in BINARY else "Flat", metric=index.metric)
    flat.add(_rows(kind, NUM))
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
    index = _filled("IVF16,Flat")
    queries = _clusters(200, seed=1)
    plain, wide, again = (index.search(queries, 5, **given) for given in ({}, {"nprobe": 16}, {}))
    assert torch.equal(plain.index, again.index)
    assert (wide.scores >= plain.scores).all()
    assert (wide.scores > plain.scores).any()


def test_parameters_hold_when_faiss_takes_torch_tensors_too():
    """Its bridge to torch replaces `search` by one without settings."""
    index = _filled("IVF16,Flat")
    before = index.search(_clusters(20, seed=1), 5, nprobe=16)
    import faiss.contrib.torch_utils  # noqa: F401

    after = index.search(_clusters(20, seed=1), 5, nprobe=16)
    assert torch.equal(before.index, after.index)


def test_what_lists_do_not_hold_is_missing():
    index = FaissIndex(32, "IVF64,Flat", metric="l2")
    with pytest.warns(UserWarning, match="few"):
        index.train(_clusters(300))
    index.add(_clusters(100))
    found = index.search(_clusters(20, seed=1), 50)
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


@pytest.mark.parametrize("memory_map", [False, True])
@pytest.mark.parametrize("kind", KINDS + BINARY)
def test_a_file_gives_the_same_answers(tmp_path, kind, memory_map):
    index = _filled(kind)
    index.save(tmp_path / "a.faiss")
    assert [path.name for path in tmp_path.iterdir()] == ["a.faiss"]
    again = FaissIndex.load(tmp_path / "a.faiss", memory_map=memory_map)
    queries = _rows(kind, 20, seed=1)
    assert torch.equal(index.search(queries, 5).index, again.search(queries, 5).index)
    assert (again.description, again.metric, again.dimension, len(again)) == (
        kind,
        index.metric,
        index.dimension,
        len(index),
    )
    reader = faiss.read_index_binary if kind in BINARY else faiss.read_index
    assert reader(str(tmp_path / "a.faiss")).ntotal == len(index)  # FAISS's own file, too
    if memory_map:
        with pytest.raises(OptionError, match="memory-mapped or on GPUs cannot be added to"):
            again.add(queries)
    else:
        again.add(queries)
        assert len(again) == len(index) + 20


def test_memory_mapped_vectors_stay_in_the_file(tmp_path):
    _filled("Flat").save(tmp_path / "a.faiss")
    index = FaissIndex.load(tmp_path / "a.faiss")
    assert "a.faiss" in Path("/proc/self/maps").read_text()
    del index


@pytest.mark.parametrize("kind", ["Flat", "IVF16,Flat", "IVF16,PQ8", "BFlat", "BIVF16"])
def test_shards_that_were_filled_apart_become_one(tmp_path, kind):
    whole = _filled(kind)
    rows = _rows(kind, NUM)
    empty = FaissIndex(rows.shape[1], kind, metric=whole.metric)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        empty.train(rows[:300])
    empty.save(tmp_path / "trained.faiss")
    shards = []
    for part in np.array_split(rows, 4):
        shard = FaissIndex.load(tmp_path / "trained.faiss", memory_map=False)
        shard.add(part)
        shards.append(shard)
    shards[0].merge(shards[1:])
    assert [len(shard) for shard in shards] == [NUM, 0, 0, 0]
    queries = _rows(kind, 50, seed=1)
    one, other = (x.search(queries, 3) for x in (whole, shards[0]))
    torch.testing.assert_close(one.scores, other.scores)
    if kind not in BINARY:
        assert torch.equal(one.index, other.index)


def test_shards_that_do_not_fit_are_refused():
    index, other = _filled("IVF16,Flat"), FaissIndex(32, "IVF16,Flat", metric="l2")
    other.train(_clusters(700, seed=3))
    for shard, says in [
        (other, "shard 0 was not trained together with the index"),
        (_filled("Flat"), "shard 0 is 'Flat' for 'l2' and the index is 'IVF16,Flat' for 'l2'"),
        (_filled("IVF16,Flat", "dot"), "shard 0 is 'IVF16,Flat' for 'dot'"),
        (index, "shard 0 is the index itself"),
    ]:
        with pytest.raises(OptionError, match=says):
            index.merge([shard])
    graph = _filled("HNSW16")
    with pytest.raises(OptionError, match="FAISS cannot merge indices of 'HNSW16'"):
        graph.merge([_filled("HNSW16")])
    assert len(index) == NUM


@pytest.mark.parametrize("kind", ["IVF64,Flat", "IVF64,PQ4", "OPQ4,IVF64,PQ4", "PQ4", "BIVF64"])
def test_too_few_training_vectors_are_named_by_us_and_not_by_faiss(kind, capfd):
    least = 256 if "PQ" in kind else 64
    rows = _rows(kind, least)
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
        FaissIndex(32, "IVF64,Flat").train(_clusters(39 * 64))
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
    rows = _clusters(1000)
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


def test_damaged_and_foreign_files_are_refused(tmp_path):
    path = tmp_path / "a.faiss"
    with pytest.raises(FormatError, match="there is no such file"):
        FaissIndex.load(path)
    _filled("IVF16,PQ8").save(path)
    whole = path.read_bytes()
    for size in (0, 10, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:size])
        for memory_map in (False, True):
            with pytest.raises(FormatError, match="is cut off or was not written by corr"):
                FaissIndex.load(path, memory_map=memory_map)
    for place in (0, 20, len(whole) // 2):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        with pytest.raises(FormatError, match="is damaged: its checksum differs"):
            FaissIndex.load(path, memory_map=False)
    path.write_bytes(whole)
    with pytest.raises(OptionError, match="was built for metric 'l2', not 'cosine'"):
        FaissIndex.load(path, metric="cosine")
    path.write_bytes(b"a photograph, say" * 99)
    with pytest.raises(FormatError, match=re.escape(f"'{path}' is no FAISS index: ")):
        FaissIndex.load(path, metric="l2")


def test_a_file_of_faiss_itself_is_read_where_its_metric_is_given(tmp_path):
    plain = faiss.IndexFlatIP(32)
    plain.add(_clusters(100))
    path = tmp_path / "plain.faiss"
    faiss.write_index(plain, str(path))
    index = FaissIndex.load(path, metric="dot")
    queries = _clusters(5, seed=1)
    np.testing.assert_array_equal(index.search(queries, 3).index, plain.search(queries, 3)[1])
    with pytest.raises(OptionError, match="built for metric 'dot' or 'cosine', not 'l2'"):
        FaissIndex.load(path, metric="l2")


@pytest.mark.skipif(
    not (torch.cuda.is_available() and hasattr(faiss, "StandardGpuResources")),
    reason="needs a CUDA device and FAISS for it",
)
@pytest.mark.parametrize("kind", ["Flat", "IVF16,Flat", "IVF16,PQ8", "BFlat"])
def test_on_gpus(kind):
    index = _filled(kind)
    queries = torch.from_numpy(_rows(kind, 50, seed=1))
    settings = {"nprobe": 16} if "IVF" in kind else {}
    copy = index.to_gpus()
    for table in (queries, queries.cuda()):
        here, there = index.search(queries, 3, **settings), copy.search(table, 3, **settings)
        assert there.backend == "faiss-gpu"
        assert there.index.device == table.device
        torch.testing.assert_close(here.scores, there.scores.cpu(), atol=1e-2, rtol=1e-2)
    with pytest.raises(OptionError, match="on GPUs cannot be added to"):
        copy.add(queries)
