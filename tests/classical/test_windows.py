"""Means and medians over windows: what OpenCV computes is what PyTorch computes."""

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter, median_filter

from corr.classical import windows
from corr.classical.windows import gaussian_mean, median_of_25

SHAPES = [(1, 1, 1, 1), (2, 3, 1, 40), (1, 2, 33, 3), (2, 1, 40, 57)]


def _values(shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("sigma", [1.0, 3.0])
def test_a_mean_is_the_same_with_gradients_and_without(shape, sigma):
    values = _values(shape)
    with torch.no_grad():
        quick = gaussian_mean(values, sigma)
    assert not quick.requires_grad
    traced = gaussian_mean(values.clone().requires_grad_(), sigma)
    assert traced.requires_grad
    torch.testing.assert_close(quick, traced.detach())
    expected = gaussian_filter(
        values.double().numpy(), sigma, axes=(2, 3), mode="nearest", truncate=2.5
    )
    np.testing.assert_allclose(quick.numpy(), expected, atol=1e-5)


@pytest.mark.parametrize("rows", [1, 7, 100])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_median_is_the_same_with_gradients_and_without(monkeypatch, shape, rows):
    monkeypatch.setattr(windows, "MEDIAN_PIXELS", rows * shape[0] * shape[3])
    values = _values(shape)
    expected = median_filter(values.numpy(), size=5, axes=(2, 3), mode="nearest")
    with torch.no_grad():
        np.testing.assert_array_equal(median_of_25(values).numpy(), expected)
    traced = median_of_25(values.clone().requires_grad_())
    np.testing.assert_array_equal(traced.detach().numpy(), expected)


def test_each_of_a_batch_may_be_traced():
    values = _values((3, 2, 9, 11))
    single = torch.vmap(lambda one: gaussian_mean(one[None], 1.0)[0])
    torch.testing.assert_close(single(values), gaussian_mean(values, 1.0))
    slope = torch.func.grad(lambda given: gaussian_mean(given, 1.0).square().sum())(values)
    assert slope.abs().min() > 0


@torch.no_grad()
def test_strided_values_are_read_as_they_are():
    values = _values((1, 40, 50, 2)).permute(0, 3, 1, 2)
    torch.testing.assert_close(gaussian_mean(values, 2.0), gaussian_mean(values.contiguous(), 2.0))
