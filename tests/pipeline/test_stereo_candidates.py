"""Stereo by candidates: equal to the full volume where they cover the row, close to it below."""

import numpy as np
import pytest
import torch

from corr.errors import OptionError
from corr.machine.precision import multiplies_bfloat16
from corr.models import HardNet
from corr.pipeline.stereo import disparity
from corr.pipeline.stereo_candidates import scatter
from corr.pipeline.stereo_census import census_rows
from corr.pipeline.stereo_features import feature_rows
from corr.search.faiss.rows import RowCandidates
from corr.volume.census import census_volume

SEARCHES = ["exact", "faiss"]


@pytest.fixture(autouse=True)
def _needs_faiss():
    pytest.importorskip("faiss")


def _pair(shift=5, shape=(24, 70)):
    rng = np.random.default_rng(0)
    wide = rng.integers(0, 256, (shape[0], shape[1] + shift, 3)).astype(np.uint8)
    return np.ascontiguousarray(wide[:, : shape[1]]), np.ascontiguousarray(wide[:, shift:])


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("depth", [1, 16, 70])
def test_all_candidates_give_the_census_volume(search, depth):
    left, right = (view[..., 0].copy() for view in _pair())
    whole = census_volume(left, right, depth)
    found = census_rows(left, right, depth, search=search, candidates=70, device="cpu")(
        0, len(left)
    )
    assert found.dtype == np.uint8
    np.testing.assert_array_equal(found, whole)


@pytest.mark.parametrize("search", SEARCHES)
def test_all_candidates_give_the_volume_of_a_network(search):
    torch.manual_seed(0)
    given = HardNet(), *_pair(), 16, torch.device("cpu")
    height = len(given[1])
    whole = feature_rows(*given)(0, height)
    found = feature_rows(*given, search=search, candidates=70)(0, height)
    difference = np.abs(found.astype(int) - whole)
    assert difference.max() <= 1  # a product summed in another order may round the other way
    assert (difference > 0).mean() < (0.4 if multiplies_bfloat16("cpu") else 1e-3)


def test_costs_of_some_rows_are_those_of_the_whole():
    left, right = _pair()
    grey = left[..., 0].copy(), right[..., 0].copy()
    torch.manual_seed(0)
    network = HardNet()
    for rows in (
        census_rows(*grey, 16),
        census_rows(*grey, 16, search="exact", candidates=5, device="cpu"),
        feature_rows(network, left, right, 16, torch.device("cpu")),
    ):
        np.testing.assert_array_equal(rows(7, 20), rows(0, len(left))[7:20])


@pytest.mark.parametrize("search", SEARCHES)
def test_all_candidates_give_the_same_disparity(search):
    pair = _pair()
    whole = disparity(*pair, max_disparity=16, model="census")
    found = disparity(*pair, max_disparity=16, model="census", search=search, candidates=70)
    np.testing.assert_array_equal(found.disparity, whole.disparity)
    np.testing.assert_array_equal(found.confidence, whole.confidence)


@pytest.mark.parametrize("search", SEARCHES)
def test_few_candidates_bound_the_costs_from_below_and_find_the_shift(search):
    left, right = (view[..., 0].copy() for view in _pair())
    whole = census_volume(left, right, 16)
    rows = census_rows(left, right, 16, search=search, candidates=4, device="cpu")
    found = rows(0, len(left))
    seen = np.arange(16) <= np.arange(70)[:, None]
    assert (found <= whole)[:, seen].all()
    assert (found == whole)[:, seen].mean() < 0.9
    result = disparity(*_pair(), max_disparity=16, search=search, candidates=4)
    assert np.median(np.abs(result.disparity[:, 6:] - 5)) < 0.1


def test_costs_of_two_pixels_worked_by_hand():
    found = RowCandidates(
        torch.tensor([[[2, -1, 0], [1, -1, -1]]]),
        torch.tensor([[[-3.0, -5.0, -7.0], [-4.0, -torch.inf, -torch.inf]]]),
    )
    cost = scatter(found, 4, lambda scores: (-scores).to(torch.uint8))
    # The second candidate of the first pixel is out of range; no other pixel costs less than 7.
    np.testing.assert_array_equal(cost, [[[7, 7, 3, 7], [4, 4, 4, 4]]])


@pytest.mark.parametrize("model", ["sgbm", "bm"])
def test_models_of_opencv_refuse_a_search(model):
    for search in ("exact", "faiss", "faiss-gpu"):
        with pytest.raises(OptionError, match=f"model '{model}' does its own search; leave out"):
            disparity(*_pair(), model=model, search=search)
    disparity(*_pair(), model=model, max_disparity=16, search="auto")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (
            {"search": "best"},
            "search 'best' is not known; use one of auto, exact, faiss, faiss-gpu",
        ),
        ({"candidates": 8}, "candidates is 8, and search 'auto' scores every disparity"),
        ({"candidates": 0, "search": "faiss"}, "candidates is 0; use a whole number of 1 or more"),
        ({"candidates": True, "search": "exact"}, "candidates is True; use a whole number"),
    ],
)
def test_refusals(options, says):
    with pytest.raises(OptionError, match=says):
        disparity(*_pair(), **options)
