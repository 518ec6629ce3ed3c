"""Ground truth is judged by its warp: right one passes under any light, wrong one is told how."""

import numpy as np
import pytest
from published import DISPARITY, FLOW, FRAME0, FRAME1, HEIGHT, LEAVES, LEFT, RIGHT, WIDTH, planar
from skimage import data

from corr.data.flow_pairs import read_flow
from corr.data.homographies import read_sequences
from corr.data.plausibility import disparity_fault, flow_fault, homography_fault
from corr.data.stereo_pairs import read_stereo
from corr.formats import read_image


def darker(image):
    return (255 * (image / 255) ** 1.8 * 0.5 + 10).astype(np.uint8)


def test_right_truth_passes_in_another_light():
    assert disparity_fault(LEFT, darker(RIGHT), DISPARITY, LEAVES) is None
    assert flow_fault(darker(FRAME0), FRAME1, FLOW, None) is None
    pixels, matrix = planar(4)
    homography = np.array(matrix.split(), float).reshape(3, 3)
    first = data.coffee()[60:260, 200:460]
    assert homography_fault(first, darker(pixels), homography) is None
    assert homography_fault(first, pixels, -3 * homography) is None, "its scale and sign are free"


def test_no_motion_is_not_judged():
    still = np.zeros((HEIGHT, WIDTH, 2), np.float32)
    noisy = np.clip(FRAME1 + np.random.default_rng(0).normal(0, 3, FRAME1.shape), 0, 255)
    assert flow_fault(FRAME1, noisy.astype(np.uint8), still, None) is None
    assert homography_fault(FRAME1, darker(FRAME1), np.eye(3)) is None


@pytest.mark.parametrize("factor", [1 / 256, 1 / 16, 1 / 4, 1 / 2, 2 / 3, 3 / 2, 2, 4, 8])
def test_every_factor_is_told(factor):
    said = disparity_fault(LEFT, RIGHT, np.float32(factor) * DISPARITY, LEAVES)
    times = f"{factor:.3g} times too large" if factor > 1 else f"{1 / factor:.3g} times too small"
    assert times in said


def test_truth_of_another_scene():
    other = np.random.default_rng(0).uniform(-9, 9, (HEIGHT // 8, WIDTH // 8, 2))
    other = other.repeat(8, 0).repeat(8, 1).astype(np.float32)
    assert "a warp by it leaves a photometric error of" in flow_fault(FRAME0, FRAME1, other, None)


def test_occluded_pixels_do_not_count():
    wrong = np.where(np.arange(WIDTH)[None, :, None] < 60, -4 * FLOW, FLOW)
    hidden = np.broadcast_to(np.arange(WIDTH) < 60, (HEIGHT, WIDTH))
    assert flow_fault(FRAME0, FRAME1, wrong, hidden) is None
    assert flow_fault(FRAME0, FRAME1, -FLOW, hidden) is not None


def test_negative_disparity():
    said = disparity_fault(LEFT, RIGHT, -DISPARITY, None)
    assert said == "is below 0 at 100 % of its pixels: its sign is turned"


def test_homographies_of_resized_images():
    pixels, matrix = planar(4)
    homography = np.array(matrix.split(), float).reshape(3, 3)
    first = data.coffee()[60:260, 200:460]
    half = np.diag([0.5, 0.5, 1])
    of_half = half @ homography @ np.linalg.inv(half)
    assert "of images of half the size" in homography_fault(first, pixels, of_half)
    away = np.array([[1, 0, 1e4], [0, 1, 0], [0, 0, 1.0]])
    assert "out of the second" in homography_fault(first, pixels, away)


@pytest.mark.slow
def test_common_mistakes_in_real_sets_are_found(shared_data):
    for name in ("middlebury-stereo", "kitti-2012"):
        for pair in read_stereo(shared_data / name):
            left, right, truth = read_image(pair.left), read_image(pair.right), pair.truth()
            disparity, occluded = truth.disparity, truth.occluded
            assert "are swapped" in disparity_fault(right, left, disparity, None)
            assert "sign is turned" in disparity_fault(left, right, -disparity, None)
            for factor in (1 / 256, 1 / 2, 2, 4):
                wrong = np.float32(factor) * disparity
                assert " times too " in disparity_fault(left, right, wrong, occluded)
    for name in ("middlebury-flow", "kitti-2012", "sintel", "flying-chairs"):
        for pair in read_flow(shared_data / name):
            first, second, truth = read_image(pair.image0), read_image(pair.image1), pair.truth()
            assert "are swapped" in flow_fault(second, first, truth.flow, None)
            assert "sign is turned" in flow_fault(first, second, -truth.flow, truth.occluded)
            exchanged = truth.flow[..., ::-1].copy()
            assert "exchanged" in flow_fault(first, second, exchanged, truth.occluded)
            for factor in (1 / 20, 1 / 2, 2):
                wrong = np.float32(factor) * truth.flow
                assert " times too " in flow_fault(first, second, wrong, truth.occluded)
    for pair in read_sequences(shared_data / "oxford-affine"):
        first, second = read_image(pair.path0), read_image(pair.path1)
        assert "are swapped" in homography_fault(second, first, pair.homography_0to1)
