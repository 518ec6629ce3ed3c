"""Patches cut at keypoints and described by a network, in batches."""

import numpy as np
import pytest
import torch
from jaxtyping import Float
from skimage import data
from torch import Tensor

from corr.classical.keypoints import Keypoints
from corr.classical.sift import detect_sift
from corr.extractors.patches import describe_patches
from corr.geometry import extract_patches, patch_frames
from corr.models import HardNet
from corr.models.network import PatchDescriptor


class Pixels(PatchDescriptor):
    """The patch itself, at quarter size, as its descriptor: what it shows can be checked."""

    def __init__(self, sigmas: float = 12.0) -> None:
        super().__init__()
        self.sigmas = sigmas
        self.descriptor_dim = 64
        self.seen: list[int] = []

    def forward(self, patches: Float[Tensor, "B 1 32 32"]) -> Float[Tensor, "B D"]:
        self.seen.append(len(patches))
        return torch.nn.functional.avg_pool2d(patches, 4).flatten(1)


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return np.ascontiguousarray(data.astronaut()[:200, 100:340])


@pytest.fixture(scope="module")
def keypoints(photo: np.ndarray) -> Keypoints:
    return detect_sift(np.ascontiguousarray(photo[..., 1]), 50)


def test_patches_are_of_the_grey_image_at_the_networks_own_size(
    photo: np.ndarray, keypoints: Keypoints
) -> None:
    described = describe_patches(photo, keypoints, Pixels(sigmas=9.0))
    red, green, blue = torch.from_numpy(photo).float().permute(2, 0, 1) / 255
    grey = (0.299 * red + 0.587 * green + 0.114 * blue)[None, None]
    tables = (keypoints.points, keypoints.scale, keypoints.angle_deg)
    frames = patch_frames(*(torch.from_numpy(x) for x in tables), sigmas=9.0)
    expected = torch.nn.functional.avg_pool2d(extract_patches(grey, frames), 4).flatten(1)
    np.testing.assert_allclose(described, expected.numpy(), atol=1e-5)


def test_batches_do_not_change_the_result(photo: np.ndarray, keypoints: Keypoints) -> None:
    network = Pixels()
    whole = describe_patches(photo, keypoints, network)
    parts = describe_patches(photo, keypoints, network, batch_size=7)
    np.testing.assert_allclose(whole, parts, atol=1e-6)
    assert network.seen == [50] + 7 * [7] + [1]


def test_a_network_in_training_runs_in_evaluation_mode_and_is_put_back(
    photo: np.ndarray, keypoints: Keypoints
) -> None:
    network = HardNet(dropout=0.5)
    network.train()
    first = describe_patches(photo, keypoints, network)
    mean = [b.clone() for n, b in network.named_buffers() if "running_mean" in n]
    second = describe_patches(photo, keypoints, network)
    np.testing.assert_array_equal(first, second)
    assert network.training
    after = [b for n, b in network.named_buffers() if "running_mean" in n]
    assert all(torch.equal(a, b) for a, b in zip(mean, after, strict=True))
    np.testing.assert_allclose(np.linalg.norm(first, axis=1), 1, atol=1e-5)


def test_no_keypoints_give_no_descriptors(photo: np.ndarray) -> None:
    network = Pixels()
    empty = np.zeros(0, np.float32)
    described = describe_patches(
        photo, Keypoints(np.zeros((0, 2), np.float32), empty, empty, empty), network
    )
    assert described.shape == (0, 64)
    assert network.seen == []
