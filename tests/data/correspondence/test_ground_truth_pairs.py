"""Windows of published pairs: the same points, at the same places."""

import cv2
import numpy as np
import pytest
import skimage.data

from corr.data.correspondence.cropping import crop_pair
from corr.data.correspondence.dense_pair import targets
from corr.data.correspondence.ground_truth_pairs import FlowPairs, StereoPairs
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
    assert np.nanmax(np.abs(pair.flow_0to1[..., 1] - np.nanmedian(pair.flow_0to1[..., 1]))) < 1e-4
