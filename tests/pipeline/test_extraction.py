"""`corr.extract`: every model, every kind of image, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data

import corr
from corr.classical.binary import has_akaze
from corr.errors import ImageError, ModelError, OptionError
from corr.formats import to_tensor, write_image
from corr.models import HardNet
from corr.models.network import Network
from corr.models.saved import save_network

MODELS = ["rootsift", "sift", "orb"] + ["akaze"] * has_akaze()


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return np.ascontiguousarray(data.astronaut()[:240, 80:400])


@pytest.fixture(scope="module")
def hardnet() -> HardNet:
    torch.manual_seed(0)
    return HardNet().eval()


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("count", [1, 40])
def test_the_best_first_and_never_more_than_asked_for(
    photo: np.ndarray, model: str, count: int
) -> None:
    few = corr.extract(photo, model=model, max_keypoints=count)
    assert 0 < len(few) <= count
    assert (np.diff(few.scores) <= 0).all()
    assert few.image_size == (240, 320)
    assert len(few.descriptors) == len(few.keypoints) == len(few.scale) == len(few.angle_deg)
    kind = np.float32 if "sift" in model else np.uint8
    assert few.descriptors.dtype == kind


def test_every_form_of_one_image_gives_the_same(photo: np.ndarray, tmp_path: Path) -> None:
    path = tmp_path / "photo.png"
    write_image(path, photo)
    expected = corr.extract(photo, max_keypoints=50)
    for image in (path, str(path), to_tensor(photo)[0]):
        found = corr.extract(image, max_keypoints=50)
        np.testing.assert_array_equal(found.keypoints, expected.keypoints)
        np.testing.assert_array_equal(found.descriptors, expected.descriptors)
    assert len(corr.extract(photo[..., 1], max_keypoints=50)) == 50


def test_the_default_is_rootsift(photo: np.ndarray) -> None:
    default, named = corr.extract(photo), corr.extract(photo, model="rootsift")
    np.testing.assert_array_equal(default.descriptors, named.descriptors)
    plain = corr.extract(photo, model="sift")
    assert not np.array_equal(default.descriptors, plain.descriptors)
    np.testing.assert_array_equal(default.keypoints, plain.keypoints)


@pytest.mark.parametrize("model", [*MODELS, "network"])
@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (90, 120)])
def test_black_and_one_pixel_images_hold_no_features(
    model: str, shape: tuple[int, int], hardnet: HardNet
) -> None:
    chosen = hardnet if model == "network" else model
    found = corr.extract(np.zeros(shape, np.uint8), model=chosen)
    assert len(found) == 0
    assert found.keypoints.shape == (0, 2)
    assert found.descriptors.ndim == 2
    assert found.image_size == shape


def test_a_folder_that_training_wrote(photo: np.ndarray, hardnet: HardNet, tmp_path: Path) -> None:
    save_network(hardnet, tmp_path / "run")
    loaded = corr.extract(photo, model=hardnet, max_keypoints=30)
    assert loaded.descriptors.shape == (30, 128)
    for folder in (tmp_path / "run", str(tmp_path / "run")):
        found = corr.extract(photo, model=folder, max_keypoints=30)
        np.testing.assert_allclose(found.descriptors, loaded.descriptors, atol=1e-6)
    torch.manual_seed(1)
    save_network(HardNet(), tmp_path / "run")
    changed = corr.extract(photo, model=tmp_path / "run", max_keypoints=30)
    assert np.abs(changed.descriptors - loaded.descriptors).max() > 0.1


@pytest.mark.parametrize("model", ["sift", "rootsift", "network"])
def test_given_keypoints_are_described_in_their_order(
    photo: np.ndarray, model: str, hardnet: HardNet
) -> None:
    chosen = hardnet if model == "network" else model
    points = np.array([[200, 100], [50.5, 60.25], [300, 10]])
    found = corr.extract(photo, model=chosen, keypoints=points, max_keypoints=2)
    assert found.keypoints.tolist() == points.tolist()
    turned = corr.extract(photo, model=chosen, keypoints=points[::-1])
    np.testing.assert_allclose(turned.descriptors, found.descriptors[::-1], atol=1e-5)
    assert np.abs(found.descriptors[0] - found.descriptors[1]).max() > 0.01
    again = corr.extract(photo, model=chosen, keypoints=found)
    np.testing.assert_allclose(again.descriptors, found.descriptors, atol=1e-5)


def test_detected_keypoints_given_back_get_nearly_the_same_descriptors(photo: np.ndarray) -> None:
    found = corr.extract(photo, max_keypoints=200)
    again = corr.extract(photo, keypoints=found)
    np.testing.assert_array_equal(again.keypoints, found.keypoints)
    assert np.median((again.descriptors * found.descriptors).sum(1)) > 0.999


def test_a_binary_method_refuses_given_keypoints(photo: np.ndarray) -> None:
    with pytest.raises(ModelError, match="model 'orb' finds its own keypoints; leave `keypoints`"):
        corr.extract(photo, model="orb", keypoints=[[3, 3]])


def test_what_is_refused(photo: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="max_keypoints is 0; use 1 or more"):
        corr.extract(photo, max_keypoints=0)
    with pytest.raises(
        ModelError, match="model 'sfit' is not known; use one of rootsift, sift, orb"
    ):
        corr.extract(photo, model="sfit")
    with pytest.raises(ModelError, match="model 'census' does disparity, not extract; use one of"):
        corr.extract(photo, model="census")
    with pytest.raises(ModelError, match=r"holds no network: 'network.yaml' is missing"):
        corr.extract(photo, model=tmp_path)
    with pytest.raises(ImageError, match=r"missing\.png"):
        corr.extract(tmp_path / "missing.png")
    with pytest.raises(OptionError, match="device 'tpu' is not known"):
        corr.extract(photo, model=HardNet(), device="tpu")


def test_a_network_that_describes_no_patches_is_refused(photo: np.ndarray) -> None:
    class Other(Network):
        pass

    with pytest.raises(ModelError, match="a network of type Other does not describe keypoints"):
        corr.extract(photo, model=Other())
