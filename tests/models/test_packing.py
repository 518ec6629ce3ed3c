"""Convolutions that are packed for one processor."""

import copy

import pytest
import torch
from torch import nn

import corr.models.flownet as flownet_module
from corr.models import FlowNetC, FlowNetS
from corr.models.flownet_refinement import FlowPrediction
from corr.models.packing import PackedConvolution, can_pack, pack

needs_packing = pytest.mark.skipif(not can_pack(), reason="oneDNN cannot pack on this processor")

LAYERS = {
    "7x7 with stride 2": nn.Conv2d(3, 24, 7, 2, 3),
    "without bias": nn.Conv2d(20, 33, 3, padding=1, bias=False),
    "1x1": nn.Conv2d(40, 16, 1),
    "in groups": nn.Conv2d(12, 18, 3, dilation=2, groups=3),
    "transposed": nn.ConvTranspose2d(20, 12, 4, stride=2, padding=1),
    "transposed, grown": nn.ConvTranspose2d(20, 12, 3, stride=2, padding=1, output_padding=1),
}


@needs_packing
@torch.no_grad()
@pytest.mark.parametrize("rectifier", [nn.LeakyReLU(0.1), nn.ReLU()])
@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_packed_layer_computes_what_it_replaces(name, layout, rectifier):
    torch.manual_seed(0)
    layers = nn.Sequential(copy.deepcopy(LAYERS[name]), rectifier)
    packed = pack(nn.ModuleList([copy.deepcopy(layers)]))[0]
    assert [type(layer) for layer in packed] == [PackedConvolution]
    channels = LAYERS[name].in_channels
    # Sizes come back, as those of a folder's images may.
    for size in ((1, channels, 24, 32), (2, channels, 9, 13), (1, channels, 24, 32)):
        features = torch.randn(size).to(memory_format=layout)
        torch.testing.assert_close(packed(features), layers(features), rtol=1e-5, atol=1e-5)


@needs_packing
def test_only_a_plain_convolution_before_a_rectifier_is_packed():
    layers = nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Conv2d(4, 4, 3, padding="same"), nn.LeakyReLU(0.1),
        nn.Conv2d(4, 4, 3, padding=1, padding_mode="reflect"), nn.LeakyReLU(0.1),
        nn.Conv2d(4, 2, 1),
    )  # fmt: skip
    kinds = [type(layer) for layer in layers]
    assert [type(layer) for layer in pack(nn.ModuleList([layers]))[0]] == kinds


@needs_packing
@torch.no_grad()
@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("kind", [FlowNetC, FlowNetS])
def test_a_network_is_packed_without_bfloat16_too(monkeypatch, kind, batch_norm):
    monkeypatch.setattr(flownet_module, "multiplies_bfloat16", lambda _: False)
    torch.manual_seed(0)
    network = kind(1 / 16, batch_norm=batch_norm).eval()
    images = torch.rand(2, 1, 3, 64, 128).unbind()
    found = network.flow(*images)
    parts = list(network.lean().modules())
    assert sum(isinstance(part, PackedConvolution) for part in parts) >= 13
    assert not any(isinstance(part, nn.LeakyReLU | nn.BatchNorm2d) for part in parts)
    expected = network.enlarge(network(*images)[-1], 64, 128)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)
    # A step of training, and it is packed anew.
    for parameter in network.parameters():
        parameter.mul_(1.1)
    expected = network.enlarge(network(*images)[-1], 64, 128)
    torch.testing.assert_close(network.flow(*images), expected, rtol=1e-3, atol=1e-3)


@torch.no_grad()
def test_in_double_precision_nothing_is_packed(monkeypatch):
    monkeypatch.setattr(flownet_module, "multiplies_bfloat16", lambda _: False)
    network = FlowNetC(1 / 16).double().eval()
    images = torch.rand(2, 1, 3, 64, 64, dtype=torch.float64).unbind()
    expected = network.enlarge(network(*images)[-1], 64, 64)
    torch.testing.assert_close(network.flow(*images), expected)


@pytest.mark.parametrize("size", [(1, 50, 7, 9), (2, 24, 12, 16)])
def test_flow_predicted_by_taps_is_the_convolution_with_its_gradients(size):
    torch.manual_seed(0)
    layer = FlowPrediction(size[1]).double()
    nn.init.normal_(layer.weight)
    nn.init.normal_(layer.bias)
    features = torch.randn(size, dtype=torch.float64, requires_grad=True)
    found, expected = layer(features), nn.Conv2d.forward(layer, features)
    torch.testing.assert_close(found, expected)
    slope = torch.randn_like(expected)
    leaves = features, layer.weight, layer.bias
    for one, other in zip(
        torch.autograd.grad(found, leaves, slope),
        torch.autograd.grad(expected, leaves, slope),
        strict=True,
    ):
        torch.testing.assert_close(one, other)
