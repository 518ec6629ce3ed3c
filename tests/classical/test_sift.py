"""SIFT keypoints and descriptors, and their exchange with OpenCV."""

import cv2
import numpy as np
import pytest
from skimage import data

from corr.classical.keypoints import Keypoints, from_opencv, strongest, to_opencv
from corr.classical.sift import describe_sift, detect_sift


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return np.ascontiguousarray(data.camera()[100:400, 60:420])


def turned_bias(points: np.ndarray, points_turned: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Half the mean residual of keypoints found again in the picture turned by 180 degrees."""
    height, width = size
    back = np.array([width - 1, height - 1]) - points_turned
    distance = np.linalg.norm(points[:, None] - back[None], axis=2)
    nearest = distance.argmin(1)
    close = distance.min(1) < 1.0
    assert close.mean() > 0.8
    residual: np.ndarray = (points[close] - back[nearest[close]]).mean(0) / 2
    return residual


def test_keypoints_do_not_move_when_the_picture_is_turned(photo: np.ndarray) -> None:
    found, turned = detect_sift(photo), detect_sift(np.ascontiguousarray(photo[::-1, ::-1]))
    bias = turned_bias(found.points, turned.points, photo.shape)
    assert np.abs(bias).max() < 0.05


def test_opencv_by_default_is_a_quarter_of_a_pixel_off(photo: np.ndarray) -> None:
    """Why `enable_precise_upscale` is on; should this fail, OpenCV has changed its default."""
    method = cv2.SIFT.create(2048)
    found, turned = (
        from_opencv(method.detect(np.ascontiguousarray(picture), None))
        for picture in (photo, photo[::-1, ::-1])
    )
    bias = turned_bias(found.points, turned.points, photo.shape)
    np.testing.assert_allclose(bias, 0.25, atol=0.05)


def test_a_blob_is_found_at_its_centre_with_its_sigma() -> None:
    """The difference of Gaussians answers a Gaussian blob of sigma s most at scale s."""
    y, x = np.mgrid[:120, :160]
    blob = 200 * np.exp(-((x - 71.3) ** 2 + (y - 58.6) ** 2) / (2 * 6.0**2))
    found = detect_sift(blob.astype(np.uint8), 1)
    np.testing.assert_allclose(found.points[0], [71.3, 58.6], atol=0.1)
    assert found.scale[0] == pytest.approx(6.0, rel=0.15)


@pytest.mark.parametrize("quarter_turns", [0, 1, 2, 3])
def test_an_angle_points_from_x_towards_y(quarter_turns: int) -> None:
    """Light to the right of an edge is angle 0; turned clockwise on the screen, 90, and so on."""
    y, x = np.mgrid[:101, :101]
    picture = 100 + 60 * np.tanh((x - 50) / 6) * np.exp(-((x - 50) ** 2 + (y - 50) ** 2) / 200)
    turned = np.ascontiguousarray(np.rot90(picture, -quarter_turns)).astype(np.uint8)
    centre = Keypoints(*(np.array(v, np.float32) for v in ([[50, 50]], [4], [0], [1])))
    angles = np.array([30.0 * i for i in range(12)])
    many = Keypoints(
        np.repeat(centre.points, 12, 0),
        np.repeat(centre.scale, 12),
        angles.astype(np.float32),
        np.ones(12, np.float32),
    )
    upright = describe_sift(np.ascontiguousarray(picture.astype(np.uint8)), centre)
    similarity = describe_sift(turned, many) @ upright[0]
    assert angles[similarity.argmax()] == 90.0 * quarter_turns


def test_never_more_than_asked_for_and_best_first(photo: np.ndarray) -> None:
    for count in (1, 7, 100):
        found = detect_sift(photo, count)
        assert len(found) == count
        assert (np.diff(found.scores) <= 0).all()
    everything = detect_sift(photo, 100_000)
    np.testing.assert_array_equal(detect_sift(photo, 100).points, everything.points[:100])


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (2, 2), (7, 3), (64, 64)])
def test_black_and_tiny_pictures_hold_nothing(shape: tuple[int, int]) -> None:
    picture = np.zeros(shape, np.uint8)
    found = detect_sift(picture)
    assert found.points.shape == (0, 2)
    assert describe_sift(picture, found).shape == (0, 128)


@pytest.mark.parametrize("root", [False, True])
def test_descriptors_are_opencvs_at_unit_length(photo: np.ndarray, root: bool) -> None:
    found = detect_sift(photo, 200)
    ours = describe_sift(photo, found, root=root)
    method = cv2.SIFT.create(enable_precise_upscale=True)
    theirs = method.compute(photo, to_opencv(found, photo.shape))[1].astype(np.float64)
    if root:
        theirs = np.sqrt(theirs / theirs.sum(1, keepdims=True))
    theirs /= np.linalg.norm(theirs, axis=1, keepdims=True)
    np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_root_sift_multiplies_to_the_hellinger_kernel(photo: np.ndarray) -> None:
    found = detect_sift(photo, 2)
    plain, root = (describe_sift(photo, found, root=r).astype(np.float64) for r in (False, True))
    p, q = plain / plain.sum(1, keepdims=True)
    by_hand = sum(np.sqrt(a * b) for a, b in zip(p, q, strict=True))
    assert root[0] @ root[1] == pytest.approx(by_hand, abs=1e-5)


def test_keypoints_survive_the_way_to_opencv_and_back(photo: np.ndarray) -> None:
    found = detect_sift(photo, 300)
    again = from_opencv(to_opencv(found, photo.shape))
    for name in ("points", "scale", "angle_deg", "scores", "octave"):
        np.testing.assert_array_equal(getattr(found, name), getattr(again, name))
    assert from_opencv(()).points.shape == (0, 2)


def test_the_octave_follows_from_the_scale(photo: np.ndarray) -> None:
    """So keypoints that came without one, from a file say, get the same descriptors."""
    found = detect_sift(photo, 300)
    assert found.octave is not None
    bare = Keypoints(found.points, found.scale, found.angle_deg, found.scores)
    octaves = from_opencv(to_opencv(bare, photo.shape)).octave
    assert octaves is not None
    assert (octaves & 0xFFFF == found.octave & 0xFFFF).mean() > 0.99
    similarity = (describe_sift(photo, found) * describe_sift(photo, bare)).sum(1)
    assert np.median(similarity) > 0.9999


@pytest.mark.parametrize("scale", [1e-3, 0.5, 1e4])
def test_any_scale_can_be_described(photo: np.ndarray, scale: float) -> None:
    one = np.ones(1, np.float32)
    keypoint = Keypoints(np.array([[30, 40]], np.float32), scale * one, 0 * one, one)
    assert np.isfinite(describe_sift(photo, keypoint)).all()


def test_equal_responses_are_ordered_by_position() -> None:
    found = [cv2.KeyPoint(x, y, 5, -1, 0.5) for x, y in ((3, 9), (4, 2), (1, 9))]
    assert [k.pt for k in strongest(found, 2)] == [(4, 2), (1, 9)]
