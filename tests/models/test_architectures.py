"""Every network: its size as its docstring states it, its layers against kornia's, its refusals."""

import inspect
import math
import re

import kornia.feature as KF
import pytest
import torch
from torch import nn

import corr
from corr.errors import OptionError
from corr.models import (
    GeMNet,
    HardNet,
    HardNetSTN,
    HyNet,
    ImageEmbedding,
    L2Net,
    LightHardNet,
    Network,
    SOSNet,
    TFeat,
    save_network,
)
from corr.tasks.recipe import build_recipe

PATCH_NETWORKS = (HardNet, L2Net, SOSNet, LightHardNet, TFeat, HyNet, HardNetSTN)
NETWORKS = (*PATCH_NETWORKS, GeMNet)


def inputs(kind: type[Network], count: int = 6) -> torch.Tensor:
    shape = (3, 160, 160) if issubclass(kind, ImageEmbedding) else (1, 32, 32)
    return torch.rand(count, *shape, generator=torch.Generator().manual_seed(0))


def trained(kind: type[Network]) -> Network:
    """In evaluation mode, with statistics and parameters other than those at the start."""
    torch.manual_seed(0)
    network = kind().train()
    for _ in range(3):
        network(inputs(kind) ** 2)
    with torch.no_grad():
        for value in network.parameters():
            value.add_(0.05 * torch.randn_like(value) * value.abs().mean())
    return network.eval()


def multiply_adds(network: Network) -> int:
    """Of the convolutions and linear layers for one input, counted from what hooks see."""
    total = 0

    def count(layer: nn.Module, _: object, output: torch.Tensor) -> None:
        nonlocal total
        total += output[0].numel() * layer.weight[0].numel()

    hooks = [
        layer.register_forward_hook(count)
        for layer in network.modules()
        if isinstance(layer, (nn.Conv2d, nn.Linear))
    ]
    with torch.no_grad():
        network.eval()(inputs(type(network), 1))
    for hook in hooks:
        hook.remove()
    return total


@pytest.mark.parametrize("kind", NETWORKS)
def test_size_is_what_the_docstring_states(kind):
    network = kind()
    stated = re.search(r"([\d ]+) parameters; ([\d ]+) multiply-adds", inspect.getdoc(kind) or "")
    parameters, operations = (int(number.replace(" ", "")) for number in stated.groups())
    assert sum(value.numel() for value in network.parameters()) == parameters
    assert multiply_adds(network) == operations


def test_multiply_adds_of_hardnet_by_hand():
    by_hand = 9 * 32 * 32 * (1 * 32 + 32 * 32)
    by_hand += 9 * 16 * 16 * (32 * 64 + 64 * 64) + 9 * 8 * 8 * (64 * 128 + 128 * 128)
    assert multiply_adds(HardNet()) == by_hand + 8 * 8 * 128 * 128


def test_the_light_trunk_is_light():
    assert multiply_adds(LightHardNet()) == multiply_adds(HardNet()) / 4 <= 10e6


@pytest.mark.parametrize("kind", NETWORKS)
def test_unit_length_and_the_same_alone_as_in_a_batch(kind):
    network, given = trained(kind), inputs(kind)
    with torch.no_grad():
        descriptors = network(given)
        assert descriptors.shape == (6, 128)
        assert descriptors.dtype == torch.float32
        torch.testing.assert_close(descriptors.norm(dim=1), torch.ones(6))
        torch.testing.assert_close(network(given[2:3]), descriptors[2:3], atol=1e-5, rtol=0)
    assert torch.pdist(descriptors).min() > 1e-3


@pytest.mark.parametrize("kind", NETWORKS)
def test_every_parameter_has_a_gradient_also_in_bfloat16(kind):
    network, given = kind().train(), inputs(kind)
    if kind is HyNet:  # pixels are not negative, so its first threshold has no effect at the start
        network.layers[0].bias.data.fill_(-2)
    if kind is HardNetSTN:  # its last layer begins at zero and so lets no gradient through
        network.normalization.regression.weight.data.normal_(0, 0.1)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        descriptors = network(given)
    assert descriptors.dtype == torch.float32
    (descriptors * torch.randn_like(descriptors)).sum().backward()
    for name, value in network.named_parameters():
        assert value.grad is not None, name
        assert value.grad.isfinite().all(), name
        assert value.grad.abs().max() > 0, name


@pytest.mark.parametrize("kind", NETWORKS)
def test_black_inputs_give_finite_descriptors_and_gradients(kind):
    network = trained(kind)
    given = torch.zeros_like(inputs(kind, 2))
    descriptors = network(given)
    assert descriptors.isfinite().all()
    descriptors.sum().backward()
    assert all(value.grad.isfinite().all() for value in network.parameters())


@pytest.mark.parametrize("kind", NETWORKS)
def test_saved_and_loaded_by_the_public_name(kind, tmp_path):
    network = trained(kind)
    save_network(network, tmp_path)
    loaded = corr.load_network(tmp_path)
    assert type(loaded) is kind
    with torch.no_grad():
        assert torch.equal(loaded(inputs(kind)), network(inputs(kind)))


@pytest.mark.parametrize("kind", PATCH_NETWORKS)
def test_a_recipe_names_it(kind):
    options = ["--model.network", f"corr.models.{kind.__name__}"]
    if "dropout" not in inspect.signature(kind).parameters:
        recipe = build_recipe("smoke/patch", [*options, "--model.network.sigmas", "12"])
    else:
        recipe = build_recipe("smoke/patch", [*options, "--model.network.dropout", "0.2"])
        assert any(isinstance(m, nn.Dropout) and m.p == 0.2 for m in recipe.task.modules())
    assert type(recipe.task.network) is kind


@pytest.mark.parametrize(
    ("kind", "oracle"),
    [(HardNet, KF.HardNet), (SOSNet, KF.SOSNet), (TFeat, KF.TFeat), (HyNet, KF.HyNet)],
)
def test_equal_to_kornias_with_the_same_weights(kind, oracle):
    """Weights go over in the order of the layers, so their number and shapes are compared too."""
    network, theirs = trained(kind), oracle(pretrained=False).eval()
    state = {name: v for name, v in theirs.state_dict().items() if not name.endswith(".eps")}
    own = network.state_dict().values()
    shaped = {
        name: value.reshape(target.shape)
        for (name, target), value in zip(state.items(), own, strict=True)
    }
    theirs.load_state_dict(shaped, strict=False)
    patches = inputs(kind)
    patches[0] *= 0.01  # of little contrast: there the ways to normalise differ
    with torch.no_grad():
        expected = nn.functional.normalize(theirs(patches), dim=1)
        torch.testing.assert_close(network(patches), expected, atol=2e-5, rtol=0)


def test_l2net_is_hardnet_without_dropout():
    network, same = L2Net().train(), HardNet(dropout=0.0).train()
    same.load_state_dict(network.state_dict())
    patches = inputs(L2Net)
    assert torch.equal(network(patches), same(patches))
    assert network.settings == {"descriptor_dim": 128, "sigmas": 20.0}


def test_images_of_any_size():
    network = trained(GeMNet)
    for height, width in ((1, 1), (31, 200), (240, 96)):
        with torch.no_grad():
            descriptor = network(torch.rand(1, 3, height, width))
        assert descriptor.shape == (1, 128)
        assert descriptor.isfinite().all()


@pytest.mark.parametrize(
    ("kind", "settings", "message"),
    [
        (TFeat, {"descriptor_dim": 0}, "descriptor_dim is 0; use 1 or more"),
        (HyNet, {"dropout": 1.0}, "dropout is 1.0"),
        (L2Net, {"sigmas": -1.0}, "sigmas is -1.0"),
        (SOSNet, {"dropout": -1.0}, "dropout is -1.0"),
        (LightHardNet, {"descriptor_dim": -1}, "descriptor_dim is -1"),
        (GeMNet, {"width": 0}, "width is 0; use 1 or more"),
        (GeMNet, {"exponent": 0.0}, "exponent is 0.0; use a value above 0"),
        (GeMNet, {"exponent": math.nan}, "exponent is nan"),
    ],
)
def test_settings_outside_their_range_are_refused(kind, settings, message):
    with pytest.raises(OptionError, match=message):
        kind(**settings)
