"""Views of photographs and the flow between them."""

import cv2
import numpy as np
import pytest

from corr.data.correspondence.dense_pair import follow, targets
from corr.data.correspondence.photo_pairs import PhotoPairs
from corr.data.photometric import Photometry
from corr.data.photos import INSTALLED_VAL, find_photos
from corr.errors import DatasetError, OptionError

SIDE = 160


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    for path in find_photos()[1]:
        (folder / path.name).write_bytes(path.read_bytes())
    assert len(list(folder.iterdir())) == len(INSTALLED_VAL)
    return folder


@pytest.fixture(scope="module")
def plain(folder):
    return PhotoPairs(folder, photometry=Photometry(probability=0.0))


def test_flow_brings_the_second_image_onto_the_first(plain):
    differences, covered = [], []
    for seed in range(12):
        pair = plain.pair(seed % len(plain), SIDE, np.random.default_rng(seed))
        target = targets(pair.flow_0to1)
        known = np.isfinite(target).all(-1)
        x, y = np.moveaxis(np.nan_to_num(target), -1, 0)
        warped = cv2.remap(pair.image1, x, y, cv2.INTER_LINEAR).astype(float)
        smooth = cv2.GaussianBlur(pair.image0, (0, 0), 1.0).astype(float)
        warped = cv2.GaussianBlur(warped, (0, 0), 1.0)
        inner = cv2.erode(known.astype(np.uint8), np.ones((7, 7))) > 0
        differences.append(np.abs(warped - smooth)[inner].mean())
        shifted = np.abs(np.roll(warped, 3, axis=1) - smooth)[inner].mean()
        assert differences[-1] < 0.6 * shifted
        covered.append(known.mean())
    assert np.mean(differences) < 5
    assert 0.3 < np.mean(covered) < 0.95


def test_a_pair_depends_on_its_random_numbers_alone(plain):
    first, again, other = (plain.pair(0, 96, np.random.default_rng(s)) for s in (3, 3, 4))
    assert np.array_equal(first.image1, again.image1)
    assert np.array_equal(first.flow_0to1, again.flow_0to1, equal_nan=True)
    assert not np.array_equal(first.image1, other.image1)


def test_targets_lie_in_the_second_image(plain):
    for seed in range(5):
        target = targets(plain.pair(0, SIDE, np.random.default_rng(seed)).flow_0to1)
        known = target[np.isfinite(target).all(-1)]
        assert known.min() >= -1e-3 and known.max() <= SIDE - 1 + 1e-3


def test_points_between_pixels_follow(plain):
    pair = plain.pair(1, SIDE, np.random.default_rng(0))
    target = targets(pair.flow_0to1)
    y, x = np.argwhere(
        np.isfinite(target[:-1, :-1]).all(-1) & np.isfinite(target[1:, 1:]).all(-1)
    ).T
    between = follow(pair.flow_0to1, np.stack((x, y), 1) + 0.5)
    mean = (target[y, x] + target[y + 1, x + 1] + target[y, x + 1] + target[y + 1, x]) / 4
    known = np.isfinite(between).all(-1)
    assert known.mean() > 0.95
    np.testing.assert_allclose(between[known], mean[known], atol=0.05)
    beyond = follow(pair.flow_0to1, np.array([[-5.0, 3.0], [2.0, SIDE + 4.0]]))
    assert np.isnan(beyond).all()


def test_light_changes_each_image(folder):
    changed = PhotoPairs(folder, photometry=Photometry(probability=1.0))
    plain = PhotoPairs(folder, photometry=Photometry(probability=0.0))
    rng = [np.random.default_rng(5) for _ in range(2)]
    one, other = changed.pair(0, 96, rng[0]), plain.pair(0, 96, rng[1])
    for side in ("image0", "image1"):
        assert np.abs(getattr(one, side).astype(int) - getattr(other, side)).mean() > 2


def test_refusals(folder, tmp_path):
    with pytest.raises(OptionError, match=r"min_zoom is 2\.0 and max_zoom 1\.0"):
        PhotoPairs(folder, min_zoom=2.0, max_zoom=1.0)
    with pytest.raises(DatasetError, match="holds no photo"):
        PhotoPairs(tmp_path)
