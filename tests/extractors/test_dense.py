import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from corr.errors import ModelError, OptionError
from corr.extractors import dense
from corr.extractors.dense import dense_descriptors
from corr.geometry import extract_patches, patch_frames
from corr.models import HardNet, HyNet, LightHardNet, PatchDescriptor, TFeat


def _network(seed=0):
    torch.manual_seed(seed)
    return HardNet(descriptor_dim=32).eval()


def _texture(height, width, sigma=2.0):
    noise = np.random.default_rng(0).standard_normal((height, width))
    smooth = cv2.GaussianBlur(noise, (0, 0), sigma)
    smooth = (smooth - smooth.min()) / (smooth.max() - smooth.min())
    return torch.from_numpy(smooth.astype(np.float32)).view(1, 1, height, width)


def _patch_vectors(network, image, points, side):
    count = len(points)
    frames = patch_frames(points, torch.ones(count), torch.zeros(count), sigmas=side)
    with torch.inference_mode():
        return network(extract_patches(image, frames))


@pytest.mark.parametrize(
    ("side", "every", "step"), [(16.0, 1, 2), (32.0, 1, 4), (16.0, 2, 4), (10.0, 2, 2.5)]
)
def test_vectors_lie_where_the_half_pixel_rule_says(side, every, step):
    network, image = _network(), _texture(96, 128)
    with torch.inference_mode():
        found = dense_descriptors(network, image, patch_side=side, every=every)
    rows, columns = int(np.ceil(96 / step)), int(np.ceil(128 / step))
    assert found.shape == (1, 32, rows, columns)
    torch.testing.assert_close(found.norm(dim=1), torch.ones(1, rows, columns))
    i, j = torch.meshgrid(
        torch.arange(rows // 3, rows - rows // 3),
        torch.arange(columns // 3, columns - columns // 3),
        indexing="ij",
    )
    vectors = found[0, :, i.flatten(), j.flatten()].T
    points = (torch.stack((j.flatten(), i.flatten()), -1) + 0.5) * step - 0.5

    def likeness(dx, dy):
        moved = points + torch.tensor([dx, dy])
        return float((vectors * _patch_vectors(network, image, moved, side)).sum(1).mean())

    here = likeness(0.0, 0.0)
    assert here > 0.75
    quarter = step / 4
    for dx, dy in [(quarter, 0.0), (-quarter, 0.0), (0.0, quarter), (0.0, -quarter)]:
        assert likeness(dx, dy) < here
    # and the likeness falls alike on both sides: the place is right to a fraction of a pixel
    for a, b in [((1.0, 0.0), (-1.0, 0.0)), ((0.0, 1.0), (0.0, -1.0))]:
        assert abs(likeness(*a) - likeness(*b)) < 0.25 * (here - likeness(*a))


class _Unpadded(PatchDescriptor):
    """Convolutions that see nothing beyond the patch, so that sharing them changes nothing."""

    def __init__(self):
        super().__init__()
        self.descriptor_dim, self.sigmas = 6, 20.0
        torch.manual_seed(1)
        self.layers = torch.nn.Sequential(torch.nn.Conv2d(1, 6, 32, stride=4, bias=False))

    def forward(self, patches):
        return F.normalize(self.layers(patches).flatten(1), dim=1)


def test_a_vector_is_exactly_the_network_on_its_patch_where_nothing_is_cut(monkeypatch):
    monkeypatch.setattr(dense, "_normalize_around", lambda image: image)
    network, image = _Unpadded(), _texture(64, 72)
    with torch.inference_mode():
        found = dense_descriptors(network, image, patch_side=32.0)[0]
    points = (torch.tensor([[8.0, 6.0], [4.0, 5.0], [9.0, 11.0]]) + 0.5) * 4 - 0.5
    expected = _patch_vectors(network, image, points, 32.0)
    vectors = torch.stack([found[:, 6, 8], found[:, 5, 4], found[:, 11, 9]])
    torch.testing.assert_close(vectors, expected, atol=1e-4, rtol=1e-4)


def test_bands_give_what_one_piece_gives(monkeypatch):
    network, image = _network(), _texture(50, 40)
    with torch.inference_mode():
        whole = dense_descriptors(network, image)
        monkeypatch.setattr(dense, "BAND", 7)
        torch.testing.assert_close(dense_descriptors(network, image), whole, atol=1e-5, rtol=1e-4)


def test_every_second_vector_is_one_of_a_shifted_image():
    network, image = _network(), _texture(160, 176)
    with torch.inference_mode():
        some = dense_descriptors(network, image, patch_side=32.0, every=2)  # at 8 m + 3.5 px
        shifted = dense_descriptors(network, image[..., 2:, 2:].contiguous(), patch_side=32.0)
    expected = shifted[..., ::2, ::2]  # at 4 (2 m) + 1.5 px of what begins 2 px later
    inner = np.s_[..., 5:-5, 5:-5]
    torch.testing.assert_close(
        some[..., :20, :22][inner], expected[..., :20, :22][inner], atol=1e-4, rtol=1e-3
    )


@pytest.mark.parametrize("size", [(1, 1), (3, 50), (37, 22)])
def test_any_size_is_covered(size):
    with torch.inference_mode():
        found = dense_descriptors(_network(), torch.rand(1, 1, *size))
    assert found.shape == (1, 32, -(-size[0] // 2), -(-size[1] // 2))
    assert found.isfinite().all()


def test_brightness_and_contrast_change_nothing():
    image = _texture(40, 48)
    with torch.inference_mode():
        first = dense_descriptors(_network(), image)
        second = dense_descriptors(_network(), 0.5 * image + 0.3)
    assert float((first * second).sum(1).min()) > 0.98


def test_a_network_without_layers_is_refused():
    class Flat(PatchDescriptor):
        def forward(self, patches):
            return F.normalize(patches.flatten(1), dim=1)

    with pytest.raises(ModelError, match="Flat cannot be read densely"):
        dense_descriptors(Flat(), torch.zeros(1, 1, 8, 8))
    for network in (TFeat(), HyNet()):  # fully connected, and normalised over the whole patch
        with pytest.raises(ModelError, match=f"{type(network).__name__} cannot be read densely"):
            dense_descriptors(network, torch.zeros(1, 1, 8, 8))
    with pytest.raises(ModelError, match=r"LightHardNet .* strides make 8 in all instead of 4"):
        dense_descriptors(LightHardNet(), torch.zeros(1, 1, 8, 8))
    for side, every in [(0.0, 1), (33.0, 1), (16.0, 0)]:
        with pytest.raises(OptionError, match=f"patch_side is {side} and every {every};"):
            dense_descriptors(_network(), torch.zeros(1, 1, 8, 8), patch_side=side, every=every)
