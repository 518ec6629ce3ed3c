"""A flow brought closer to what the images show, from coarse to fine."""

import cv2
import numpy as np
import pytest
import skimage.data

from corr.pipeline.flow_refinement import refine_flow

MOVE = (2.4, -1.6)
WAYS = ("variational", "lk", "lk-variational")


@pytest.fixture(scope="module")
def views():
    """A photograph, and the same moved by `MOVE`."""
    scene = cv2.GaussianBlur(skimage.data.astronaut()[:300, 100:420], (0, 0), 1.0)
    move = np.float32([[1, 0, MOVE[0]], [0, 1, MOVE[1]]])
    moved = cv2.warpAffine(scene, move, scene.shape[1::-1], flags=cv2.INTER_CUBIC)
    return [np.ascontiguousarray(view[20:-23, 20:-27]) for view in (scene, moved)]


def _start(shape, off=0.0):
    """Flow that is wrong by up to `off` px, in waves."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    waves = np.stack([np.sin(y / 40), np.cos(x / 50)], 2)
    return (waves * off + MOVE).astype(np.float32)


def _error(flow):
    return np.median(np.linalg.norm(flow[20:-20, 20:-20] - MOVE, axis=2))


@pytest.mark.parametrize("how", WAYS)
def test_coarse_levels_correct_errors_of_several_px(views, how):
    rough = _start(views[0].shape, 8.0)
    fine = refine_flow(how, *views, rough)
    coarse = refine_flow(how, *views, rough, start=8)
    assert _error(rough) > 6
    assert _error(coarse) < 0.4
    assert _error(fine) > 2


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("start", [1, 8])
def test_the_true_flow_stays(views, how, start):
    found = refine_flow(how, *views, _start(views[0].shape), start=start)
    assert found.shape == (*views[0].shape[:2], 2)
    assert found.dtype == np.float32
    assert _error(found) < 0.2


@pytest.mark.parametrize("how", WAYS)
@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (17, 33)])
def test_small_images_have_fewer_levels(how, shape):
    black = np.zeros((*shape, 3), np.uint8)
    found = refine_flow(how, black, black, np.zeros((*shape, 2), np.float32), start=64)
    assert found.shape == (*shape, 2)
    assert (found == 0).all()


def test_none_gives_it_back(views):
    flow = _start(views[0].shape, 3.0)
    assert refine_flow("none", *views, flow, start=8) is flow
