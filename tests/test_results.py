"""Results save and draw themselves, and come back from their files."""

import dataclasses

import numpy as np
import pytest

from corr.errors import FormatError
from corr.formats import read_disparity, read_features, read_flow, read_image, read_matches
from corr.results import DisparityMap, Features, FlowField, Matches

IMAGE = np.full((40, 50, 3), 90, np.uint8)
POINTS = np.array([[10.0, 12.0], [30.0, 20.5]], np.float32)
ONES = np.ones(2, np.float32)


@pytest.fixture
def features():
    return Features(POINTS, np.eye(2, 8, dtype=np.float32), ONES, 3 * ONES, 90 * ONES, (40, 50))


@pytest.fixture
def matches():
    return Matches(POINTS, POINTS + 1, ONES, (40, 50), (40, 50), np.eye(3))


def test_features(features, tmp_path):
    assert len(features) == 2
    features.save(tmp_path / "f.h5")
    np.testing.assert_array_equal(read_features(tmp_path / "f.h5")["keypoints"], POINTS)
    picture = features.draw(IMAGE, tmp_path / "f.png")
    np.testing.assert_array_equal(read_image(tmp_path / "f.png"), picture)


def test_matches(matches, tmp_path):
    assert len(matches) == 2
    matches.save(tmp_path / "m.npz")
    np.testing.assert_array_equal(read_matches(tmp_path / "m.npz")["keypoints1"], POINTS + 1)
    np.testing.assert_array_equal(read_matches(tmp_path / "m.npz")["model"], np.eye(3))
    picture = matches.draw(IMAGE, IMAGE, tmp_path / "m.png", correct=np.array([True, False]))
    np.testing.assert_array_equal(read_image(tmp_path / "m.png"), picture)


def test_disparity(tmp_path):
    disparity = np.arange(12, dtype=np.float32).reshape(3, 4)
    disparity[0, 0] = np.nan
    found = DisparityMap(disparity, np.isfinite(disparity).astype(np.float32))
    found.save(tmp_path / "d.pfm")
    np.testing.assert_array_equal(read_disparity(tmp_path / "d.pfm"), disparity)
    assert found.draw(tmp_path / "d.png", max_disparity=16).shape[0] > 3
    assert (tmp_path / "d.png").exists()


def test_flow(tmp_path):
    flow = np.arange(24, dtype=np.float32).reshape(3, 4, 2)
    found = FlowField(flow, np.zeros((3, 4), bool), np.ones((3, 4), np.float32))
    found.save(tmp_path / "f.flo")
    np.testing.assert_array_equal(read_flow(tmp_path / "f.flo"), flow)
    found.draw(tmp_path / "f.png", max_flow=30)
    assert (tmp_path / "f.png").exists()


def test_nothing_is_written_without_a_path(matches, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    matches.draw(IMAGE, IMAGE)
    assert not list(tmp_path.iterdir())


def test_unknown_suffix(matches, tmp_path):
    with pytest.raises(FormatError, match=r"use \.npz, \.h5 or \.csv"):
        matches.save(tmp_path / "m.txt")
    with pytest.raises(FormatError, match=r"use \.png, \.jpg or \.jpeg"):
        matches.draw(IMAGE, IMAGE, tmp_path / "m.pfm")
    assert not list(tmp_path.iterdir())


def test_results_are_frozen(matches):
    with pytest.raises(dataclasses.FrozenInstanceError):
        matches.scores = ONES
