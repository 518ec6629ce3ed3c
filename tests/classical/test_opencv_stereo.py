import numpy as np
import pytest
from skimage import data

from corr.classical.stereo import bm, sgbm
from corr.metrics import bad_pixel_rate


def _shifted_pair(shift, shape=(60, 120)):
    rng = np.random.default_rng(0)
    scene = rng.integers(0, 256, (shape[0], shape[1] + shift)).astype(np.uint8)
    return scene[:, : shape[1]], scene[:, shift:]


@pytest.mark.parametrize("method", [sgbm, bm])
def test_a_known_shift_is_found(method):
    left, right = _shifted_pair(9)
    disparity, valid = method(left, right, 20)
    assert disparity.shape == left.shape
    assert disparity.dtype == np.float32
    np.testing.assert_allclose(disparity[10:-10, 20:-10], 9, atol=0.1)
    assert valid[10:-10, 20:-10].mean() > 0.95


@pytest.mark.parametrize("method", [sgbm, bm])
@pytest.mark.parametrize("shape", [(1, 1), (3, 40), (40, 3), (30, 30)])
def test_small_and_black_images_give_a_full_map(method, shape):
    black = np.zeros(shape, np.uint8)
    disparity, _ = method(black, black, 50)
    assert disparity.shape == shape
    assert np.isfinite(disparity).all()


def test_nothing_beyond_the_range_is_matched():
    left, right = _shifted_pair(14)
    disparity, valid = sgbm(left, right, 10)  # OpenCV searches 16
    assert (disparity[valid] <= 9).all()


def test_sgbm_is_as_strong_as_measured_on_the_motorcycle():
    left, right, truth = data.stereo_motorcycle()
    grey = [np.dot(view, [0.299, 0.587, 0.114]).round().astype(np.uint8) for view in (left, right)]
    disparity, valid = sgbm(*grey, 64)
    assert 0.07 < bad_pixel_rate(disparity, truth, 2.0) < 0.08
    holes = bad_pixel_rate(np.where(valid, disparity, np.nan), truth, 2.0)
    assert holes > 0.10


@pytest.mark.parametrize(("scene", "expected"), [("teddy", 0.091), ("Reindeer", 0.077)])
def test_sgbm_reproduces_the_reference_figures(shared_data, scene, expected):
    import cv2

    names = {
        "teddy": ("im2.png", "im6.png", "disp2.png", 4),
        "Reindeer": ("view1.png", "view5.png", "disp1.png", 2),
    }
    left, right, truth, scale = names[scene]
    folder = shared_data / "middlebury-stereo" / scene
    grey = [cv2.imread(str(folder / name), cv2.IMREAD_GRAYSCALE) for name in (left, right)]
    known = cv2.imread(str(folder / truth), cv2.IMREAD_GRAYSCALE).astype(np.float32) / scale
    known[known == 0] = np.inf
    disparity, _ = sgbm(*grey, 64 if scene == "teddy" else 112)
    assert bad_pixel_rate(disparity, known, 2.0) == pytest.approx(expected, abs=0.003)
