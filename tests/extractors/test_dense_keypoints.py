"""Keypoints and descriptors of one pass of a dense network."""

import numpy as np
import pytest
import skimage.data
import torch

import corr
from corr.models import UniversalCorrespondenceNetwork


@pytest.fixture(scope="module")
def image():
    return skimage.data.coffee()[40:203, 60:301]  # odd sizes


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    built = UniversalCorrespondenceNetwork().train()
    with torch.no_grad():
        for _ in range(3):
            built(torch.rand(2, 3, 64, 64))
    return built.eval()


def test_its_own_keypoints_best_first(image, network):
    found = corr.extract(image, model=network, max_keypoints=100)
    assert len(found) == 100
    assert (np.diff(found.scores) <= 0).all()
    assert found.image_size == image.shape[:2]
    x, y = found.keypoints.T
    assert (x >= 0).all() and (x <= image.shape[1] - 1).all()
    assert (y >= 0).all() and (y <= image.shape[0] - 1).all()
    np.testing.assert_allclose(np.linalg.norm(found.descriptors, axis=1), 1, atol=1e-5)


def test_given_points_are_described_as_its_own(image, network):
    own = corr.extract(image, model=network, max_keypoints=40)
    again = corr.extract(image, model=network, keypoints=own.keypoints[::-1].copy())
    np.testing.assert_allclose(again.descriptors, own.descriptors[::-1], atol=1e-5)


def test_an_image_matches_itself(image, network):
    found = corr.match(image, image, model=network, max_keypoints=100, ratio=1.0)
    assert len(found) == 100
    assert np.array_equal(found.keypoints0, found.keypoints1)


def test_a_network_without_keypoints_takes_those_of_sift(image):
    bare = UniversalCorrespondenceNetwork(keypoints=False).eval()
    found = corr.extract(image, model=bare, max_keypoints=60)
    sift = corr.extract(image, model="sift", max_keypoints=400)
    away = np.linalg.norm(found.keypoints[:, None] - sift.keypoints[None], axis=2).min(1)
    assert len(found) > 30 and away.max() < 1e-3
