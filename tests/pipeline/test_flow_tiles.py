from itertools import pairwise

import cv2
import numpy as np
import pytest
import torch
from bounded_flow import REACH, BoundedFlow

import corr
from corr.errors import OptionError
from corr.formats import to_tensor
from corr.pipeline.flow_tiles import MAX_PIXELS, _starts, flow_in_tiles

SMALL = 96 * 96


def _texture(height, width, seed=0):
    noise = np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 1.5)


@pytest.fixture(scope="module")
def moved():
    """A background that moves by (2, -1), and a square on it that moves by (-1, 1)."""
    scene, square = _texture(190, 260), _texture(40, 50, 1)
    views = []
    for dx, dy, left, top in ((0, 0, 110, 60), (2, -1, 109, 61)):
        view = scene[20 - dy : 160 - dy, 20 - dx : 240 - dx].copy()
        view[top : top + 40, left : left + 50] = square
        views.append(to_tensor(np.ascontiguousarray(view)))
    return views


def test_tiles_of_a_bounded_network_are_the_whole_image(moved):
    network = BoundedFlow()
    whole = network.both(*moved)
    network.largest = 0
    tiled = flow_in_tiles(network, *moved, max_pixels=SMALL)
    assert network.largest <= SMALL
    for direction in (0, 1):
        sign = 1 - 2 * direction
        true = torch.zeros(140, 220, dtype=torch.bool)
        for motion in ((2, -1), (-1, 1)):
            expected = sign * torch.tensor(motion).view(2, 1, 1)
            true |= (whole[direction][0] == expected).all(0)
        # What is hidden has any flow, and at the border of the image a moved tile sees beyond it.
        assert true.float().mean() > 0.9
        same = (whole[direction] - tiled[direction]).abs().amax(1)[0] < 1e-3
        assert same[8:-8, 8:-8][true[8:-8, 8:-8]].float().mean() > 0.998
    assert flow_in_tiles(network, *moved, both=False, max_pixels=SMALL)[1] is None
    one_way = flow_in_tiles(network, *moved, both=False, max_pixels=SMALL)[0]
    torch.testing.assert_close(one_way, tiled[0])


def test_tiles_without_motion_are_exact():
    view = to_tensor(_texture(100, 200))
    flows = flow_in_tiles(BoundedFlow(), view, view, max_pixels=SMALL)
    assert all((flow == 0).all() for flow in flows)


def test_motions_longer_than_the_reach_are_found_by_the_first_pass():
    scene = cv2.GaussianBlur(_texture(260, 320), (0, 0), 4.0)
    scene = cv2.normalize(scene, None, 0, 255, cv2.NORM_MINMAX)
    parts = scene[40:220, 40:280], scene[30:210, 32:272]
    views = [to_tensor(np.ascontiguousarray(part)) for part in parts]
    truth = torch.tensor([8.0, 10.0])
    assert truth.max() > REACH
    direct = BoundedFlow().flow(*views)[0, :, 40:-40, 40:-40].flatten(1)
    assert ((direct - truth[:, None]).norm(dim=0) < 0.5).float().mean() < 0.05
    tiled, back = flow_in_tiles(BoundedFlow(), *views, max_pixels=SMALL)
    for flow, sign in ((tiled, 1), (back, -1)):
        middle = flow[0, :, 40:-40, 40:-40].flatten(1)
        assert ((middle - sign * truth[:, None]).norm(dim=0) < 0.5).float().mean() > 0.9


def test_tiles_cover_and_overlap():
    for size, side, overlap, step in (
        (2160, 1408, 320, 64),
        (3840, 1408, 320, 64),
        (301, 128, 64, 4),
    ):
        starts = _starts(size, side, overlap, step)
        assert starts[0] == 0
        assert all(start % step == 0 for start in starts)
        assert starts[-1] < size <= starts[-1] + side
        assert all(b - a <= side - overlap for a, b in pairwise(starts))
    assert _starts(100, 128, 64, 4) == [0]


def test_4k_is_given_to_the_network_in_parts():
    class Still(BoundedFlow):
        multiple = 64

        def forward(self, images0, images1):
            height, width = images0.shape[-2:]
            self.largest = max(self.largest, height * width)
            return [images0.new_zeros(len(images0), 2, -(-height // 64) * 16, -(-width // 64) * 16)]

    view = np.zeros((2160, 3840, 3), np.uint8)
    network = Still()
    found = corr.flow(view, view, model=network, both=False)
    assert network.largest <= MAX_PIXELS
    assert found.flow.shape == (2160, 3840, 2)
    assert (found.flow == 0).all()
    assert not found.occluded.any()


def test_too_small_a_part_is_refused(moved):
    with pytest.raises(OptionError, match=r"max_pixels is 100; use 256 or more"):
        flow_in_tiles(BoundedFlow(), *moved, max_pixels=100)
