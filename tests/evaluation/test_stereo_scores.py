"""Scores of the stereo benchmark, worked by hand; honest where there is no truth."""

from pathlib import Path

import numpy as np
import pytest

from corr.data.ground_truth import StereoPair, StereoTruth
from corr.evaluation.benchmark import ItemResult
from corr.evaluation.stereo import StereoBenchmark, StereoInputs
from corr.results import DisparityMap

IMAGE = np.zeros((2, 4, 3), np.uint8)


def scores(disparity, confidence, truth, occluded=None):
    known = StereoTruth(np.float32(truth), occluded, 16)
    output = DisparityMap(np.float32(disparity), np.float32(confidence))
    here = Path("here.png")
    item = StereoPair("here", "made", here, here, (), lambda: known)
    return StereoBenchmark().score(item, StereoInputs(IMAGE, IMAGE, known), output)


def test_by_hand():
    nan = np.nan
    truth = [[10, 10, 10, nan], [300, 20, 20, 20]]
    found = [[10, 13, 10.4, 7], [304, nan, 20, 26]]
    sure = [[0.9, 0.2, 0.8, 1], [0.3, 0.0, 0.7, 0.1]]
    result = scores(found, sure, truth)
    error = np.array([0, 3, 0.4, 4, 0, 6])  # of those with a value
    assert result["bad_2_all"] == pytest.approx(4 / 7)  # the missing one too
    assert result["bad_2_all_matched"] == pytest.approx(3 / 6)
    assert result["d1_all"] == pytest.approx(2 / 7)  # 3 is not above 3; 4 is within 5 % of 300
    assert result["epe_all"] == pytest.approx(error.mean(), rel=1e-5)
    assert result["rms_all"] == pytest.approx(np.sqrt(np.mean(error**2)), rel=1e-5)
    below = np.delete(error, 3)  # the pixel of 300 px does not count
    assert result["epe_192"] == pytest.approx(below.mean(), rel=1e-5)
    assert result["density"] == pytest.approx(6 / 7)
    # The three surest are right, then come the four that are wrong.
    assert result["kept_40"] == 0
    assert result["kept_100"] == pytest.approx(4 / 7)
    assert result["ause"] == pytest.approx(0)
    # Right within 1 px: 0.9, 0.8 and 0.7; wrong: 0.2, 0.3 and 0.1. The missing one was not matched.
    assert result["ece"] == pytest.approx((0.1 + 0.2 + 0.3 + 0.2 + 0.3 + 0.1) / 6)
    for kind, total in (("bin", 6), ("right", 3), ("sure", 3.0)):
        assert sum(result[f"{kind}_{k}"] for k in range(10)) == pytest.approx(total / 6)
    blind = scores(found, np.ones((2, 4)), truth)
    assert blind["kept_10"] == pytest.approx(4 / 7)
    assert blind["ause"] > 0.1


def test_without_any_truth_there_is_no_number():
    nothing = np.full((2, 4), np.nan)
    result = scores(np.ones((2, 4)), np.ones((2, 4)), nothing)
    assert set(result) == set(scores(np.ones((2, 4)), np.ones((2, 4)), np.ones((2, 4))))
    assert all(np.isnan(value) for value in result.values())
    benchmark = StereoBenchmark()
    table = {key: np.array([value]) for key, value in result.items()}
    totals = {key: float(value) for key, value in benchmark.aggregate(table).items()}
    assert {column.show(totals) for column in benchmark.columns} <= {"-/-/-/-", "-"}


def test_the_curves_are_drawn():
    found = scores(np.ones((2, 4)), np.eye(2, 4), 4 * np.eye(2, 4))
    results = {"census": [ItemResult("a", "b", found)], "none": []}
    pictures = StereoBenchmark().overview([], {"census": results["census"]})
    assert list(pictures) == ["sparsification", "reliability"]
    assert {picture.shape for picture in pictures.values()} == {(450, 720, 3)}


def test_the_protocol_names_thresholds_and_masks():
    protocol = StereoBenchmark().protocol
    text = " ".join(map(str, protocol.values()))
    for word in ("3 px and 5 %", "below 192 px", "every pixel with truth", "the right image shows"):
        assert word in text
    assert protocol["bad_px"] == [0.5, 1.0, 2.0, 4.0]
