import cv2
import numpy as np
import pytest
import torch

from corr.classical.sift import describe_patches_sift, detect_sift
from corr.data.cutting import cut_patches
from corr.data.patches import DetectorNoise, PatchSampler, warp_photo
from corr.data.photometric import Photometry
from corr.data.photos import Photos, find_photos
from corr.data.viewpoints import Viewpoints, map_keypoints
from corr.errors import DatasetError, OptionError
from corr.geometry import PATCH_SIGMAS

UNCHANGED = Photometry(
    brightness=0.0, contrast=0.0, gamma=1.0, colour=0.0, noise=0.0, blur=0.0, min_jpeg_quality=100
)
EXACT = DetectorNoise(0.0, 0.0, 0.0)


@pytest.fixture(scope="module")
def photos():
    return Photos(find_photos()[1])  # astronaut and chelsea


def sampler(photos, viewpoints=None, noise=EXACT, photometry=UNCHANGED):
    return PatchSampler(
        photos,
        viewpoints=viewpoints or Viewpoints(),
        photometry=photometry,
        first_photometry=UNCHANGED,
        detector_noise=noise,
    )


def correlations(batch):
    anchor, positive = (side.reshape(len(side), -1).astype(float) for side in batch[:2])
    anchor -= anchor.mean(1, keepdims=True)
    positive -= positive.mean(1, keepdims=True)
    lengths = np.linalg.norm(anchor, axis=1) * np.linalg.norm(positive, axis=1)
    return (anchor * positive).sum(1) / np.maximum(lengths, 1e-9)


def test_patches_of_a_turned_and_zoomed_view_are_the_same(photos):
    similar = Viewpoints(180.0, 0.6, 1.4, max_tilt=1.0, max_perspective=0.0)
    batch = sampler(photos, similar).batch(300, 50, np.random.default_rng(0))
    found = correlations(batch)
    assert np.median(found) > 0.99
    assert (found > 0.95).mean() > 0.95  # the rest is as small as the blur of resampling
    batch.positive[:] = np.roll(batch.positive, 1, axis=0)
    assert np.median(correlations(batch)) < 0.5


def test_patches_of_an_unchanged_view_are_equal(photos):
    same = Viewpoints(0.0, 1.0, 1.0, max_tilt=1.0, max_perspective=0.0)
    anchor, positive, *_ = sampler(photos, same).batch(100, 50, np.random.default_rng(0))
    # The view may look elsewhere by a fraction of a pixel: bilinear reading blurs a little.
    assert np.abs(anchor.astype(int) - positive).mean() < 3


def test_tilted_views_still_show_the_same(photos):
    """Exactly, in frames that are tilted with the view; a detector's are not, and show less."""
    views = sampler(photos).views(300, 10, np.random.default_rng(0))
    detected, tilted = [], []
    for part in views:
        frames0, frames1 = part.frames(PATCH_SIGMAS)
        anchor = cut_patches(part.first, frames0)
        detected.append(correlations((anchor, cut_patches(part.second, frames1))))
        frames1[:, :, :2] = part.affine_0to1 @ frames0[:, :, :2]
        tilted.append(correlations((anchor, cut_patches(part.second, frames1))))
    assert np.median(np.concatenate(tilted)) > 0.98
    assert np.median(np.concatenate(detected)) > 0.75


def test_detector_noise_moves_the_patches(photos):
    exact = correlations(sampler(photos).batch(200, 50, np.random.default_rng(0)))
    noisy = sampler(photos, noise=DetectorNoise()).batch(200, 50, np.random.default_rng(0))
    assert 0.4 < np.median(correlations(noisy)) < np.median(exact)


def test_a_view_is_warped_where_the_homography_says(photos):
    """Blobs are found again by their centre of mass, at a hundredth of a pixel."""
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:300, :400]
    for _ in range(10):
        h = Viewpoints(max_tilt=1.5).draw((300, 400), rng)
        at = np.linalg.solve(h, [*rng.uniform((100, 80), (300, 220)), 1.0])
        at = at[:2] / at[2]
        if not (15 < at[0] < 385 and 15 < at[1] < 285):
            continue
        blob = 255 * np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * 3.0**2))
        seen = warp_photo(blob.round().astype(np.uint8), h).astype(float)
        centre = np.array([(seen * x).sum(), (seen * y).sum()]) / seen.sum()
        expected, _, _ = map_keypoints(h, at[None], np.ones(1), np.zeros(1))
        assert np.abs(centre - expected[0]).max() < 0.15


def test_a_smaller_view_is_not_aliased():
    stripes = np.zeros((256, 256), np.uint8)
    stripes[:, ::2] = 255  # as fine as pixels can show: half the size has to be plain grey
    half = np.diag([0.4, 0.4, 1.0])
    seen = warp_photo(stripes, half)[10:90, 10:90].astype(float)
    assert seen.std() < 10
    assert abs(seen.mean() - 127.5) < 3


def test_keypoints_detected_in_both_views_are_the_same_points(photos):
    """What is cut in the second view is a keypoint of that view, where the homography says."""
    sample = sampler(photos, noise=None)
    assert np.median(correlations(sample.batch(200, 60, np.random.default_rng(0)))) > 0.7
    views = sample.views(200, 60, np.random.default_rng(0))
    assert len(views) >= 4
    for part in views:
        detected = detect_sift(part.second, 4096)
        mapped, scale, angle_deg = map_keypoints(part.homography_0to1, *part.placed0)
        distance = np.linalg.norm(part.placed1.points - mapped, axis=1)
        assert (distance <= np.maximum(1.5, 0.4 * scale) + 1e-3).all()
        assert np.median(distance) > 0.01  # it is where it was detected, not where it should be
        assert (np.abs(np.log2(part.placed1.scale / scale)) <= 0.5 + 1e-3).all()
        turn = (part.placed1.angle_deg - angle_deg + 180) % 360 - 180
        assert (np.abs(turn) <= 25 + 1e-3).all()
        for point in part.placed1.points:
            assert (detected.points == point).all(1).any()


def test_no_point_comes_twice(photos):
    views = sampler(photos).views(250, 40, np.random.default_rng(0))
    assert sum(map(len, views)) == 250
    places: dict[int, list[np.ndarray]] = {0: [], 1: []}
    for part in views:
        discs = np.column_stack((part.placed0.points, part.placed0.scale))
        places[part.photo].append(discs)
    for found in places.values():
        assert len(found) > 1  # several views of each photo
        discs = np.concatenate(found)
        distance = np.linalg.norm(discs[:, None, :2] - discs[None, :, :2], axis=2)
        near = np.maximum(4.0, np.minimum(discs[:, None, 2], discs[None, :, 2]))
        assert (distance >= near)[~np.eye(len(discs), dtype=bool)].all()


def test_same_numbers_same_patches(photos):
    first = PatchSampler(photos).batch(60, 20, np.random.default_rng(5))
    second = PatchSampler(photos).batch(60, 20, np.random.default_rng(5))
    other = PatchSampler(photos).batch(60, 20, np.random.default_rng(6))
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert not np.array_equal(first.anchor, other.anchor)


def test_scales_are_spread(photos):
    sample = sampler(photos)
    taken = {0: np.zeros((0, 3)), 1: np.zeros((0, 3))}
    for seed in range(4):
        sample.views_of(0, 40, np.random.default_rng(seed), taken)
    scale = taken[0][:, 2]
    assert (scale < 2).sum() > 20
    assert (scale > 4).sum() > 20


def test_fewer_points_than_asked_for(tmp_path):
    blob = np.zeros((200, 200), np.uint8)
    cv2.circle(blob, (70, 90), 4, 255, -1)
    cv2.circle(blob, (130, 100), 4, 255, -1)
    cv2.imwrite(str(tmp_path / "dots.png"), cv2.GaussianBlur(blob, (0, 0), 2))
    calm = Viewpoints(10.0, 0.9, 1.1, 1.0, 0.0)
    batch = sampler(Photos([tmp_path / "dots.png"]), calm).batch(50, 10, np.random.default_rng(0))
    assert 2 <= len(batch.anchor) < 10


def test_a_photo_without_points_is_refused(tmp_path):
    cv2.imwrite(str(tmp_path / "black.png"), np.zeros((100, 100), np.uint8))
    with pytest.raises(DatasetError, match="no keypoints to learn from in 1 photo"):
        sampler(Photos([tmp_path / "black.png"])).batch(10, 10, np.random.default_rng(0))


def test_negative_noise_is_refused():
    with pytest.raises(OptionError, match="scale of the detector noise is -1"):
        DetectorNoise(scale=-1.0)


def test_rootsift_knows_most_pairs(photos):
    anchor, positive, *_ = PatchSampler(photos).batch(300, 50, np.random.default_rng(0))
    first, second = describe_patches_sift(anchor), describe_patches_sift(positive)
    same = (first * second).sum(1)
    different = (first * np.roll(second, 150, axis=0)).sum(1)
    assert (same[:, None] > different[None]).mean() > 0.95


def test_the_number_of_threads_comes_back(photos):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        sampler(photos).batch(4, 2, np.random.default_rng(0))
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_a_pair_says_where_it_is_in_which_photo(photos):
    same = Viewpoints(0.0, 1.0, 1.0, max_tilt=1.0, max_perspective=0.0)
    batch = sampler(photos, same).batch(200, 50, np.random.default_rng(0))
    assert set(batch.images) == {0, 1}
    grey = [cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY).astype(np.float32) for photo in photos]
    there = [
        cv2.getRectSubPix(grey[image], (3, 3), tuple(map(float, point))).mean()
        for image, point in zip(batch.images, batch.points, strict=True)
    ]
    centre = batch.anchor[:, 15:17, 15:17].mean((1, 2))
    assert np.corrcoef(there, centre)[0, 1] > 0.95
    for image in (0, 1):
        points = batch.points[batch.images == image]
        apart = np.linalg.norm(points[:, None] - points, axis=2) + 9 * np.eye(len(points))
        assert apart.min() >= 4
