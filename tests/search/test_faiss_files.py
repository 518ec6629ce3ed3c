"""FAISS indices on disk: files, memory maps, shards, and files that are damaged or foreign."""

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from small_indices import BINARY, KINDS, NUM, clusters, filled, rows_of

from corr.errors import FormatError, OptionError
from corr.search.faiss.index import FaissIndex

faiss = pytest.importorskip("faiss")
pytestmark = pytest.mark.usefixtures("one_faiss_thread")


@pytest.mark.parametrize("memory_map", [False, True])
@pytest.mark.parametrize("kind", KINDS + BINARY)
def test_a_file_gives_the_same_answers(tmp_path, kind, memory_map):
    index = filled(kind)
    index.save(tmp_path / "a.faiss")
    assert [path.name for path in tmp_path.iterdir()] == ["a.faiss"]
    again = FaissIndex.load(tmp_path / "a.faiss", memory_map=memory_map)
    queries = rows_of(kind, 20, seed=1)
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
    filled("Flat").save(tmp_path / "a.faiss")
    index = FaissIndex.load(tmp_path / "a.faiss")
    assert "a.faiss" in Path("/proc/self/maps").read_text()
    del index


@pytest.mark.parametrize("kind", ["Flat", "IVF16,Flat", "IVF16,PQ8", "BFlat", "BIVF16"])
def test_shards_that_were_filled_apart_become_one(tmp_path, kind):
    whole = filled(kind)
    rows = rows_of(kind, NUM)
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
    queries = rows_of(kind, 50, seed=1)
    one, other = (x.search(queries, 3) for x in (whole, shards[0]))
    torch.testing.assert_close(one.scores, other.scores)
    if kind not in BINARY:
        assert torch.equal(one.index, other.index)


def test_shards_that_do_not_fit_are_refused():
    index, other = filled("IVF16,Flat"), FaissIndex(32, "IVF16,Flat", metric="l2")
    other.train(clusters(700, seed=3))
    for shard, says in [
        (other, "shard 0 was not trained together with the index"),
        (filled("Flat"), "shard 0 is 'Flat' for 'l2' and the index is 'IVF16,Flat' for 'l2'"),
        (filled("IVF16,Flat", "dot"), "shard 0 is 'IVF16,Flat' for 'dot'"),
        (index, "shard 0 is the index itself"),
    ]:
        with pytest.raises(OptionError, match=says):
            index.merge([shard])
    graph = filled("HNSW16")
    with pytest.raises(OptionError, match="FAISS cannot merge indices of 'HNSW16'"):
        graph.merge([filled("HNSW16")])
    assert len(index) == NUM


def test_damaged_and_foreign_files_are_refused(tmp_path):
    path = tmp_path / "a.faiss"
    with pytest.raises(FormatError, match="there is no such file"):
        FaissIndex.load(path)
    filled("IVF16,PQ8").save(path)
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
    plain.add(clusters(100))
    path = tmp_path / "plain.faiss"
    faiss.write_index(plain, str(path))
    index = FaissIndex.load(path, metric="dot")
    queries = clusters(5, seed=1)
    np.testing.assert_array_equal(index.search(queries, 3).index, plain.search(queries, 3)[1])
    with pytest.raises(OptionError, match="built for metric 'dot' or 'cosine', not 'l2'"):
        FaissIndex.load(path, metric="l2")
