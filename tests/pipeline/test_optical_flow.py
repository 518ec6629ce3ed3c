import cv2
import numpy as np
import pytest

from corr.errors import ImageError, ModelError
from corr.pipeline.flow_check import round_trip_confidence
from corr.pipeline.optical_flow import flow


def _texture(shape, seed=0):
    noise = np.random.default_rng(seed).integers(0, 256, shape).astype(np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 2.0)


def test_a_moving_square_hides_what_is_in_front_of_it():
    image0, square = _texture((100, 140)), _texture((40, 40), 1)
    image1 = image0.copy()
    image0[30:70, 40:80] = square
    image1[30:70, 48:88] = square
    found = flow(image0, image1)
    assert found.flow.dtype == np.float32
    np.testing.assert_allclose(np.median(found.flow[35:65, 45:75], (0, 1)), [8, 0], atol=0.1)
    np.testing.assert_allclose(found.flow[:20].mean((0, 1)), 0, atol=0.1)
    assert found.occluded[32:68, 82:86].mean() > 0.7  # covered in image 1
    assert found.occluded[35:65, 45:75].mean() < 0.1
    np.testing.assert_array_equal(found.occluded, found.confidence == 0)
    assert found.confidence.min() >= 0
    assert found.confidence.max() <= 1


def test_round_trip_confidence_by_hand():
    there = np.zeros((2, 6, 2), np.float32)
    there[..., 0] = 2
    back = np.zeros_like(there)
    back[..., 0] = -2
    back[1, 2, 0] = -1.5
    confidence = round_trip_confidence(there, back)
    assert confidence[0].tolist() == [1, 1, 1, 1, 0, 0]  # the last two leave image 1
    squared = 0.01 * (2**2 + 1.5**2) + 0.5
    assert confidence[1, 0] == pytest.approx(1 - 0.25 / squared, rel=1e-5)
    back[0, 3, 0] = 0
    assert round_trip_confidence(there, back)[0, 1] == 0


def test_a_target_on_the_border_is_inside():
    there = np.zeros((1, 3, 2), np.float32)
    there[0, 2, 0] = 0.5
    back = np.full_like(there, -0.5)
    back[..., 1] = 0
    assert round_trip_confidence(there, back)[0, 2] == 1
    there[0, 2, 0] = 0.51
    assert round_trip_confidence(there, back)[0, 2] == 0


@pytest.mark.parametrize("shape", [(1, 1), (5, 40)])
def test_tiny_and_black_images_do_not_move(shape):
    black = np.zeros(shape, np.uint8)
    found = flow(black, black)
    assert found.flow.shape == (*shape, 2)
    assert (found.flow == 0).all()
    assert not found.occluded.any()


def test_refusals():
    image = _texture((20, 30))
    with pytest.raises(ImageError, match="image 0 is 30 x 20 and image 1 29 x 20 pixels"):
        flow(image, image[:, :29])
    with pytest.raises(ModelError, match="model 'raft' is not known; use one of dis"):
        flow(image, image, model="raft")
    with pytest.raises(ModelError, match=r"census.* not flow"):
        flow(image, image, model="census")
