"""The convolutional spatial transformer against a plain loop, a plain convolution and its paper."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from corr.errors import OptionError
from corr.geometry import sample
from corr.models import convolutional_transformer as cst
from corr.models.convolutional_transformer import (
    ConvolutionalSpatialTransformer,
    convolve_places,
)

TRANSFORMS = ("rigid", "similarity", "affine", "thin-plate")


def merge_places(features: Tensor, places: Tensor) -> Tensor:
    """The map of the paper, (B, C, kH, kW): all fields side by side, for a stride of k."""
    batch, samples, height, width, _ = places.shape
    side = round(samples**0.5)
    laid = places.reshape(batch, side, side, height, width, 2).permute(0, 3, 1, 4, 2, 5)
    laid = laid.reshape(batch, height * side, width * side, 2)
    return sample(features, laid).permute(0, 3, 1, 2)


def some_features(height: int = 7, width: int = 9, *, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, 4, height, width, generator=generator, dtype=torch.double)


def planted(transform: str, kernel_size: int = 3) -> ConvolutionalSpatialTransformer:
    """One that does not predict the identity."""
    torch.manual_seed(1)
    layer = ConvolutionalSpatialTransformer(
        4, 5, transform=transform, kernel_size=kernel_size, width=8
    )
    torch.nn.init.normal_(layer.localization[-1].weight, std=0.5)
    return layer.double()


def read(features: Tensor, x: float, y: float) -> Tensor:
    """One bilinear reading of (C, H, W), zero outside, as written in a textbook."""
    total = torch.zeros(len(features), dtype=features.dtype)
    for column in (math.floor(x), math.floor(x) + 1):
        for row in (math.floor(y), math.floor(y) + 1):
            if 0 <= row < features.shape[1] and 0 <= column < features.shape[2]:
                share = (1 - abs(x - column)) * (1 - abs(y - row))
                total += share * features[:, row, column]
    return total


def by_loop(features: Tensor, places: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Location by location, sample by sample."""
    batch, samples, height, width, _ = places.shape
    kernels = weight.flatten(2)
    found = bias[:, None, None].repeat(batch, 1, 1, 1) * torch.ones(1, 1, height, width)
    for b in range(batch):
        for y in range(height):
            for x in range(width):
                for k in range(samples):
                    at_x, at_y = places[b, k, y, x].tolist()
                    found[b, :, y, x] += kernels[:, :, k] @ read(features[b], at_x, at_y)
    return found


@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("kernel_size", [3, 5])
def test_same_as_a_loop_over_locations(transform: str, kernel_size: int) -> None:
    layer, features = planted(transform, kernel_size), some_features(5, 6)
    with torch.no_grad():
        found, moved = layer(features)
        places = layer.places(features)
    weight, bias = layer.convolution.weight.detach(), layer.convolution.bias.detach()
    assert float(moved.mean()) > 0.01
    torch.testing.assert_close(found, by_loop(features, places, weight, bias))


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_an_untrained_one_is_a_plain_convolution(transform: str) -> None:
    layer = ConvolutionalSpatialTransformer(4, 5, transform=transform).double()
    features = some_features()
    found, moved = layer(features)
    plain = F.conv2d(features, layer.convolution.weight, layer.convolution.bias, padding=1)
    torch.testing.assert_close(found, plain)
    assert float(moved.detach().abs().max()) < 1e-10


def test_same_as_the_merged_map_of_the_paper() -> None:
    layer, features = planted("affine"), some_features()
    with torch.no_grad():
        merged = merge_places(features, layer.places(features))
        strided = F.conv2d(merged, layer.convolution.weight, layer.convolution.bias, stride=3)
        torch.testing.assert_close(layer(features)[0], strided)
    assert merged.shape[2:] == (3 * features.shape[2], 3 * features.shape[3])


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_gradients(transform: str) -> None:
    layer = planted(transform)
    parameters = dict(layer.named_parameters())

    def run(features: Tensor, *values: Tensor) -> tuple[Tensor, Tensor]:
        given = dict(zip(parameters, values, strict=True))
        return torch.func.functional_call(layer, given, (features,))

    features = some_features(4, 3)[:1].requires_grad_()
    assert torch.autograd.gradcheck(run, (features, *parameters.values()), atol=1e-6)


def test_tiles_change_nothing_and_bound_what_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, features = planted("similarity"), some_features(40, 9)
    whole, _ = layer(features)
    row = 9 * features[:, :, :1].numel() * features.element_size()
    monkeypatch.setattr(cst, "TILE_BYTES", 3 * row)
    largest = 0
    plain = cst.sample

    def watched(*args: Tensor) -> Tensor:
        nonlocal largest
        found = plain(*args)
        largest = max(largest, found.numel() * found.element_size())
        return found

    monkeypatch.setattr(cst, "sample", watched)
    tiled, _ = layer(features)
    torch.testing.assert_close(tiled, whole)
    assert largest == 3 * row
    tiled.square().sum().backward()
    in_tiles = layer.convolution.weight.grad.clone()
    layer.zero_grad()
    whole.square().sum().backward()
    torch.testing.assert_close(in_tiles, layer.convolution.weight.grad)


@pytest.mark.parametrize("transform", TRANSFORMS)
def test_without_gradients_it_is_the_same(transform: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In tiles of three rows, and in one."""
    layer, features = planted(transform), some_features(40, 9)
    learning, moved = layer(features)
    for rows in (3, 40):
        row = 9 * features[:, :, :1].numel() * features.element_size()
        monkeypatch.setattr(cst, "TILE_BYTES", rows * row)
        with torch.no_grad():
            found, moved_too = layer(features)
        torch.testing.assert_close(found, learning)
        torch.testing.assert_close(moved_too, moved)


def test_in_bfloat16_places_stay_as_precise_as_they_are() -> None:
    """Far from the first column, too, where bfloat16 has whole cells alone."""
    layer = ConvolutionalSpatialTransformer(4, 5).eval()
    layer.localization[-1].bias.data[2] = 0.5  # a shift of tanh(0.5) cells along x
    features = torch.randn(1, 4, 8, 300)
    exact, _ = layer(features)
    with torch.autocast("cpu", torch.bfloat16):
        learning, _ = layer(features)
        with torch.no_grad():
            fast, _ = layer(features)
    for found in (learning, fast):
        assert (found - exact)[..., 140:].abs().max() < 0.03 * exact.abs().max()


def test_a_quarter_turn_of_every_field_undoes_a_turned_map() -> None:
    layer = ConvolutionalSpatialTransformer(4, 5, transform="rigid").double()
    features = some_features(8, 8)
    with torch.no_grad():
        upright, _ = layer(features)
        layer.localization[-1].bias[:2] = torch.tensor([0.0, 1.0])  # x to y: clockwise, y is down
        turned, _ = layer(features.transpose(2, 3).flip(3))
    inner = slice(1, -1)
    expected = upright.transpose(2, 3).flip(3)
    torch.testing.assert_close(turned[..., inner, inner], expected[..., inner, inner])


def test_the_spline_goes_through_its_control_points_and_is_exact_for_affine_maps() -> None:
    small = ConvolutionalSpatialTransformer(4, 5, transform="thin-plate")
    torch.testing.assert_close(small.spline, torch.eye(9), atol=1e-5, rtol=0)
    large = ConvolutionalSpatialTransformer(4, 5, transform="thin-plate", kernel_size=7)
    controls = 3 * (large.field[large.field.abs().amax(1) <= 1])
    matrix = torch.tensor([[0.9, -0.3], [0.2, 1.1]])
    moved = large.spline @ (controls @ matrix.T - controls)
    torch.testing.assert_close(large.field + moved, large.field @ matrix.T, atol=1e-4, rtol=0)


def test_learns_to_turn() -> None:
    """A branch that sees which way a pattern is turned learns to bring it upright."""
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    layer = ConvolutionalSpatialTransformer(1, 8, transform="rigid", width=32)
    pattern = torch.randn(1, 1, 9, 9, generator=generator)
    views = torch.cat([pattern.rot90(quarters, (2, 3)) for quarters in range(4)])
    optimizer = torch.optim.Adam(layer.localization.parameters(), 0.01)
    losses = []
    for _ in range(300):
        found = layer(views)[0][:, :, 4, 4]
        upright = found[:1].detach()
        loss = (found - upright).square().sum(1).mean() / upright.square().sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.5 * losses[0]


def test_refuses_settings() -> None:
    with pytest.raises(OptionError, match="kernel_size is 4"):
        ConvolutionalSpatialTransformer(4, 5, kernel_size=4)


def test_convolve_places_without_a_bias() -> None:
    layer, features = planted("rigid"), some_features()
    places = layer.places(features)
    weight, bias = layer.convolution.weight, layer.convolution.bias
    without = convolve_places(features, places, weight)
    torch.testing.assert_close(
        without + bias[:, None, None], convolve_places(features, places, weight, bias)
    )
