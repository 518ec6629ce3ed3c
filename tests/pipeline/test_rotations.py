"""Quarter turns of an image, and its features turned back."""

import numpy as np
import pytest
import skimage.data

import corr
from corr.data.threads import one_thread
from corr.pipeline.rotations import QUARTERS, turn_back, turn_image


def turn_points(points, size, quarters):
    """Where points of an image of `size` (height, width) are after `turn_image`."""
    for _ in range(quarters % 4):
        points = np.stack((points[:, 1], size[1] - 1 - points[:, 0]), axis=1)
        size = size[::-1]
    return points


@pytest.fixture(scope="module")
def image():
    return skimage.data.coffee()[40:300, 60:400]


@pytest.mark.parametrize("quarters", QUARTERS)
def test_points_turn_with_their_pixels(image, quarters):
    rng = np.random.default_rng(0)
    points = np.stack(
        (rng.integers(image.shape[1], size=50), rng.integers(image.shape[0], size=50)), 1
    )
    turned = turn_image(image, quarters)
    x, y = turn_points(points.astype(float), image.shape[:2], quarters).T.astype(int)
    assert np.array_equal(turned[y, x], image[points[:, 1], points[:, 0]])


@pytest.mark.parametrize("quarters", QUARTERS)
def test_features_come_back(image, quarters):
    """SIFT finds the same keypoints in a turned image, along the same gradients."""
    plain = corr.extract(image, model="sift", max_keypoints=300)
    back = turn_back(
        corr.extract(turn_image(image, quarters), model="sift", max_keypoints=300), quarters
    )
    assert back.image_size == plain.image_size
    away = np.linalg.norm(plain.keypoints[:, None] - back.keypoints[None], axis=2)
    turn = np.abs((plain.angle_deg[:, None] - back.angle_deg[None] + 180) % 360 - 180)
    same = (away < 0.5) & (turn < 5)
    assert same.any(1).mean() > 0.8


def upright_sift(image, max_keypoints):
    """SIFT that does not turn: what a network that sees upright images is like."""
    found = corr.extract(image, model="sift", max_keypoints=max_keypoints)
    return corr.extract(image, model="sift", keypoints=found.keypoints)


@pytest.mark.parametrize("quarters", QUARTERS)
def test_matching_tries_all_turns(image, quarters, monkeypatch):
    monkeypatch.setattr(
        "corr.pipeline.matching.extract",
        lambda image, *, max_keypoints, **_: upright_sift(image, max_keypoints),
    )
    turned = turn_image(image, quarters)
    found = corr.match(image, turned, rotations="auto", max_keypoints=200)
    assert found.image_size1 == turned.shape[:2]
    expected = turn_points(found.keypoints0, image.shape[:2], quarters)
    near = np.linalg.norm(found.keypoints1 - expected, axis=1) < 1
    assert near.sum() > 100 and near.mean() > 0.9
    few = corr.match(image, turned, rotations="few", max_keypoints=200)
    assert np.array_equal(few.keypoints1, found.keypoints1)
    if quarters:
        plain = corr.match(image, turned, max_keypoints=200)
        assert len(plain) < 0.3 * len(found)


def test_refusals(image):
    with pytest.raises(corr.errors.OptionError, match="rotations is 'all'; use none, few, auto"):
        corr.match(image, image, rotations="all")
    features = corr.extract(image, max_keypoints=20)
    with pytest.raises(corr.errors.OptionError, match="give image 1 itself"):
        corr.match(image, features, rotations="auto")


def test_few_looks_again_only_where_it_has_to(image, monkeypatch):
    described = []

    def counting(image, **options):
        described.append(image.shape)
        return corr.extract(image, model="sift", max_keypoints=options["max_keypoints"])

    monkeypatch.setattr("corr.pipeline.matching.extract", counting)
    corr.match(image, image, rotations="few", max_keypoints=200)
    assert len(described) == 2
    corr.match(image, np.zeros_like(image), rotations="few", max_keypoints=200)
    assert len(described) == 7


def test_the_shipped_network_finds_a_turned_image_by_itself(image):
    """And features, which cannot be turned, are matched as they are."""
    turned = turn_image(image, 1)
    found = corr.match(image, turned, model="ucn")
    expected = turn_points(found.keypoints0, image.shape[:2], 1)
    assert (np.linalg.norm(found.keypoints1 - expected, axis=1) < 1).sum() > 100
    with one_thread():  # bfloat16 rounds otherwise where threads share the work otherwise
        plain = corr.match(image, turned, model="ucn", rotations="none")
        features = corr.extract(turned, model="ucn")
        given = corr.match(image, features, model="ucn")
    assert len(plain) < 0.3 * len(found)
    assert np.array_equal(given.keypoints1, plain.keypoints1)
