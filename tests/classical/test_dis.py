import cv2
import numpy as np
import pytest

from corr.classical.flow import dis
from corr.formats import read_flow
from corr.metrics import endpoint_error


def _texture(shape, seed=0):
    noise = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 2.0).astype(np.uint8)


@pytest.mark.parametrize("finest_scale", [0, 1])
def test_a_known_shift_is_found(finest_scale):
    scene = _texture((140, 180))
    image0, image1 = scene[10:110, 10:150], scene[7:107, 15:155]  # p in image 0 is p + (-5, 3)
    flow = dis(image0, image1, finest_scale=finest_scale)
    assert flow.shape == (100, 140, 2)
    np.testing.assert_allclose(np.median(flow, (0, 1)), [-5, 3], atol=0.05)
    assert np.linalg.norm(flow[20:-20, 20:-20] - [-5, 3], axis=2).mean() < 0.1


@pytest.mark.parametrize("shape", [(1, 1), (2, 50), (50, 3), (12, 12)])
def test_images_too_small_for_opencv_have_a_flow(shape):
    image = _texture(shape)
    flow = dis(image, image)
    assert flow.shape == (*shape, 2)
    np.testing.assert_allclose(flow, 0, atol=1e-3)


@pytest.mark.parametrize(("finest_scale", "expected"), [(1, 0.23), (0, 0.12)])
def test_rubber_whale_has_the_reference_error(shared_data, finest_scale, expected):
    root = shared_data / "middlebury-flow"
    views = [
        cv2.imread(str(root / f"other-data/RubberWhale/frame{k}.png"), cv2.IMREAD_GRAYSCALE)
        for k in (10, 11)
    ]
    truth = read_flow(root / "other-gt-flow/RubberWhale/flow10.flo")
    error = endpoint_error(dis(*views, finest_scale=finest_scale), truth)
    assert error == pytest.approx(expected, abs=0.01)
