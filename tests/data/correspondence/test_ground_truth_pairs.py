"""Windows of published pairs: the same points, at the same places."""

import cv2
import numpy as np
import pytest
import skimage.data

from corr.data.correspondence.cropping import crop_pair, crop_rectified
from corr.data.correspondence.dense_pair import targets
from corr.data.correspondence.ground_truth_pairs import FlowPairs, StereoPairs
from corr.errors import OptionError
from corr.formats import write_flow, write_picture

SIZE = (120, 150)


def moved_picture(shift=(9, -4)):
    """A photograph, the same moved by whole pixels, and the flow between them."""
    photo = skimage.data.astronaut()[100 : 100 + SIZE[0] + 40, 100 : 100 + SIZE[1] + 40]
    first = photo[20 : 20 + SIZE[0], 20 : 20 + SIZE[1]]
    x, y = 20 - shift[0], 20 - shift[1]
    second = photo[y : y + SIZE[0], x : x + SIZE[1]]
    flow = np.broadcast_to(np.float32(shift), (*SIZE, 2)).copy()
    return first.copy(), second.copy(), flow


def rectified_picture(disparity, width=300):
    """A photograph, the same seen so many px to the left, and the flow between them."""
    photo = skimage.data.astronaut()[100 : 100 + SIZE[0], 50 : 50 + width + disparity]
    flow = np.broadcast_to(np.float32((-disparity, 0)), (SIZE[0], width, 2)).copy()
    return photo[:, :width].copy(), photo[:, disparity:].copy(), flow


def assert_same_points(pair):
    target = targets(pair.flow_0to1)
    y, x = np.argwhere(np.isfinite(target).all(-1)).T
    assert len(y) > 300
    to_x, to_y = target[y, x].round().astype(int).T
    assert np.array_equal(pair.image0[y, x], pair.image1[to_y, to_x])


@pytest.mark.parametrize("side", [64, 96, 200])
def test_windows_show_the_same_points(side):
    image0, image1, flow = moved_picture()
    flow[10:30, 20:60] = np.nan
    corners = set()
    for seed in range(6):
        pair = crop_pair(image0, image1, flow, side, np.random.default_rng(seed))
        assert pair.image0.shape == pair.image1.shape == (side, side, 3)
        assert_same_points(pair)
        corners.add(pair.image0.tobytes())
    assert (len(corners) == 1) == (side == 200)


def test_images_of_which_nothing_is_known():
    image0, image1, flow = moved_picture()
    pair = crop_pair(image0, image1, np.full_like(flow, np.nan), 64, np.random.default_rng(0))
    assert np.isnan(pair.flow_0to1).all()


def test_flow_of_a_published_layout(tmp_path):
    image0, image1, flow = moved_picture()
    folder = tmp_path / "data"
    folder.mkdir()
    for name, image in (("img1", image0), ("img2", image1)):
        cv2.imwrite(str(folder / f"00001_{name}.ppm"), image[..., ::-1])
    write_flow(folder / "00001_flow.flo", flow)
    source = FlowPairs(tmp_path)
    assert len(source) == 1
    assert_same_points(source.pair(0, 80, np.random.default_rng(0)))


def test_stereo_of_a_published_layout(tmp_path):
    left, right, _ = moved_picture(shift=(-8, 0))
    folder = tmp_path / "teddy"
    folder.mkdir()
    write_picture(folder / "im2.png", left)
    write_picture(folder / "im6.png", right)
    cv2.imwrite(str(folder / "disp2.png"), np.full(SIZE, 32, np.uint8))  # quarters of a px
    source = StereoPairs(tmp_path)
    pair = source.pair(0, 80, np.random.default_rng(0))
    assert_same_points(pair)
    assert np.nanmax(np.abs(pair.flow_0to1[..., 1])) == 0


@pytest.mark.parametrize("side", [64, 96, 320])
def test_rectified_windows_have_the_same_rows_and_no_negative_disparity(side):
    left, right, flow = rectified_picture(25)
    flow[::7, :, 0] -= 3  # so that one disparity is not all: those of the other rows are the least
    flow[:5] = np.nan
    corners = set()
    for seed in range(6):
        pair = crop_rectified(left, right, flow, side, np.random.default_rng(seed))
        disparity = -pair.flow_0to1[..., 0]
        assert np.nanmin(disparity) >= 0
        assert np.nanmax(disparity) - np.nanmin(disparity) == 3
        assert np.nanmax(np.abs(pair.flow_0to1[..., 1])) == 0
        y, x = np.argwhere(disparity == np.nanmin(disparity)).T
        column = (x - disparity[y, x]).astype(int)
        assert np.array_equal(pair.image0[y, x], pair.image1[y, column])
        corners.add(pair.image0.tobytes())
    assert (len(corners) == 1) == (side == 320)


def test_a_window_far_away_from_its_match_is_moved_to_it():
    """Otherwise windows that are narrower than the disparity would share nothing."""
    left, right, flow = rectified_picture(70)
    for seed in range(6):
        pair = crop_rectified(left, right, flow, 64, np.random.default_rng(seed))
        assert_same_points(pair)
        disparity = -pair.flow_0to1[..., 0]
        assert 0 <= np.nanmin(disparity) <= np.nanmax(disparity) < 64


def test_a_pair_that_is_badly_rectified(tmp_path):
    left, right, _ = moved_picture(shift=(-8, 0))
    folder = tmp_path / "teddy"
    folder.mkdir()
    write_picture(folder / "im2.png", left)
    write_picture(folder / "im6.png", right)
    cv2.imwrite(str(folder / "disp2.png"), np.full(SIZE, 32, np.uint8))
    straight = StereoPairs(tmp_path).pair(0, 80, np.random.default_rng(3))
    source = StereoPairs(tmp_path, vertical_error=2.0)
    moved = source.pair(0, 80, np.random.default_rng(3))
    down = np.unique(moved.flow_0to1[..., 1][np.isfinite(moved.flow_0to1[..., 1])])
    assert len(down) == 1 and 0.1 < abs(down[0]) <= 2
    np.testing.assert_array_equal(moved.image0, straight.image0)
    back = np.array([[1, 0, 0], [0, 1, -down[0]]], np.float32)
    undone = cv2.warpAffine(moved.image1, back, (80, 80), flags=cv2.INTER_LINEAR)
    error = cv2.absdiff(undone, straight.image1)[4:-4]
    assert error.mean() < 0.5 * cv2.absdiff(moved.image1, straight.image1)[4:-4].mean()
    with pytest.raises(OptionError, match="vertical_error"):
        StereoPairs(tmp_path, vertical_error=-1.0)
