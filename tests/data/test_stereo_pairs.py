"""Stereo sets in their published layouts: every pair, its disparity in px, what is occluded."""

import pickle

import numpy as np
import pytest
from published import DISPARITY, HEIGHT, LEAVES, ROWS, WIDTH, image, kitti, old_middlebury

from corr.data.middlebury_stereo import disparity_scale, occluded_by_consistency
from corr.data.stereo_pairs import read_stereo
from corr.errors import DatasetError
from corr.formats import read_image


def by_name(root):
    return {pair.name: pair for pair in read_stereo(root)}


def test_scenes_of_2001_to_2006(publish):
    root = publish("middlebury-stereo")
    pairs = by_name(root)
    assert {name: pair.group for name, pair in pairs.items()} == {
        "Art": "middlebury-2005-2006",
        "map": "middlebury-2001",
        "sawtooth": "middlebury-2001",
        "teddy": "middlebury-2003",
        "tsukuba": "middlebury-2001",
    }
    assert pairs["teddy"].left == root / "teddy" / "im2.png"
    assert pairs["teddy"].right == root / "teddy" / "im6.png"
    assert pairs["Art"].right == root / "Art" / "view5.png"
    for name, pair in pairs.items():
        truth = pair.truth()
        assert truth.disparity.dtype == np.float32
        np.testing.assert_array_equal(truth.disparity, DISPARITY)
        assert truth.max_disparity == 16
        if name == "tsukuba":  # its right view's disparity is not published
            assert truth.occluded is None
        else:
            np.testing.assert_array_equal(truth.occluded, LEAVES)


def test_zero_is_unknown_and_not_occluded(publish):
    root = publish("middlebury-stereo")
    for name in ("disp2.png", "disp6.png"):
        values = read_image(root / "teddy" / name)
        values[:10] = 0
        image(root / "teddy" / name, values)
    truth = by_name(root)["teddy"].truth()
    assert np.isnan(truth.disparity[:10]).all()
    assert not truth.occluded[:10].any()
    assert np.isfinite(truth.disparity[10:]).all()


@pytest.mark.parametrize(
    ("scene", "left", "size", "scale"),
    [
        ("tsukuba", "im3", (384, 288), 16),
        ("tsukuba", "im2", (384, 288), 16),
        ("venus", "im2", (434, 383), 8),
        ("barn1", "im2", (432, 381), 8),
        ("cones", "im2", (450, 375), 4),
        ("teddy", "im2", (900, 750), 2),
        ("teddyF", "im2", (1800, 1500), 1),
        ("Aloe", "view1", (1282, 1110), 1),
        ("Reindeer", "view1", (671, 555), 2),
        ("Art", "view1", (463, 370), 3),
    ],
)
def test_the_published_scales(scene, left, size, scale):
    assert disparity_scale(scene, left, *size) == scale


def test_a_scene_whose_scale_is_not_known(publish):
    root = publish("middlebury-stereo")
    (root / "teddy").rename(root / "garden")
    with pytest.raises(DatasetError, match="scene 'garden' is not one of Middlebury 2001 or 2003"):
        by_name(root)["garden"].truth()


def test_scenes_of_2014(publish):
    pairs = by_name(publish("middlebury-2014"))
    assert list(pairs) == ["Adirondack-perfect", "trainingQ/Piano"]  # Plants has no truth
    for pair in pairs.values():
        truth = pair.truth()
        assert pair.group == "middlebury-2014"
        assert truth.max_disparity == 290
        np.testing.assert_array_equal(np.isnan(truth.disparity), ROWS > 90)
        np.testing.assert_array_equal(truth.disparity[:91], DISPARITY[:91])
        np.testing.assert_array_equal(truth.occluded, LEAVES & (ROWS <= 90))


def test_scenes_of_2021(publish):
    (pair,) = read_stereo(publish("middlebury-2021"))
    assert (pair.name, pair.group) == ("artroom1", "middlebury-2021")
    assert pair.truth().occluded is None


def test_a_scene_itself_is_a_root(publish):
    (pair,) = read_stereo(publish("middlebury-stereo") / "teddy")
    assert (pair.name, pair.group) == ("teddy", "middlebury-2003")


def test_calibration_without_a_bound(publish):
    root = publish("middlebury-2021")
    (root / "artroom1" / "calib.txt").write_text("width=160\n")
    with pytest.raises(DatasetError, match=r"calib.txt' has no line 'ndisp='"):
        read_stereo(root)[0].truth()


@pytest.mark.parametrize("year", [2012, 2015])
def test_kitti(publish, year):
    root = publish(f"kitti-{year}")
    pairs = read_stereo(root)
    assert [pair.name for pair in pairs] == ["000000_10", "000007_10"]
    assert {pair.group for pair in pairs} == {f"kitti-{year}"}
    truth = pairs[0].truth()
    np.testing.assert_array_equal(truth.disparity, DISPARITY)
    np.testing.assert_array_equal(truth.occluded, LEAVES)
    assert truth.max_disparity == 16
    assert [pair.left for pair in read_stereo(root / "training")] == [pair.left for pair in pairs]


def test_kitti_in_colour_is_preferred(publish):
    root = publish("kitti-2012")
    kitti(root, ("colored_0", "colored_1"), "")
    assert {pair.left.parent.name for pair in read_stereo(root)} == {"colored_0"}
    assert {pair.right.parent.name for pair in read_stereo(root)} == {"colored_1"}


def test_kitti_without_the_second_map(publish):
    root = publish("kitti-2012")
    for file in (root / "training" / "disp_noc").iterdir():
        file.unlink()
    (root / "training" / "disp_noc").rmdir()
    assert read_stereo(root)[0].truth().occluded is None


def test_consistency_by_hand():
    left = np.array([[2, 1, 1, 1, np.nan, 3, 2]], np.float32)
    right = np.array([[1, 2, 1, np.nan, 5, 1, 1]], np.float32)
    # 2 leaves, 1 meets 1, 1 meets 2 (1 px off), 1 meets 1, unknown, 3 meets 1 (2 off), 2 meets 5
    expected = [[True, False, False, False, False, True, True]]
    assert occluded_by_consistency(left, right).tolist() == expected
    right[0, 2] = np.nan
    assert occluded_by_consistency(left, right)[0, 3], "an unknown one does not lead back"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("monkaa", "a_rain_of_stones_x2"),
        ("driving", "15mm_focallength/scene_forwards/fast"),
    ],
)
def test_the_other_sets_of_sceneflow(publish, name, expected):
    root = publish(name)
    pairs = read_stereo(root)
    names = [f"{kind}/{expected}/0001" for kind in ("clean", "final")]
    assert [pair.name for pair in pairs[::2]] == names
    assert [pair.group for pair in pairs] == [f"{name}-clean"] * 2 + [f"{name}-final"] * 2
    truth = pairs[0].truth()
    np.testing.assert_array_equal(truth.disparity, DISPARITY)
    assert truth.occluded is None
    # Several sets beside each other are one root, each with its name.
    assert read_stereo(root.parent)[0].name == f"{root.name}/{names[0]}"


def test_eth3d(publish):
    root = publish("eth3d")
    pairs = read_stereo(root)
    assert [(pair.name, pair.group) for pair in pairs] == [
        ("delivery_area_1l", "eth3d"),
        ("terrains_2s", "eth3d"),
    ]
    truth = pairs[0].truth()
    np.testing.assert_array_equal(np.isnan(truth.disparity), ROWS > 90)
    np.testing.assert_array_equal(truth.occluded, LEAVES & (ROWS <= 90))
    assert [pair.left for pair in read_stereo(root / "two_view_training")] == [
        pair.left for pair in pairs
    ]


def test_eth3d_with_truth_beside_the_images(publish):
    root = publish("eth3d")
    for file in list((root / "two_view_training_gt").rglob("*.*")):
        file.rename(root / "two_view_training" / file.parent.name / file.name)
    for folder in (root / "two_view_training_gt").iterdir():
        folder.rmdir()
    (root / "two_view_training_gt").rmdir()
    assert len(read_stereo(root)) == 2
    (pair,) = read_stereo(root / "two_view_training" / "terrains_2s")
    assert (pair.name, pair.group) == ("terrains_2s", "eth3d")


def test_pairs_travel_to_other_processes(publish):
    pair = pickle.loads(pickle.dumps(read_stereo(publish("kitti-2012"))[0]))
    np.testing.assert_array_equal(pair.truth().disparity, DISPARITY)


def test_right_map_of_another_size(publish):
    root = publish("middlebury-stereo")
    image(root / "teddy" / "disp6.png", np.full((HEIGHT, WIDTH - 1, 3), 16, np.uint8))
    with pytest.raises(DatasetError, match=r"disp2.png' has 160 x 96 pixels and .* 159 x 96"):
        by_name(root)["teddy"].truth()


def test_two_sets_in_one_root(publish, tmp_path):
    root = publish("middlebury-2021")
    old_middlebury(root)
    assert len(read_stereo(root)) == 6


def test_real_scenes(shared_data):
    pairs = by_name(shared_data / "middlebury-stereo")
    assert {name: pair.truth().max_disparity for name, pair in pairs.items()} == {
        "Reindeer": 112,
        "teddy": 64,
        "tsukuba": 16,
    }
    assert np.nanmax(pairs["Reindeer"].truth().disparity) == 100.5
    assert 0.10 < pairs["teddy"].truth().occluded.mean() < 0.12
    frames = read_stereo(shared_data / "kitti-2012")
    assert [frame.name for frame in frames] == ["000027_10", "000074_10"]
    assert 0.004 < frames[0].truth().occluded.mean() < 0.007
