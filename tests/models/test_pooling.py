import pytest
import torch

from corr.models.filter_response import FilterResponseNorm, ThresholdedLinearUnit
from corr.models.pooling import GeneralizedMeanPooling, generalized_mean


def test_generalized_mean_by_hand():
    features = torch.tensor([1.0, 2.0, 3.0, 4.0]).reshape(1, 1, 2, 2)
    for exponent, expected in ((1, 2.5), (2, (30 / 4) ** 0.5), (3, 25 ** (1 / 3)), (-1, 1.92)):
        assert generalized_mean(features, float(exponent)).item() == pytest.approx(expected)
    assert generalized_mean(features, 60.0).item() == pytest.approx(4, rel=0.03)


def test_generalized_mean_of_nothing_positive_is_the_smallest_value():
    pooled = generalized_mean(-torch.ones(1, 2, 3, 3), 3.0)
    torch.testing.assert_close(pooled, torch.full((1, 2), 1e-6), atol=1e-9, rtol=0)


def test_generalized_mean_keeps_half_precision_from_overflowing():
    features = torch.full((1, 1, 2, 2), 100.0, dtype=torch.float16)
    assert generalized_mean(features, 3.0).item() == pytest.approx(100, rel=1e-5)


def test_gradients_of_pooling_and_its_exponent():
    features = torch.rand(2, 3, 4, 4, dtype=torch.double, requires_grad=True)
    exponent = torch.tensor(2.5, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(generalized_mean, (features + 0.1, exponent))
    assert GeneralizedMeanPooling(4.0).exponent.item() == 4


def test_filter_response_by_hand():
    norm = FilterResponseNorm(2)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([2.0, 1.0]).reshape(2, 1, 1))
        norm.bias.copy_(torch.tensor([0.5, 0.0]).reshape(2, 1, 1))
    features = torch.tensor([[[[3.0, 4.0]], [[-1.0, 1.0]]]])
    root_mean_square = 12.5**0.5
    expected = [[[[2 * 3 / root_mean_square + 0.5, 2 * 4 / root_mean_square + 0.5]], [[-1.0, 1.0]]]]
    torch.testing.assert_close(norm(features), torch.tensor(expected))
    twice = torch.cat((features, 7 * features))
    torch.testing.assert_close(norm(twice)[1:], norm(features))


def test_gradients_of_filter_response_and_threshold():
    layers = torch.nn.Sequential(FilterResponseNorm(3), ThresholdedLinearUnit(3)).double()
    features = torch.randn(2, 3, 4, 4, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(layers, (features,))


def test_the_threshold_is_the_smallest_value():
    features = torch.tensor([-3.0, -1.0, 0.0, 2.0]).reshape(1, 1, 2, 2)
    expected = torch.tensor([-1.0, -1.0, 0.0, 2.0]).reshape(1, 1, 2, 2)
    assert torch.equal(ThresholdedLinearUnit(1)(features), expected)
