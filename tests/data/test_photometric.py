import cv2
import numpy as np
import pytest

from corr.data.photometric import PhotometricChange, Photometry
from corr.errors import OptionError

NONE = {
    "brightness": 0.0,
    "contrast": 0.0,
    "gamma": 1.0,
    "colour": 0.0,
    "noise": 0.0,
    "blur": 0.0,
    "defocus": 0,
    "motion": 0,
    "uneven": 0.0,
    "min_jpeg_quality": 100,
    "probability": 1.0,
}


@pytest.fixture(scope="module")
def photo():
    rng = np.random.default_rng(0)
    ramp = np.add.outer(np.arange(64), np.arange(80))[..., None] + np.array([0, 30, 60])
    return np.clip(ramp + rng.integers(0, 20, (64, 80, 3)), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def grey(photo):
    return photo[..., 1]


def change(**settings):
    return PhotometricChange(Photometry(**(NONE | settings)))


def seen(changes, grey, seed):
    return changes.camera(grey, np.random.default_rng(seed)).astype(int)


def test_nothing_to_change_changes_nothing(photo, grey):
    nothing = change()
    assert np.array_equal(seen(nothing, grey, 0), grey)
    light = nothing.light(photo, np.random.default_rng(0)).astype(float)
    luma = photo @ np.array([0.299, 0.587, 0.114])
    assert np.abs(light - luma).max() <= 1


def test_same_seed_same_picture(photo, grey):
    one, other = PhotometricChange(Photometry()), PhotometricChange(Photometry())
    for seed in range(20):
        assert np.array_equal(seen(one, grey, seed), seen(other, grey, seed))
        first, second = (c.light(photo, np.random.default_rng(seed)) for c in (one, other))
        assert np.array_equal(first, second)


def test_different_seeds_differ(grey):
    changes = PhotometricChange(Photometry())
    assert len({seen(changes, grey, seed).tobytes() for seed in range(20)}) > 15


def test_the_input_stays_as_it_is(photo, grey):
    before, grey_before = photo.copy(), grey.copy()
    changes = PhotometricChange(Photometry(probability=1.0))
    changes.light(photo, np.random.default_rng(0))
    seen(changes, grey, 0)
    assert np.array_equal(photo, before)
    assert np.array_equal(grey, grey_before)


def test_brightness_shifts_and_stays_in_range():
    flat = np.full((32, 32), 128, np.uint8)
    means = [seen(change(brightness=0.2), flat, seed).mean() - 128 for seed in range(60)]
    assert -0.2 * 255 - 1 <= min(means) < -30
    assert 30 < max(means) <= 0.2 * 255 + 1


def test_contrast_stretches(grey):
    ratios = [seen(change(contrast=0.3), grey // 2, s).std() / (grey // 2).std() for s in range(40)]
    assert 0.68 <= min(ratios) < 0.8
    assert 1.2 < max(ratios) <= 1.32


def test_gamma_bends_and_keeps_black_and_white():
    ramp = np.tile(np.arange(256, dtype=np.uint8), (4, 1))
    for seed in range(10):
        bent = seen(change(gamma=1.5), ramp, seed)[0]
        assert bent[0] == 0 and bent[-1] == 255
        exponent = np.log(bent[128] / 255) / np.log(128 / 255)
        assert 1 / 1.5 - 0.02 <= exponent <= 1.52


def test_noise_is_at_most_its_deviation():
    flat = np.full((100, 100), 128, np.uint8)
    deviations = [seen(change(noise=0.05), flat, seed).std() for seed in range(40)]
    assert max(deviations) <= 0.052 * 255
    assert max(deviations) > 0.035 * 255
    assert min(deviations) < 0.015 * 255


def test_blur_is_at_most_its_sigma():
    edge = np.zeros((40, 40), np.uint8)
    edge[:, 20:] = 255
    sigmas = []
    for seed in range(40):
        slope = np.diff(seen(change(blur=2.0), edge, seed)[20]).astype(float)
        position = np.arange(39)
        mean = (slope * position).sum() / slope.sum()
        sigmas.append(np.sqrt((slope * (position - mean) ** 2).sum() / slope.sum()))
    assert max(sigmas) <= 2.05
    assert max(sigmas) > 1.5


def test_a_point_out_of_focus_is_a_disc():
    point = np.zeros((41, 41), np.uint8)
    point[20, 20] = 255
    areas = set()
    for seed in range(40):
        disc = seen(change(defocus=4), point, seed)
        y, x = np.nonzero(disc > disc.max() / 2)
        radius = np.sqrt(len(x) / np.pi)
        assert np.hypot(x - 20, y - 20).max() <= radius + 0.6  # round
        assert disc[20, 20] <= 1.2 * disc[y, x].mean()  # and as bright in its middle
        areas.add(len(x))
    assert areas == {5, 13, 29, 49}  # lattice points within 1, 2, 3, 4


def test_a_blurred_view_is_out_of_focus_or_softened_about_as_often():
    point = np.zeros((41, 41), np.uint8)
    point[20, 20] = 255
    both = change(blur=1.0, defocus=4, probability=0.8)
    lost = [seen(both, point, seed).max() / 255 for seed in range(200)]
    assert 0.1 < np.mean([part == 1 for part in lost]) < 0.5  # as it was, or a tiny sigma
    assert 0.25 < np.mean([part < 0.12 for part in lost]) < 0.55  # discs of a radius above 1


def spread(picture):
    """The middle of what is bright, and the lengths of the axes of an ellipse like it, px."""
    y, x = np.nonzero(picture)
    weights = picture[y, x]
    middle = np.array([np.average(x, weights=weights), np.average(y, weights=weights)])
    short, long = np.linalg.eigvalsh(np.cov(np.stack((x, y)), aweights=weights, ddof=0))
    return middle, np.sqrt(12 * max(short, 0)), np.sqrt(12 * long)  # those of a bar


def test_a_point_seen_while_the_camera_moves_is_a_line():
    point = np.zeros((41, 41), np.uint8)
    point[20, 20] = 255
    moving, lengths, steep = change(motion=9), [], []
    for seed in range(200):
        line = seen(moving, point, seed)
        middle, width, length = spread(line)
        assert np.abs(middle - 20).max() < 0.05  # the point itself has not moved
        assert line.sum() == pytest.approx(255, abs=5)
        assert width < 1.5
        y, x = np.nonzero(line)
        lengths.append(1 + max(np.ptp(x), np.ptp(y)))
        steep.append(np.ptp(y) > np.ptp(x))
        assert length > 2
    assert (min(lengths), max(lengths)) == (3, 9)
    assert 0.3 < np.mean(steep) < 0.7


def test_shadows_are_soft_and_darken_by_their_share():
    flat, dim = (np.full((96, 128), value, np.uint8) for value in (200, 100))
    uneven, missing, depth = change(uneven=0.4), [], []
    for seed in range(40):
        light = seen(uneven, flat, seed) / 200
        assert np.abs(seen(uneven, dim, seed) / 100 - light).max() < 0.011  # a share, not a shade
        assert light.max() <= 1
        missing.append(1 - light.min())
        depth.append(np.ptp(light))
        if depth[-1] > 0.1:
            wide = cv2.GaussianBlur(light, (0, 0), 4)[8:-8, 8:-8]
            assert wide.std() > 0.8 * light[8:-8, 8:-8].std()  # patches, not speckle
    assert max(missing) <= 0.403
    assert max(missing) > 0.3
    assert min(missing) < 0.1
    assert np.mean(depth) > 0.12  # from place to place, not all over


def test_jpeg_loses_something_but_not_much(grey):
    loss = [
        np.abs(seen(change(min_jpeg_quality=30), grey, seed) - grey).mean() for seed in range(10)
    ]
    assert 0.5 < max(loss) < 10


def test_colour_keeps_grey_pictures_grey_and_changes_others(photo):
    changes = change(colour=0.5)
    flat = np.repeat(photo[..., :1], 3, axis=2)
    plain = change().light(photo, np.random.default_rng(0)).astype(int)
    differences = []
    for seed in range(10):
        same = changes.light(flat, np.random.default_rng(seed)).astype(int)
        assert np.abs(same - flat[..., 0]).max() <= 1
        coloured = changes.light(photo, np.random.default_rng(seed)).astype(int)
        differences.append(np.abs(coloured - plain).mean())
    assert max(differences) > 1


def test_changes_happen_independently():
    """albumentations gives all the changes of a list one seed; then they come all or none."""
    flat = np.full((64, 64), 128, np.uint8)
    changes = change(brightness=0.2, noise=0.02, probability=0.5)
    happened = set()
    for seed in range(60):
        picture = seen(changes, flat, seed)
        happened.add((abs(picture.mean() - 128) > 2, picture.std() > 0.3))
    assert happened == {(False, False), (False, True), (True, False), (True, True)}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"brightness": 1.5}, r"brightness is 1.5; use a value in \[0, 1\]"),
        ({"noise": -0.1}, "noise is -0.1"),
        ({"probability": 2.0}, "probability is 2.0"),
        ({"gamma": 0.9}, "gamma is 0.9; use 1 or more"),
        ({"blur": -1.0}, "blur is -1.0"),
        ({"defocus": -1}, "defocus is -1"),
        ({"motion": -3}, "motion is -3; use an odd number from 3, or 0 for none"),
        ({"motion": 1}, "motion is 1"),
        ({"motion": 4}, "motion is 4"),
        ({"uneven": 1.2}, r"uneven is 1.2; use a value in \[0, 1\]"),
        ({"min_jpeg_quality": 0}, "min_jpeg_quality is 0; use 1 to 100"),
    ],
)
def test_refusals(settings, message):
    with pytest.raises(OptionError, match=message):
        Photometry(**settings)
