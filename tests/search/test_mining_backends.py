"""Hard negatives by FAISS, and by the path of CUDA tensors: the same as by the exact search."""

import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from random_tables import unit_rows

from corr.errors import MissingExtraError
from corr.search import Exclusion, hardest_negatives, tiles_torch, widening


class TestFaiss:
    """Who cannot exclude is asked for more."""

    @pytest.fixture(autouse=True)
    def _needs_faiss(self) -> None:
        pytest.importorskip("faiss")

    @pytest.mark.parametrize("num_tracks", [1, 2, 40, 4000])
    @pytest.mark.parametrize("k", [1, 3])
    def test_equals_the_exact_search(self, num_tracks: int, k: int) -> None:
        rng = np.random.default_rng(num_tracks)
        anchors, candidates = unit_rows(150, 16, 0), unit_rows(400, 16, 1)
        candidates[:150] = F.normalize(anchors + 0.02 * unit_rows(150, 16, 2), dim=1)
        candidates[7] = candidates[3]
        excluded = Exclusion(
            tracks0=rng.integers(0, num_tracks, 150),
            tracks1=rng.integers(0, num_tracks, 400),
            points0=rng.uniform(0, 100, (150, 2)),
            points1=rng.uniform(0, 100, (400, 2)),
            radius=9.0,
            min_distance=0.02,
        )
        options = {"excluded": excluded, "k": k, "both_ways": True}
        ours = hardest_negatives(anchors, candidates, **options)
        theirs = hardest_negatives(anchors, candidates, backend="faiss", **options)
        assert theirs.backend == "faiss"
        assert ours.reverse is not None
        assert theirs.reverse is not None
        for one, other in ((ours, theirs), (ours.reverse, theirs.reverse)):
            torch.testing.assert_close(one.similarity, other.similarity, atol=1e-6, rtol=0)
            assert torch.equal(one.found, other.found)
            same = (one.index == other.index) | (one.index == 7) | (other.index == 7)
            assert same.all()
        assert ours.found.any() == (num_tracks > 1)

    def test_rows_with_very_many_excluded_are_found_too(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(widening, "MOST", 40)
        anchors, candidates = unit_rows(30, 8, 0), unit_rows(200, 8, 1)
        tracks = np.arange(30) % 2, (np.arange(200) < 190).astype(int)
        excluded = Exclusion(tracks0=tracks[0], tracks1=tracks[1])
        ours = hardest_negatives(anchors, candidates, excluded=excluded, both_ways=True)
        theirs = hardest_negatives(
            anchors, candidates, excluded=excluded, both_ways=True, backend="faiss"
        )
        assert torch.equal(ours.index, theirs.index)
        assert ours.reverse is not None
        assert theirs.reverse is not None
        assert torch.equal(ours.reverse.index, theirs.reverse.index)
        assert (ours.index[1::2] >= 190).all()

    def test_without_it_the_error_says_what_to_install(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(sys.modules, "faiss", None)
        with pytest.raises(MissingExtraError, match="pip install corr-toolkit"):
            hardest_negatives(
                unit_rows(3, 4, 0),
                unit_rows(3, 4, 1),
                excluded=Exclusion(tracks0=np.arange(3), tracks1=np.arange(3)),
                backend="faiss",
            )


def test_the_path_of_cuda_tensors_finds_the_same() -> None:
    """It is plain torch, and so runs here too."""
    anchors, candidates = unit_rows(300, 32, 0), unit_rows(500, 32, 1)
    candidates[:300] = F.normalize(anchors + 0.001 * torch.rand(300, 1) * candidates[:300], dim=1)
    excluded = Exclusion(
        tracks0=np.arange(300) % 50, tracks1=np.arange(500) % 50, min_distance=0.0005
    )
    mined = hardest_negatives(anchors, candidates, excluded=excluded, both_ways=True)
    assert mined.reverse is not None
    found = tiles_torch.search(anchors, candidates, (1, 1), "l2", rule=excluded.rule())
    assert torch.equal(found[0].index, mined.index)
    assert torch.equal(found[1].index, mined.reverse.index)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_cuda() -> None:
    anchors, candidates = unit_rows(300, 32, 0), unit_rows(500, 32, 1)
    excluded = Exclusion(tracks0=np.arange(300) % 50, tracks1=np.arange(500) % 50)
    here = hardest_negatives(anchors, candidates, excluded=excluded, both_ways=True)
    there = hardest_negatives(anchors.cuda(), candidates.cuda(), excluded=excluded, both_ways=True)
    assert here.reverse is not None
    assert there.reverse is not None
    assert torch.equal(here.index, there.index.cpu())
    assert torch.equal(here.reverse.index, there.reverse.index.cpu())
