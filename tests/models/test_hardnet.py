import pytest
import torch
import torch.nn.functional as F
from torch import nn

from corr.errors import OptionError
from corr.models import HardNet
from corr.models.hardnet import normalize_patches


@pytest.fixture
def patches() -> torch.Tensor:
    return torch.rand(6, 1, 32, 32, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def network() -> HardNet:
    torch.manual_seed(0)
    network = HardNet()
    network.train()
    for _ in range(3):  # running statistics other than 0 and 1
        network(torch.rand(32, 1, 32, 32))
    return network.eval()


def test_number_of_parameters_by_hand():
    pairs = ((1, 32), (32, 32), (32, 64), (64, 64), (64, 128), (128, 128))
    by_hand = sum(9 * a * b for a, b in pairs) + 64 * 128 * 128
    assert by_hand == 1_334_560
    assert sum(p.numel() for p in HardNet().parameters()) == by_hand
    smaller = sum(p.numel() for p in HardNet(descriptor_dim=64).parameters())
    assert by_hand - smaller == 64 * 128 * 64


def test_layers_one_by_one(network, patches):
    convolutions = [layer for layer in network.layers if isinstance(layer, nn.Conv2d)]
    norms = [layer for layer in network.layers if isinstance(layer, nn.BatchNorm2d)]
    strides = (1, 1, 2, 1, 2, 1)
    x = torch.stack([(p - p.mean()) / p.std() for p in patches])
    for convolution, norm, stride in zip(convolutions, norms, strides, strict=False):
        x = F.conv2d(x, convolution.weight, stride=stride, padding=1)
        x = (x - norm.running_mean[:, None, None]) / (norm.running_var[:, None, None] + 1e-5).sqrt()
        x = x.clamp_min(0)
    assert x.shape == (6, 128, 8, 8)
    x = torch.einsum("bchw,dchw->bd", x, convolutions[-1].weight)
    x = (x - norms[-1].running_mean) / (norms[-1].running_var + 1e-5).sqrt()
    expected = x / x.norm(dim=1, keepdim=True)
    torch.testing.assert_close(network(patches), expected, atol=1e-5, rtol=0)


def test_first_weights_are_orthogonal_with_their_gain():
    for layer in HardNet().layers:
        if isinstance(layer, nn.Conv2d):
            rows = layer.weight.detach().flatten(1)
            product = rows @ rows.T if len(rows) <= rows.shape[1] else rows.T @ rows
            torch.testing.assert_close(product, 0.36 * torch.eye(len(product)), atol=1e-4, rtol=0)


def test_descriptors_have_unit_length(network, patches):
    descriptors = network(patches)
    assert descriptors.shape == (6, 128)
    torch.testing.assert_close(descriptors.norm(dim=1), torch.ones(6))


def test_light_does_not_matter(network, patches):
    torch.testing.assert_close(network(patches), network(0.3 * patches + 0.5), atol=1e-4, rtol=0)


def test_a_patch_alone_gives_the_same_as_in_a_batch(network, patches):
    torch.testing.assert_close(network(patches[2:3]), network(patches)[2:3], atol=1e-5, rtol=0)


def test_memory_layout_does_not_matter(network, patches):
    expected = network(patches)
    network.to(memory_format=torch.channels_last)
    torch.testing.assert_close(network(patches), expected, atol=1e-5, rtol=0)


def test_a_flat_patch_becomes_zero_and_a_finite_descriptor(network):
    flat = torch.full((2, 1, 32, 32), 0.5)
    flat[1] = 0
    torch.testing.assert_close(normalize_patches(flat), torch.zeros_like(flat))
    assert network(flat).isfinite().all()


def test_autocast_keeps_descriptors_in_float32(network, patches):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        descriptors = network(patches)
    assert descriptors.dtype == torch.float32
    torch.testing.assert_close(descriptors.norm(dim=1), torch.ones(6))


def test_dropout_only_while_training(patches):
    network = HardNet(dropout=0.5).train()
    torch.manual_seed(0)
    first = network(patches)
    assert not torch.equal(first, network(patches))
    network.eval()
    assert torch.equal(network(patches), network(patches))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"descriptor_dim": 0}, "descriptor_dim is 0; use 1 or more"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"dropout": -0.1}, "dropout is -0.1"),
        ({"sigmas": 0.0}, "sigmas is 0.0"),
        ({"sigmas": float("nan")}, "sigmas is nan"),
    ],
)
def test_settings_outside_their_range_are_refused(settings, message):
    with pytest.raises(OptionError, match=message):
        HardNet(**settings)
