"""`corr.match` on real photographs whose true correspondence is known."""

import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from skimage import data

import corr
from corr.classical.binary import has_akaze
from corr.data.threads import one_thread
from corr.errors import ImageError, MissingExtraError, ModelError, OptionError, ShapeError
from corr.metrics import reprojection_error
from corr.models import HardNet

HOMOGRAPHY = np.array([[0.85, -0.25, 90.0], [0.2, 0.8, 10.0], [1e-4, -5e-5, 1.0]])
MODELS = ["rootsift", "sift", "orb"] + ["akaze"] * has_akaze()


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    photo = data.astronaut()
    return photo, cv2.warpPerspective(photo, HOMOGRAPHY, (500, 480))


def share_correct(matches: corr.Matches) -> float:
    error = reprojection_error(matches.keypoints0, matches.keypoints1, HOMOGRAPHY)
    return float((error <= 3).mean())


@pytest.mark.parametrize("model", MODELS)
def test_most_matches_of_a_warped_photograph_are_right(
    model: str, pair: tuple[np.ndarray, np.ndarray]
) -> None:
    matches = corr.match(*pair, model=model, max_keypoints=1000)
    assert len(matches) > 150
    assert share_correct(matches) > 0.8
    assert (np.diff(matches.scores) <= 0).all()
    assert matches.image_size0 == (512, 512)
    assert matches.image_size1 == (480, 500)
    assert matches.model is None


def test_a_network_runs(pair: tuple[np.ndarray, np.ndarray]) -> None:
    torch.manual_seed(0)
    matches = corr.match(*pair, model=HardNet(), max_keypoints=150)
    assert share_correct(matches) > 0.3  # untrained: random filters still describe something


def test_features_in_place_of_images(pair: tuple[np.ndarray, np.ndarray]) -> None:
    expected = corr.match(*pair, model="orb", max_keypoints=300)
    first, second = (corr.extract(x, model="orb", max_keypoints=300) for x in pair)
    for inputs in ((first, second), (first, pair[1]), (pair[0], second)):
        matches = corr.match(*inputs, model="orb", max_keypoints=300)
        np.testing.assert_array_equal(matches.keypoints0, expected.keypoints0)
        np.testing.assert_array_equal(matches.scores, expected.scores)
    with pytest.raises(ShapeError, match=r"descriptors are 32 uint8 and 128 float32 each"):
        corr.match(first, pair[1], model="sift")


def test_verification_keeps_what_agrees_and_returns_the_matrix(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    every = corr.match(*pair, ratio=0.95)
    verified = corr.match(*pair, ratio=0.95, verify="homography")
    assert 0 < len(verified) < len(every)
    assert share_correct(verified) > 0.99 > share_correct(every)
    assert verified.model is not None
    corners = np.array([[[0.0, 0], [511, 0], [511, 511], [0, 511]]])
    found = cv2.perspectiveTransform(corners, verified.model)
    np.testing.assert_allclose(found, cv2.perspectiveTransform(corners, HOMOGRAPHY), atol=1.0)
    solid = corr.match(*pair, ratio=0.95, verify="fundamental", verify_px=1.0)
    assert solid.model is not None
    assert len(solid) < len(every)


def test_ratio_and_threshold_let_fewer_through(pair: tuple[np.ndarray, np.ndarray]) -> None:
    features = [corr.extract(x, max_keypoints=500) for x in pair]
    counts = [len(corr.match(*features, ratio=r)) for r in (0.5, 0.8, 0.95, 1.0)]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]
    assert len(corr.match(*features)) == counts[1]
    strict = corr.match(*features, min_score=0.97)
    assert 0 < len(strict) < counts[1]
    assert strict.scores.min() >= 0.97
    mutual = features[0].descriptors @ features[1].descriptors.T
    best0, best1 = mutual.argmax(1), mutual.argmax(0)
    assert counts[-1] == (best1[best0] == np.arange(len(best0))).sum()


def test_one_sided_matching_one_to_one(pair: tuple[np.ndarray, np.ndarray]) -> None:
    features = [corr.extract(x, max_keypoints=500) for x in pair]
    # SIFT describes some places twice, by two angles; numbers tell them apart.
    numbers = np.repeat(np.arange(len(features[1]), dtype=np.float32)[:, None], 2, 1)
    features[1] = replace(features[1], keypoints=numbers)
    mutual = corr.match(*features, ratio=1.0)
    one_sided = corr.match(*features, ratio=1.0, mutual=False)
    single = corr.match(*features, ratio=1.0, mutual=False, one_to_one=True)
    assert len(one_sided) == len(features[0])
    assert len(mutual) <= len(single) < len(one_sided)
    assert len(np.unique(single.keypoints1, axis=0)) == len(single)
    for some, more in ((mutual, single), (single, one_sided)):
        kept, every = (
            {tuple(x) for x in np.hstack((m.keypoints0, m.keypoints1))} for m in (some, more)
        )
        assert kept <= every


def test_points_detected_twice_are_kept_by_the_inconsistent_ratio(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    """Every keypoint of image 1 comes again a pixel further on, described alike."""
    first, second = (corr.extract(x, max_keypoints=400) for x in pair)
    twice = replace(
        second,
        keypoints=np.concatenate((second.keypoints, second.keypoints + np.float32(0.7))),
        descriptors=np.tile(second.descriptors, (2, 1)),
        **{
            name: np.tile(getattr(second, name), 2)
            for name in ("scores", "scale", "angle_deg")
            if getattr(second, name) is not None
        },
    )
    expected = corr.match(first, second)
    assert len(corr.match(first, twice)) == 0
    found = corr.match(first, twice, inconsistent_px=2.0)
    assert len(found) >= len(expected) > 50
    assert share_correct(found) > 0.9


@pytest.mark.parametrize("verify", [None, "homography", "fundamental"])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("shape", [(1, 1), (100, 120)])
def test_black_and_one_pixel_images_have_no_matches(
    model: str, verify: str | None, shape: tuple[int, int], pair: tuple[np.ndarray, np.ndarray]
) -> None:
    black = np.zeros(shape, np.uint8)
    for images in ((black, black), (black, pair[0][:200, :200]), (pair[0][:200, :200], black)):
        matches = corr.match(*images, model=model, verify=verify)
        assert len(matches) == 0
        assert matches.keypoints0.shape == matches.keypoints1.shape == (0, 2)


def test_every_searcher_finds_the_same(pair: tuple[np.ndarray, np.ndarray]) -> None:
    pytest.importorskip("faiss")
    features = [corr.extract(x, max_keypoints=500) for x in pair]
    auto, exact, faiss = (
        corr.match(*features, search=search) for search in ("auto", "exact", "faiss")
    )
    np.testing.assert_array_equal(auto.keypoints1, exact.keypoints1)
    assert {tuple(p) for p in exact.keypoints0} == {tuple(p) for p in faiss.keypoints0}


def test_the_same_call_gives_the_same_matches(pair: tuple[np.ndarray, np.ndarray]) -> None:
    first, second = (corr.match(*pair, verify="homography", max_keypoints=400) for _ in range(2))
    np.testing.assert_array_equal(first.keypoints0, second.keypoints0)
    np.testing.assert_array_equal(first.model, second.model)


def test_neighbours_verify_without_a_model_of_the_image(
    pair: tuple[np.ndarray, np.ndarray],
) -> None:
    every = corr.match(*pair, ratio=0.95)
    verified = corr.match(*pair, ratio=0.95, verify="locality")
    assert verified.model is None
    assert 1 - share_correct(verified) < 0.5 * (1 - share_correct(every))
    assert share_correct(verified) * len(verified) > 0.97 * share_correct(every) * len(every)


def test_a_second_try_where_few_matches_pass(pair: tuple[np.ndarray, np.ndarray]) -> None:
    """A relaxed ratio finds what a strict one does not; of other photographs next to nothing."""
    network = corr.load_network("ucn")
    network.ratio, network.relaxed_ratio, network.rotations = 0.3, None, "none"
    strict = corr.match(*pair, model=network)
    network.relaxed_ratio = 0.9
    relaxed = corr.match(*pair, model=network)
    assert len(strict) < 50 < 4 * len(strict) + 100 < len(relaxed)
    assert share_correct(relaxed) > 0.8
    asked = corr.match(*pair, model=network, ratio=0.3)
    np.testing.assert_array_equal(asked.keypoints0, strict.keypoints0)
    assert len(corr.match(pair[0], data.coffee(), model=network)) == 0


def test_more_scales_where_few_matches_are_found() -> None:
    """A photograph and itself at a third of its size; features are matched as they are."""
    photo = data.astronaut()
    third = cv2.resize(photo, None, fx=0.34, fy=0.34, interpolation=cv2.INTER_AREA)
    network = corr.load_network("ucn")
    network.scales, network.rotations, network.relaxed_ratio = (1.0,), "none", None
    network.more_scales = None
    first = corr.match(photo, third, model=network)
    network.more_scales = (1.0, 0.7, 0.5, 0.35)
    second = corr.match(photo, third, model=network)
    assert len(second) > 2 * len(first) and len(first) < 50
    error = np.linalg.norm((second.keypoints0 + 0.5) * 0.34 - 0.5 - second.keypoints1, axis=1)
    assert (error < 2).mean() > 0.8
    asked = corr.match(photo, third, model=network, scales=(1.0,))
    np.testing.assert_array_equal(asked.keypoints0, first.keypoints0)
    with one_thread():  # bfloat16 rounds otherwise where threads share the work otherwise
        expected = corr.match(photo, third, model=network, scales=(1.0,))
        found = corr.match(corr.extract(photo, model=network), third, model=network)
    np.testing.assert_array_equal(found.keypoints0, expected.keypoints0)


def test_what_is_refused(
    pair: tuple[np.ndarray, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(OptionError, match=r"ratio is 1.3; use a value in \(0, 1\]"):
        corr.match(*pair, ratio=1.3)
    with pytest.raises(OptionError, match="verify 'none' is not known; use one of homography"):
        corr.match(*pair, verify="none")
    with pytest.raises(OptionError, match="search 'best' is not known; use one of auto, exact"):
        corr.match(*pair, search="best")
    with pytest.raises(OptionError, match=r"inconsistent_px is -1.0; use 0 px or more"):
        corr.match(*pair, inconsistent_px=-1.0)
    with pytest.raises(
        OptionError, match=r"inconsistent_px is 5\.0, and the ratio test that it is"
    ):
        corr.match(*pair, inconsistent_px=5.0, ratio=1.0)
    with pytest.raises(OptionError, match="max_keypoints is -1; use 1 or more"):
        corr.match(*pair, max_keypoints=-1)
    with pytest.raises(ModelError, match="model 'superglue' is not known; use one of rootsift"):
        corr.match(*pair, model="superglue")
    with pytest.raises(ImageError, match=r"missing\.png"):
        corr.match(pair[0], tmp_path / "missing.png", max_keypoints=5)
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(MissingExtraError, match=r"pip install corr-toolkit\[cpu\]"):
        corr.match(*pair, search="faiss", max_keypoints=5)


@pytest.mark.slow
def test_the_reference_table_is_reproduced(shared_data: Path) -> None:
    """RootSIFT, 2048 keypoints, mutual, ratio 0.8: 476 matches a pair of 25, 447 correct."""
    from corr.data.homographies import read_sequences

    roots = shared_data / "oxford-affine", shared_data / "hpatches-sequences"
    known = {}
    numbers = []
    for item in (pair for root in roots for pair in read_sequences(root)):
        for path in (item.path0, item.path1):
            if path not in known:
                known[path] = corr.extract(path)
        matches = corr.match(known[item.path0], known[item.path1])
        error = reprojection_error(matches.keypoints0, matches.keypoints1, item.homography_0to1)
        numbers.append((len(error), (error <= 3).sum(), (error <= 3).mean()))
    assert len(numbers) == 25
    np.testing.assert_allclose(np.mean(numbers, 0), [476, 447, 0.836], rtol=0.01)


def test_a_network_that_is_trained_stays_as_it_is(pair: tuple[np.ndarray, np.ndarray]) -> None:
    """Two images at once must not see it change between its modes."""
    network = corr.load_network("ucn")
    expected = corr.match(*pair, model=network, device="cpu")
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.train()
    found = corr.match(*pair, model=network, device="cpu")
    assert network.training
    np.testing.assert_array_equal(found.keypoints0, expected.keypoints0)
    after = network.state_dict()
    assert all(torch.equal(after[name], value) for name, value in before.items())
