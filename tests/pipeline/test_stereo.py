import warnings
from itertools import pairwise

import cv2
import numpy as np
import pytest
import torch
from skimage import data

import corr
from corr.errors import ImageError, ModelError, OptionError
from corr.extractors.dense_tiles import describe_cells
from corr.formats import to_tensor
from corr.metrics import bad_pixel_rate, reliability
from corr.models import HardNet, StereoDescriptor, UniversalCorrespondenceNetwork
from corr.pipeline import stereo
from corr.pipeline.stereo import disparity
from corr.pipeline.stereo_features import feature_rows
from corr.volume import strips
from corr.volume.disparity_range import estimate_max_disparity
from corr.volume.sgm import FLOAT_LEVELS


def _two_planes(near=12, far=4, shape=(80, 160)):
    """A near square before a far plane: left, right, and the left view's disparity."""
    rng = np.random.default_rng(0)
    height, width = shape
    plane = rng.integers(0, 256, (height, width + far)).astype(np.uint8)
    square = rng.integers(0, 256, (40, 50)).astype(np.uint8)
    left, right = plane[:, :width].copy(), plane[:, far:].copy()
    left[20:60, 60:110] = square
    right[20:60, 60 - near : 110 - near] = square
    truth = np.full(shape, float(far), np.float32)
    truth[20:60, 60:110] = near
    return left, right, truth


def test_two_planes_and_what_lies_behind_are_found():
    left, right, truth = _two_planes()
    found = disparity(left, right, max_disparity=24)
    assert found.disparity.dtype == np.float32
    assert bad_pixel_rate(found.disparity, truth, 0.5) < 0.02
    hidden = (slice(22, 58), slice(53, 59))  # seen only in the left view: the far plane, filled
    assert (found.confidence[hidden] == 0).mean() > 0.9
    np.testing.assert_allclose(np.median(found.disparity[hidden]), 4, atol=0.1)
    assert found.confidence.min() >= 0
    assert found.confidence.max() <= 1


def test_unfilled_pixels_are_missing_and_the_others_equal():
    left, right, _ = _two_planes()
    full = disparity(left, right, max_disparity=24)
    holes = disparity(left, right, max_disparity=24, fill=False)
    missing = np.isnan(holes.disparity)
    np.testing.assert_array_equal(missing, full.confidence == 0)
    np.testing.assert_array_equal(holes.disparity[~missing], full.disparity[~missing])
    assert missing[:, :3].all()  # x < 4 leaves the right image
    assert 0 < missing.mean() < 0.2


def test_every_form_of_image_gives_the_same_map():
    left, right, _ = _two_planes()
    expected = disparity(left, right, max_disparity=16).disparity
    colour = [np.repeat(view[..., None], 3, 2) for view in (left, right)]
    tensors = [torch.from_numpy(view).permute(2, 0, 1) / 255 for view in colour]
    for pair in (colour, tensors):
        np.testing.assert_array_equal(disparity(*pair, max_disparity=16).disparity, expected)


def test_census_beats_sgbm_on_the_motorcycle():
    left, right, truth = data.stereo_motorcycle()
    ours = disparity(left, right, max_disparity=64)
    assert bad_pixel_rate(ours.disparity, truth, 2.0) < 0.065
    theirs = disparity(left, right, max_disparity=64, model="sgbm")
    assert bad_pixel_rate(theirs.disparity, truth, 2.0) == pytest.approx(0.077, abs=0.003)
    assert bad_pixel_rate(disparity(left, right, max_disparity=64, model="bm").disparity, truth) > (
        bad_pixel_rate(theirs.disparity, truth)
    )


def test_confidence_tells_right_pixels_from_wrong_ones():
    left, right, truth = data.stereo_motorcycle()
    found = disparity(left, right, max_disparity=64)
    known = np.isfinite(truth)
    wrong = np.abs(found.disparity - truth) > 2
    matched = known & (found.confidence > 0)
    order = np.argsort(found.confidence[matched], kind="stable")
    fifths = [wrong[matched][part].mean() for part in np.array_split(order, 5)]
    assert all(more > 1.5 * less for more, less in pairwise(fifths))
    assert fifths[-1] < 0.005
    assert wrong[known & (found.confidence == 0)].mean() > fifths[0]


def test_confidence_is_how_often_a_matched_pixel_is_right():
    left, right, truth = data.stereo_motorcycle()
    found = disparity(left, right, max_disparity=64)
    matched = np.isfinite(truth) & (found.confidence > 0)
    is_right = np.abs(found.disparity - truth)[matched] <= 1
    assert reliability(is_right, found.confidence[matched]).error < 0.04
    unsure = found.confidence[matched] < 0.8
    assert 0.02 < unsure.mean() < 0.5
    expected = found.confidence[matched][unsure].mean()
    assert is_right[unsure].mean() == pytest.approx(expected, abs=0.12)


def test_the_range_is_estimated_when_not_given():
    left, right, truth = data.stereo_motorcycle()
    highest = truth[np.isfinite(truth)].max()
    grey = [view[..., 1].copy() for view in (left, right)]
    estimate, swapped = estimate_max_disparity(*grey)
    assert highest + 1 <= estimate <= 1.5 * highest
    assert not swapped
    found = disparity(left, right)
    assert bad_pixel_rate(found.disparity, truth, 2.0) < 0.07


def test_swapped_views_bring_a_warning():
    left, right, _ = data.stereo_motorcycle()
    for given in (None, 64):
        with pytest.warns(UserWarning, match="left and right seem to be swapped"):
            found = disparity(right, left, max_disparity=given)
        assert (found.confidence > 0).mean() < 0.4


@pytest.mark.parametrize("level", [0, 128, 255])
@pytest.mark.parametrize("dark", ["left", "right"])
def test_a_view_without_content_has_no_confident_pixel(dark, level):
    left, right, _ = _two_planes()
    views = {"left": left, "right": right, dark: np.full_like(left, level)}
    for given in (None, 24):
        found = disparity(views["left"], views["right"], max_disparity=given)
        assert (found.confidence == 0).all()
        holes = disparity(views["left"], views["right"], max_disparity=given, fill=False)
        assert np.isnan(holes.disparity).all()


def test_unrelated_views_have_few_confident_pixels():
    left, _, _ = data.stereo_motorcycle()
    noise = np.random.default_rng(0).integers(0, 256, left.shape).astype(np.uint8)
    found = disparity(left, noise, max_disparity=64)
    assert np.mean(found.confidence > 0.1) < 0.02


def test_one_row_is_enough_for_a_plain_shift():
    row = np.random.default_rng(0).integers(0, 256, (1, 205)).astype(np.uint8)
    found = disparity(row[:, :200].copy(), row[:, 5:].copy(), max_disparity=16)
    assert np.median(found.disparity) == pytest.approx(5, abs=0.3)


def test_a_large_image_is_solved_in_strips(monkeypatch):
    left, right, truth = data.stereo_motorcycle()
    whole = disparity(left, right, max_disparity=64)
    monkeypatch.setattr(strips, "STRIP_SCORES", 200 * left.shape[1] * 64)
    found = disparity(left, right, max_disparity=64)
    assert np.mean(np.abs(found.disparity - whole.disparity) > 1) < 0.01
    assert bad_pixel_rate(found.disparity, truth, 2.0) < 0.065


def test_a_vertical_offset_makes_no_confident_wrong_map():
    left, right, truth = data.stereo_motorcycle()
    found = disparity(left, np.roll(right, 8, axis=0), max_disparity=64)
    straight = disparity(left, right, max_disparity=64)
    assert found.confidence.mean() < 0.6 * straight.confidence.mean()
    known = np.isfinite(truth)
    wrong = known & (np.abs(found.disparity - truth) > 4)
    assert (wrong & (found.confidence > 0.95)).sum() < 0.02 * known.sum()


def test_two_equal_images_are_not_called_swapped():
    left, _, _ = _two_planes()
    found = disparity(left, left)
    np.testing.assert_allclose(found.disparity, 0, atol=0.01)


@pytest.mark.parametrize("scene", ["tsukuba", "teddy", "Reindeer"])
def test_the_estimated_range_holds_the_truth(shared_data, scene):

    left, right, truth, scale = {
        "tsukuba": ("im3.png", "im4.png", "disp3.pgm", 16),
        "teddy": ("im2.png", "im6.png", "disp2.png", 4),
        "Reindeer": ("view1.png", "view5.png", "disp1.png", 2),
    }[scene]
    folder = shared_data / "middlebury-stereo" / scene
    grey = [cv2.imread(str(folder / name), cv2.IMREAD_GRAYSCALE) for name in (left, right)]
    known = cv2.imread(str(folder / truth), cv2.IMREAD_GRAYSCALE) / scale
    estimate, swapped = estimate_max_disparity(*grey)
    assert not swapped
    assert estimate_max_disparity(*grey[::-1])[1]
    assert (known[known > 0] <= estimate - 1).mean() >= 0.99
    assert estimate <= 2 * known.max()


@pytest.mark.parametrize("model", ["census", "sgbm", "bm"])
@pytest.mark.parametrize("shape", [(1, 1), (2, 40), (40, 2), (30, 50)])
def test_tiny_and_black_images_have_a_map_without_confidence(model, shape):
    black = np.zeros(shape, np.uint8)
    for given in (None, 64):
        found = disparity(black, black, max_disparity=given, model=model)
        assert found.disparity.shape == shape
        assert np.isfinite(found.disparity).all()
    if model == "census":
        assert (found.confidence == 0).all()
        assert np.isnan(disparity(black, black, fill=False).disparity).all()


def test_a_range_wider_than_the_image_is_searched_as_far_as_it_goes():
    left, right, truth = _two_planes(shape=(80, 160))
    found = disparity(left, right, max_disparity=10_000)
    assert bad_pixel_rate(found.disparity, truth, 0.5) < 0.03


def test_a_network_takes_the_place_of_census():
    torch.manual_seed(0)
    left, right, truth = _two_planes()
    network = HardNet()
    found = disparity(left, right, max_disparity=24, model=network, device="cpu")
    assert found.disparity.shape == left.shape
    inner = np.s_[10:-10, 30:-10]
    assert bad_pixel_rate(found.disparity[inner], truth[inner], 1.0) < 0.25
    assert network.training


def test_costs_are_averaged_by_names_joined_with_a_plus():
    left, right, truth = _two_planes()
    found = disparity(left, right, max_disparity=24, model="census+hardnet", device="cpu")
    assert bad_pixel_rate(found.disparity, truth, 1.0) < 0.06
    census = disparity(left, right, max_disparity=24)
    assert (found.disparity != census.disparity).mean() > 0.5
    with pytest.raises(OptionError, match="model 'sgbm' has no cost that could be averaged"):
        disparity(left, right, model="census+sgbm")
    with pytest.raises(ModelError, match="model 'raft' is not known"):
        disparity(left, right, model="census+raft")


@pytest.mark.parametrize("kind", [StereoDescriptor, UniversalCorrespondenceNetwork])
def test_a_network_of_every_place_takes_it_too(kind):
    torch.manual_seed(0)
    left, right, truth = _two_planes()
    network = kind()
    found = disparity(left, right, max_disparity=24, model=network, device="cpu")
    inner = np.s_[10:-10, 30:-10]
    assert bad_pixel_rate(found.disparity[inner], truth[inner], 1.0) < 0.25
    assert found.disparity.shape == left.shape
    assert network.training


def test_a_stereo_descriptor_scores_both_views_as_it_describes_them():
    torch.manual_seed(0)
    left, right, _ = _two_planes()
    network = StereoDescriptor().eval()
    views = [np.repeat(view[..., None], 3, 2) for view in (left, right)]
    cost = feature_rows(network, *views, 16, torch.device("cpu"))(0, len(left))
    maps = [describe_cells(to_tensor(view), network)[0].numpy() for view in views]
    for y, x, d in ((40, 80, 12), (0, 15, 3), (79, 159, 15), (60, 30, 0)):
        cosine = float(maps[0][:, y, x] @ maps[1][:, y, x - d])
        assert cost[y, x, d] == pytest.approx((1 - cosine) * FLOAT_LEVELS / 2, abs=1.01)


@pytest.mark.parametrize("given", [0, -3, 2.5, "64", True])
def test_a_bad_range_is_refused(given):
    image = np.zeros((10, 20), np.uint8)
    with pytest.raises(OptionError, match=f"max_disparity is {given}; use a whole number"):
        stereo.disparity.__wrapped__(image, image, max_disparity=given)


def test_refusals(monkeypatch):
    image = np.zeros((10, 20), np.uint8)
    with pytest.raises(ImageError, match="left is 20 x 10 and right 20 x 9 pixels"):
        disparity(image, image[:9])
    with pytest.raises(ModelError, match="model 'raft' is not known; use one of census, sgbm, bm"):
        disparity(image, image, model="raft")
    with pytest.raises(ModelError, match="'sift' does match and extract, not disparity"):
        disparity(image, image, model="sift")
    monkeypatch.setattr(strips, "STRIP_SCORES", 1000)
    with pytest.raises(OptionError, match=r"20 pixels and 15 disparities .* smaller"):
        disparity(image, image, max_disparity=15)


def test_pixels_that_are_no_number():
    nothing = torch.full((3, 20, 30), float("nan"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageError, match="holds values from nan to nan"):
            corr.disparity(nothing, nothing)
    one = torch.full((3, 20, 30), 0.5)
    one[1, 3, 4] = float("nan")
    with pytest.raises(ImageError, match="holds values from nan to nan"):
        corr.disparity(torch.full((3, 20, 30), 0.5), one)
