"""Keypoints of a dense network at several scales of the image."""

import numpy as np
import pytest
import skimage.data
import torch
from filter_descriptor import FilterDescriptor

import corr
from corr.errors import ModelError, OptionError
from corr.extractors.dense_keypoints import SCALE
from corr.formats import to_tensor
from corr.geometry import resize
from corr.models import UniversalCorrespondenceNetwork, save_network


@pytest.fixture(scope="module")
def photo():
    return np.ascontiguousarray(skimage.data.astronaut()[20:183, 120:361])  # odd sides


def resized(photo, size):
    return (resize(to_tensor(photo), size)[0] * 255).round().byte().permute(1, 2, 0).numpy()


def test_a_zoomed_copy_is_matched_by_scales_alone(photo):
    large = resized(photo, (326, 482))

    def correct(**options):
        found = corr.match(
            photo, large, model=FilterDescriptor(), max_keypoints=400, ratio=0.9, **options
        )
        error = (found.keypoints0 + 0.5) * 2 - 0.5 - found.keypoints1
        return int((np.hypot(*error.T) < 4).sum())

    without, with_scales = correct(), correct(scales=(1.0, 0.5))
    assert with_scales > 2 * without + 20


def test_points_are_those_of_the_level(photo):
    network = FilterDescriptor()
    whole = corr.extract(photo, model=network, scales=(0.5,), max_keypoints=80)
    half = corr.extract(resized(photo, (82, 120)), model=network, max_keypoints=80)
    expected = (half.keypoints + 0.5) * [241 / 120, 163 / 82] - 0.5
    away = np.linalg.norm(whole.keypoints[:, None] - expected[None], axis=2)
    assert np.percentile(away.min(1), 90) < 0.15  # the level is rounded to 8 bits there
    assert np.median(away.min(1)) < 0.03
    np.testing.assert_allclose(whole.scale, 2 * SCALE)
    same = (whole.descriptors * half.descriptors[away.argmin(1)]).sum(1)
    assert np.median(same) > 0.999


def test_levels_are_pooled_best_first(photo):
    network = FilterDescriptor()
    levels = [corr.extract(photo, model=network, scales=(s,)) for s in (1.0, 0.5, 0.25)]
    pooled = corr.extract(photo, model=network, scales=(1.0, 0.5, 0.25), max_keypoints=150)
    assert len(pooled) == 150
    assert (np.diff(pooled.scores) <= 0).all()
    scores = np.sort(np.concatenate([level.scores for level in levels]))[::-1]
    np.testing.assert_allclose(pooled.scores, scores[:150], atol=1e-6)
    assert len(set(pooled.scale.tolist())) == 3
    plain = corr.extract(photo, model=network)
    np.testing.assert_array_equal(plain.keypoints, levels[0].keypoints)


def test_levels_of_no_size_are_one_pixel():
    found = corr.extract(np.zeros((3, 90, 3), np.uint8), model=FilterDescriptor(), scales=(0.01,))
    assert len(found) == 0


@pytest.mark.parametrize("scales", [(), (0.0,), (1.0, 1.0), (5.0,), (float("nan"),)])
def test_scales_that_are_refused(photo, scales):
    with pytest.raises(OptionError, match="use different factors above 0 and at most 4"):
        corr.extract(photo, model=FilterDescriptor(), scales=scales)


def test_models_that_take_no_scales(photo):
    torch.manual_seed(0)
    bare = UniversalCorrespondenceNetwork(keypoints=False)
    for model, name in (("rootsift", "model 'rootsift'"), ("orb", "model 'orb'"), (bare, "a Univ")):
        with pytest.raises(ModelError, match=f"scales are 1, 0.5, and {name}.* takes none"):
            corr.match(photo, photo, model=model, scales=(1.0, 0.5))
    with pytest.raises(OptionError, match="keypoints are given, too"):
        corr.extract(photo, model=FilterDescriptor(), scales=(0.5,), keypoints=[[3, 3]])


def test_a_network_has_scales_and_a_ratio_of_its_own(photo, tmp_path):
    torch.manual_seed(0)
    network = UniversalCorrespondenceNetwork(scales=[1.0, 0.5], ratio=0.95)
    save_network(network, tmp_path)
    loaded = corr.load_network(tmp_path)
    own = corr.extract(photo, model=loaded)
    given = corr.extract(photo, model=loaded, scales=(1.0, 0.5))
    plain = corr.extract(photo, model=loaded, scales=(1.0,))
    assert np.array_equal(own.keypoints, given.keypoints)
    assert len(set(own.scale.tolist())) == 2 and len(set(plain.scale.tolist())) == 1
    found = [len(corr.match(own, plain, model=loaded, ratio=ratio)) for ratio in (None, 0.95, 0.5)]
    assert found[0] == found[1] > found[2]
    with pytest.raises(OptionError, match=r"ratio is 0\.0; use"):
        UniversalCorrespondenceNetwork(ratio=0.0)
