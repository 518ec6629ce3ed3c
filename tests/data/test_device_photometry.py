"""The camera on the training device does what the one in the workers does."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from corr.data.device_photometry import change_camera
from corr.data.photometric import PhotometricChange, Photometry
from corr.data.photos import Photos, find_photos

NONE = Photometry(
    brightness=0.0, contrast=0.0, gamma=1.0, colour=0.0, noise=0.0, blur=0.0, min_jpeg_quality=100,
    probability=1.0,
)  # fmt: skip


@pytest.fixture(scope="module")
def view():
    photo = Photos(find_photos()[1])[0][100:260, 100:280]
    return cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)


def changed(view, ranges, seed=0, count=1):
    views = torch.from_numpy(view).float()[None, None].expand(count, -1, -1, -1) / 255
    return change_camera(views, ranges, torch.Generator().manual_seed(seed))


def test_nothing_to_change(view):
    assert torch.equal(changed(view, NONE)[0, 0], torch.from_numpy(view).float() / 255)


def test_probability_zero_changes_nothing(view):
    ranges = replace(Photometry(), probability=0.0)
    assert torch.allclose(changed(view, ranges)[0, 0], torch.from_numpy(view).float() / 255)


def test_blur_is_opencvs(view):
    most = 0.8
    blurred = changed(view, replace(NONE, blur=most), count=8)[:, 0].numpy() * 255
    off = np.abs(blurred - view).max((1, 2))
    assert off.max() > 5
    sigmas = np.linspace(0.05, most, 200)
    by_opencv = [cv2.GaussianBlur(view.astype(np.float32), (9, 9), s) for s in sigmas]
    for found in blurred:  # each is the Gaussian of one of the sigmas within the range
        assert min(np.abs(found - expected).max() for expected in by_opencv) < 0.7


def test_discs_are_those_of_the_workers(view):
    """Each view is the picture that albumentations makes with one of the radii."""
    ranges = replace(NONE, defocus=3)
    by_worker = [
        PhotometricChange(ranges).camera(view, np.random.default_rng(seed)) for seed in range(12)
    ]
    found = changed(view, ranges, count=12)[:, 0].numpy() * 255
    nearest = [
        np.argmin([np.abs(device - worker).mean() for worker in by_worker]) for device in found
    ]
    for device, index in zip(found, nearest, strict=True):
        assert np.abs(device - by_worker[index])[4:-4, 4:-4].max() < 1.5
    assert len({by_worker[index].tobytes() for index in nearest}) == 3


def test_each_change_keeps_its_range(view):
    count = 200
    flat = np.full((32, 48), 128, np.uint8)
    bright = changed(flat, replace(NONE, brightness=0.2), count=count).mean((1, 2, 3)) - 128 / 255
    assert -0.2 <= bright.min() < -0.15
    assert 0.15 < bright.max() <= 0.2
    noise = changed(flat, replace(NONE, noise=0.05), count=count).std((1, 2, 3))
    assert 0.04 < noise.max() < 0.055
    assert noise.min() < 0.005
    grey = changed(flat, replace(NONE, gamma=2.0), count=count).mean((1, 2, 3))
    assert (128 / 255) ** 2 - 1e-5 <= grey.min() < 0.3
    assert 0.6 < grey.max() <= (128 / 255) ** 0.5 + 1e-5


def test_compression_is_opencvs(view):
    ranges = replace(NONE, min_jpeg_quality=99)
    low = changed(view, replace(NONE, min_jpeg_quality=1), seed=1, count=8) * 255
    high = changed(view, ranges, seed=1) * 255
    assert (high[0, 0] - torch.from_numpy(view).float()).abs().mean() < 2
    error = (low[:, 0] - torch.from_numpy(view).float()).abs().mean((1, 2))
    worst = cv2.imdecode(cv2.imencode(".jpg", view, [cv2.IMWRITE_JPEG_QUALITY, 5])[1], 0)
    assert 1.5 < error.max() < 1.5 * np.abs(worst.astype(float) - view).mean()


def test_same_seed_same_views_and_each_view_its_own(view):
    ranges = Photometry()
    first, again, other = (changed(view, ranges, seed=s, count=6) for s in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert len({round(float(v), 6) for v in first.mean((1, 2, 3))}) > 3


def test_the_light_of_workers_and_of_the_device_spread_alike(view):
    """Mean and contrast of many changed views have about the same quartiles."""
    ranges = Photometry()
    device = changed(view, ranges, count=300)[:, 0].numpy() * 255
    change, rng = PhotometricChange(ranges), np.random.default_rng(0)
    worker = np.stack([change.camera(view, rng) for _ in range(300)])
    for measure in (np.mean, np.std):
        found, expected = (
            np.quantile([measure(v) for v in views.astype(float)], (0.25, 0.5, 0.75))
            for views in (device, worker)
        )
        assert np.abs(found - expected).max() < 8
