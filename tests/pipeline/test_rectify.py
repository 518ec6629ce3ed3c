"""Rectification: what was turned is on its rows again, and calibrated depth is the true one."""

import cv2
import numpy as np
import pytest
import skimage.data

from corr.data.cameras import Camera
from corr.errors import FormatError, ImageError
from corr.formats import read_image
from corr.formats.calibration import StereoRig, read_rectified
from corr.pipeline.depth import measure_depth
from corr.pipeline.rectification_check import check_rectified
from corr.pipeline.rectify import rectify
from corr.pipeline.stereo import disparity

HEIGHT, WIDTH = 300, 400
BASELINE_M = 0.1
NORMAL, DISTANCE = np.array([0.1, 0.05, 1.0]), 1.0
K = np.array([[350.0, 0, 199.5], [0, 350.0, 149.5], [0, 0, 1]])
LENS = np.array([-0.12, 0.02, 0.001, -0.001])


def turn(x_deg: float, y_deg: float, z_deg: float) -> np.ndarray:
    return cv2.Rodrigues(np.radians([x_deg, y_deg, z_deg]))[0]


ROTATION = turn(0.8, -1.2, 1.5)
TRANSLATION = ROTATION @ np.array([-BASELINE_M, 0.004, 0.002])


def seen_by(rotation: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """A photograph on a slanted plane, as a camera with a lens sees it, at four times the grid."""
    x, y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    pixels = np.column_stack((x.ravel(), y.ravel())).astype(float)
    rays = Camera(K, LENS).rays(pixels) @ rotation
    points = centre + rays * ((DISTANCE - centre @ NORMAL) / (rays @ NORMAL))[:, None]
    texture = cv2.GaussianBlur(skimage.data.brick(), (0, 0), 0.7)
    noise = np.random.default_rng(0).integers(0, 256, (128, 128), dtype=np.uint8)
    detail = cv2.resize(noise, texture.shape[::-1], interpolation=cv2.INTER_CUBIC)
    texture = cv2.addWeighted(texture, 0.4, detail, 0.6, 0)
    place = (points[:, :2] * 300 + 256).astype(np.float32).reshape(HEIGHT, WIDTH, 2)
    view = cv2.remap(texture, place, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return np.repeat(view[..., None], 3, 2)


@pytest.fixture(scope="module")
def raw():
    return seen_by(np.eye(3), np.zeros(3)), seen_by(ROTATION, -ROTATION.T @ TRANSLATION)


def rig(**changes) -> StereoRig:
    given = {
        "intrinsics": (K, K),
        "distortion": (LENS, LENS),
        "rotation": ROTATION,
        "translation_m": TRANSLATION,
        "image_size": (HEIGHT, WIDTH),
        "source": "here",
    }
    return StereoRig(**{**given, **changes})


def test_calibrated_depth_is_the_true_one(raw, tmp_path):
    assert not check_rectified(*raw).fit
    result = rectify(*raw, rig())
    checked = check_rectified(result.left, result.right)
    assert checked.fit, checked.problems
    assert checked.median_px < 0.3
    result.save(tmp_path / "out")
    cameras = read_rectified(tmp_path / "out" / "rectification.yaml")
    length = np.linalg.norm(TRANSLATION)
    assert cameras.baseline_m == pytest.approx(length)
    left = read_image(tmp_path / "out" / "left.png")
    assert left.shape == (HEIGHT, WIDTH, 3)
    found = disparity(left, result.right, max_disparity=64)
    depth = measure_depth(found, cameras.for_image((HEIGHT, WIDTH)))
    # Back in the frame of the camera as it was, every point is on the plane.
    points = depth.points()[40:-40, 80:-40].reshape(-1, 3) @ result.matrices["R1"]
    error = np.abs(points @ NORMAL / DISTANCE - 1)
    assert np.median(error) < 0.01
    assert np.quantile(error, 0.9) < 0.03


@pytest.mark.parametrize(("degrees", "shift"), [(1.0, 0.0), (-2.0, 9.0)])
def test_from_matches(degrees, shift, tmp_path):
    left, right, _ = skimage.data.stereo_motorcycle()
    centre = (right.shape[1] / 2, right.shape[0] / 2)
    matrix = cv2.getRotationMatrix2D(centre, degrees, 1.02)
    matrix[1, 2] += shift
    broken = cv2.warpAffine(right, matrix, (right.shape[1], right.shape[0]))
    assert not check_rectified(left, broken).fit
    result = rectify(left, broken)
    checked = check_rectified(result.left, result.right)
    assert checked.fit, checked.problems
    assert checked.disparity_range[0] > 0
    assert result.left.shape == result.right.shape
    assert np.abs(np.array(result.left.shape) / left.shape - 1).max() < 0.15
    names = [path.name for path in result.save(tmp_path / "out")]
    assert names == ["left.png", "right.png", "rectification.yaml"]
    storage = cv2.FileStorage(str(tmp_path / "out" / names[2]), cv2.FILE_STORAGE_READ)
    written = storage.getNode("H2").mat()
    np.testing.assert_allclose(written, result.matrices["H2"])
    size = result.right.shape[1], result.right.shape[0]
    again = cv2.warpPerspective(broken, written, size, flags=cv2.INTER_CUBIC)
    np.testing.assert_array_equal(again, result.right)


def test_refusals(raw):
    left, right = raw
    with pytest.raises(FormatError, match="the calibration is of images of 640 x 480 pixels"):
        rectify(left, right, rig(image_size=(480, 640)))
    with pytest.raises(FormatError, match="above each other"):
        rectify(left, right, rig(translation_m=np.array([0.01, -0.1, 0])))
    with pytest.raises(FormatError, match="swap the two"):
        rectify(left, right, rig(translation_m=np.array([0.1, 0.0, 0])))
    with pytest.raises(ImageError, match="give one size"):
        rectify(left, right[1:])
    with pytest.raises(ImageError, match="only 0 points were matched"):
        rectify(left, np.full_like(right, 90))


def test_swapped_views_are_refused(raw):
    left, right, _ = skimage.data.stereo_motorcycle()
    for pair in ((right, left), raw[::-1]):
        with pytest.raises(ImageError, match="the views are swapped"):
            rectify(*pair)


def test_a_camera_that_moved_forward_is_refused():
    photo = skimage.data.coffee()
    height, width = photo.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    # Two depths, so that it is no plane: each half is zoomed about the centre by another factor.
    zoom = np.where(x < width / 2, 1.25, 1.1)[..., None]
    centre = np.array([width / 2, height / 2], np.float32)
    place = ((np.dstack((x, y)) - centre) / zoom + centre).astype(np.float32)
    forward = cv2.remap(photo, place, None, cv2.INTER_LINEAR)
    with pytest.raises(ImageError, match=r"tears the images apart|do not determine"):
        rectify(photo, forward)
