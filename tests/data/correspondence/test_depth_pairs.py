"""Pictures with depth and cameras: what is occluded is found by comparing depths."""

import numpy as np
import pytest

from corr.cli import main
from corr.data.cameras import Camera, motion_of_depth, shown_at
from corr.data.correspondence.dense_pair import targets
from corr.data.correspondence.ground_truth_pairs import DepthPairs
from corr.errors import DatasetError
from corr.formats import write_image


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("posed")
    settings = root / "settings.yaml"
    settings.write_text("surfaces: {num_tiles: 14}\nnum_objects: [6, 10]\n")
    arguments = ["-n", "4", "--size", "120x160", "--config", str(settings), "--out", str(root)]
    assert main(["datasets", "synth", "posed", *arguments]) == 0
    return root


def test_depths_tell_what_is_occluded(root):
    """As the renderer does, which knows its layers; at their rims a pixel mixes two of them."""
    source = DepthPairs(root)
    assert len(source) == 4
    shown, hidden = [], []
    for listed in source.pairs:
        truth = listed.truth()
        known = np.isfinite(source.read(listed).flow_0to1).all(-1)
        clear = truth.masks0.valid & ~truth.masks0.edge
        target = targets(truth.motion_0to1().flow_0to1)
        clear &= ((target >= 0) & (target <= (159, 119))).all(-1)  # beyond, nothing is read
        shown.append(known[clear & ~truth.masks0.occluded])
        hidden.append(known[clear & truth.masks0.occluded])
    assert np.concatenate(shown).all()
    assert len(np.concatenate(hidden)) > 1000
    assert np.concatenate(hidden).mean() < 0.01


def test_a_window_of_a_pair(root):
    pair = DepthPairs(root).pair(1, 96, np.random.default_rng(0))
    assert pair.image0.shape == pair.image1.shape == (96, 96, 3)
    assert np.isfinite(pair.flow_0to1).all(-1).mean() > 0.2


def test_by_hand():
    """A wall at depth 10, and before it in picture 1 alone a post at depth 5."""
    camera = Camera(np.array([[100.0, 0, 20], [0, 100, 10], [0, 0, 1]]))
    pose = np.eye(4)
    pose[0, 3] = -1  # camera 1 is to the right: the wall moves left by 100 * 1 / 10 px
    wall = np.full((21, 41), 10.0)
    wall[0] = np.nan
    motion = motion_of_depth(wall, camera, camera, pose)
    assert np.isnan(motion.flow_0to1[0]).all()
    np.testing.assert_allclose(
        motion.flow_0to1[1:], np.broadcast_to((-10, 0), (20, 41, 2)), atol=1e-5
    )
    depth1 = np.full((21, 41), 10.0)
    depth1[:, 12:15] = 5
    x, y = np.meshgrid(np.arange(41.0), np.arange(21.0))
    shown = shown_at(motion.flow_0to1 + np.stack((x, y), -1), motion.depth, depth1)
    expected = np.ones((21, 41), bool)
    expected[0] = expected[:, :10] = expected[:, 22:25] = False  # unknown, outside, behind it
    assert np.array_equal(shown[:-1], expected[:-1])  # a rounded target may leave the last row
    behind = pose.copy()
    behind[2, 3] = -11
    assert np.isnan(motion_of_depth(wall, camera, camera, behind).flow_0to1).all()


def test_an_image_of_another_size(root, tmp_path):
    for path in (root / "00000").iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    write_image(tmp_path / "image0.png", np.zeros((120, 100, 3), np.uint8))
    with pytest.raises(DatasetError, match="has 100 x 120 pixels and its ground truth 160 x 120"):
        DepthPairs(tmp_path).pair(0, 64, np.random.default_rng(0))
