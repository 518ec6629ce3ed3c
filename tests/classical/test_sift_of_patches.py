import cv2
import numpy as np
import pytest
import torch

from corr.classical.sift import describe_patches_sift, describe_sift, detect_sift
from corr.data.photos import Photos, find_photos
from corr.geometry import extract_patches, patch_frames


@pytest.fixture(scope="module")
def described():
    """SIFT keypoints of a photograph: described in it, and from their patches alone."""
    grey = cv2.cvtColor(Photos(find_photos()[1])[0], cv2.COLOR_RGB2GRAY)
    keypoints = detect_sift(grey, 150)
    frames = patch_frames(
        torch.from_numpy(keypoints.points),
        torch.from_numpy(keypoints.scale),
        torch.from_numpy(keypoints.angle_deg),
    )
    patches = extract_patches(torch.from_numpy(grey).float()[None, None], frames)
    patches = patches[:, 0].round().byte().numpy()
    return describe_sift(grey, keypoints, root=True), describe_patches_sift(patches), patches


def test_a_patch_is_described_as_its_keypoint_in_the_image(described):
    in_image, from_patch, _ = described
    similarity = in_image @ from_patch.T
    assert np.median(similarity.diagonal()) > 0.9
    assert (similarity.argmax(axis=1) == np.arange(len(similarity))).mean() > 0.9


def test_descriptors_have_unit_length(described):
    _, from_patch, patches = described
    assert from_patch.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(from_patch, axis=1), 1, atol=1e-5)
    plain = describe_patches_sift(patches, root=False)
    np.testing.assert_allclose(np.linalg.norm(plain, axis=1), 1, atol=1e-5)
    root = np.sqrt(plain / plain.sum(1, keepdims=True))
    np.testing.assert_allclose(root, from_patch, atol=1e-5)


def test_a_turned_patch_is_described_differently(described):
    _, from_patch, patches = described
    turned = describe_patches_sift(np.ascontiguousarray(np.rot90(patches, axes=(1, 2))))
    assert np.median((turned * from_patch).sum(1)) < 0.8


def test_a_flat_patch_is_zero_and_none_give_none():
    assert not describe_patches_sift(np.full((2, 32, 32), 90, np.uint8)).any()
    assert describe_patches_sift(np.zeros((0, 32, 32), np.uint8)).shape == (0, 128)
