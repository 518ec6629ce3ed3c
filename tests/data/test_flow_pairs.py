"""Flow sets in their published layouts: every pair, its flow in px, what is occluded."""

import shutil

import numpy as np
import pytest
from published import DISPARITY, FLOW, LEAVES, ROWS, things_flow

from corr.data.flow_pairs import read_flow
from corr.errors import DatasetError


def test_sintel(publish):
    root = publish("sintel")
    pairs = read_flow(root)
    assert [(pair.name, pair.group) for pair in pairs] == [
        ("clean/alley_1/frame_0001", "clean"),
        ("clean/bamboo_2/frame_0001", "clean"),
        ("final/alley_1/frame_0001", "final"),
        ("final/bamboo_2/frame_0001", "final"),
    ]
    assert pairs[2].image0 == root / "training" / "final" / "alley_1" / "frame_0001.png"
    assert pairs[2].image1 == root / "training" / "final" / "alley_1" / "frame_0002.png"
    truth = pairs[2].truth()
    assert truth.flow.dtype == np.float32
    np.testing.assert_array_equal(np.isnan(truth.flow).all(axis=2), ROWS < 4)
    np.testing.assert_array_equal(truth.flow[4:], FLOW[4:])
    np.testing.assert_array_equal(truth.occluded, (ROWS >= 4) & (ROWS < 8))
    assert len(read_flow(root / "training")) == 4


def test_sintel_in_part(publish):
    root = publish("sintel")
    for name in ("final", "occlusions", "invalid"):
        shutil.rmtree(root / "training" / name)
    pairs = read_flow(root)
    assert [pair.group for pair in pairs] == ["clean", "clean"]
    truth = pairs[0].truth()
    assert truth.occluded is None
    np.testing.assert_array_equal(truth.flow, FLOW)


@pytest.mark.parametrize("year", [2012, 2015])
def test_kitti(publish, year):
    root = publish(f"kitti-{year}")
    pairs = read_flow(root)
    assert [(pair.name, pair.group) for pair in pairs] == [
        ("000000_10", f"kitti-{year}"),
        ("000007_10", f"kitti-{year}"),
    ]
    assert [pairs[0].image0.name, pairs[0].image1.name] == ["000000_10.png", "000000_11.png"]
    truth = pairs[0].truth()
    np.testing.assert_array_equal(truth.flow[..., 0], -DISPARITY)
    np.testing.assert_array_equal(truth.occluded, LEAVES)


def test_middlebury(publish):
    root = publish("middlebury-flow")
    pairs = read_flow(root)
    assert [pair.name for pair in pairs] == ["RubberWhale", "Urban2"]  # Walking has no truth
    assert pairs[0].image1 == root / "other-data" / "RubberWhale" / "frame11.png"
    truth = pairs[0].truth()
    np.testing.assert_array_equal(np.isnan(truth.flow).all(axis=2), ROWS < 5)
    np.testing.assert_array_equal(truth.flow[5:], FLOW[5:])
    assert truth.occluded is None
    assert [pair.name for pair in read_flow(root / "other-data")] == ["RubberWhale", "Urban2"]
    assert [pair.name for pair in read_flow(root / "other-data" / "Urban2")] == ["Urban2"]


@pytest.mark.parametrize("place", ["{scene}", "flow/{scene}"])
def test_middlebury_with_the_flow_elsewhere(publish, place):
    root = publish("middlebury-flow")
    for scene in ("RubberWhale", "Urban2", "Walking"):
        (root / "other-data" / scene).rename(root / scene)
        there = root / place.format(scene=scene)
        there.mkdir(parents=True, exist_ok=True)
        if scene != "Walking":
            (root / "other-gt-flow" / scene / "flow10.flo").rename(there / "flow10.flo")
    for name in ("other-gt-flow", "other-data"):
        shutil.rmtree(root / name)
    assert [pair.name for pair in read_flow(root)] == ["RubberWhale", "Urban2"]


def test_flying_chairs(publish):
    root = publish("flying-chairs")
    pairs = read_flow(root)
    assert [pair.name for pair in pairs] == ["00001", "00002", "00003"]
    assert {pair.group for pair in pairs} == {"flying-chairs"}
    assert pairs[1].image1 == root / "data" / "00002_img2.ppm"
    np.testing.assert_array_equal(pairs[1].truth().flow, FLOW)
    assert len(read_flow(root / "data")) == 3


def test_flying_chairs_with_the_list_of_its_split(publish):
    root = publish("flying-chairs")
    split = root / "FlyingChairs_train_val.txt"
    split.write_text("1\n2\n1\n")
    assert [pair.group for pair in read_flow(root)] == ["train", "val", "train"]
    split.write_text("1\n2\n")
    with pytest.raises(DatasetError, match="has 2 lines, none for pair '00003'"):
        read_flow(root)
    split.write_text("train\nval\n")
    with pytest.raises(DatasetError, match="is not a list of 1"):
        read_flow(root)


def test_real_pairs(shared_data):
    counts = {"sintel": 2, "kitti-2012": 2, "middlebury-flow": 4, "flying-chairs": 5}
    for name, count in counts.items():
        pairs = read_flow(shared_data / name)
        assert len(pairs) == count
    whale = {pair.name: pair for pair in read_flow(shared_data / "middlebury-flow")}["RubberWhale"]
    length = np.linalg.norm(whale.truth().flow, axis=2)
    assert np.nanmean(length) == pytest.approx(1.26, abs=0.005)  # the reference's error of no flow


def test_flyingthings3d(tmp_path):
    """Into the future and the past; a film's first and last frame have a file without a partner."""
    things_flow(tmp_path)
    pairs = read_flow(tmp_path)
    assert [pair.name for pair in pairs] == [
        f"clean/{place}/{way}/left/{number}"
        for way, numbers in (("into_future", ("0006", "0007")), ("into_past", ("0007", "0008")))
        for place in ("TEST/B/0013", "TRAIN/A/0000")
        for number in numbers
    ]
    assert {pair.group for pair in pairs} == {"flyingthings3d-clean"}
    forth, back = pairs[0], pairs[4]
    assert (forth.image0.name, forth.image1.name) == ("0006.png", "0007.png")
    assert (back.image0.name, back.image1.name) == ("0007.png", "0006.png")
    np.testing.assert_array_equal(forth.truth().flow, FLOW)
    np.testing.assert_array_equal(back.truth().flow, -FLOW)
    assert forth.truth().occluded is None


def test_flyingthings3d_that_is_not_whole(tmp_path):
    things_flow(tmp_path)
    (tmp_path / "frames_cleanpass/TRAIN/A/0000/left/0007.png").unlink()
    with pytest.raises(DatasetError, match=r"lacks '0007.png'"):
        read_flow(tmp_path)
    things_flow(tmp_path)
    fields = tmp_path / "optical_flow/TRAIN/A/0000/into_future/left"
    (fields / "OpticalFlowIntoFuture_0006_L.pfm").rename(fields / "0006.pfm")
    with pytest.raises(DatasetError, match="has no number; SceneFlow's flow is Optical"):
        read_flow(tmp_path)
