"""Heat maps of keypoints, and the loss that is least at them."""

import math

import pytest
import torch

from corr.losses.keypoints import heatmap_loss, keypoint_heatmap

NAN = math.nan


def naive(points, size, spread):
    heat = torch.zeros(size)
    for y in range(size[0]):
        for x in range(size[1]):
            for px, py in points:
                away = (x - px) ** 2 + (y - py) ** 2
                heat[y, x] = max(heat[y, x], math.exp(-away / (2 * spread**2)))
    return heat


def test_heat_is_the_gaussian_of_the_nearest_keypoint():
    points = [[(5.3, 4.1), (6.0, 9.7), (0.2, 0.0), (18.9, 11.6)], [(9.5, 6.5), (3.0, 3.0)]]
    table = torch.full((2, 5, 2), NAN)
    for row, own in zip(table, points, strict=True):
        row[: len(own)] = torch.tensor(own)
    heat = keypoint_heatmap(table, (12, 20))
    for found, own in zip(heat, points, strict=True):
        expected = naive(own, (12, 20), 1.0)
        near = expected > 0.05  # farther away it is left out
        assert torch.allclose(found[0][near], expected[near], atol=1e-5)
        assert found[0][~near].max() <= 0.05


def test_no_keypoints_no_heat():
    assert keypoint_heatmap(torch.full((1, 3, 2), NAN), (8, 8)).max() == 0
    assert keypoint_heatmap(torch.zeros(1, 0, 2), (8, 8)).max() == 0


def test_the_loss_is_0_at_the_heat_and_only_there():
    heat = keypoint_heatmap(torch.tensor([[[5.3, 4.1]]]), (12, 12))
    known = torch.ones_like(heat, dtype=torch.bool)
    exact = torch.logit(heat, eps=1e-6)
    assert heatmap_loss(exact, heat, known) == pytest.approx(0, abs=1e-3)
    for other in (exact + 0.5, exact.roll(1, -1), torch.zeros_like(exact)):
        assert heatmap_loss(other, heat, known) > 0.05


def test_the_loss_does_not_look_where_nothing_is_known():
    heat = keypoint_heatmap(torch.tensor([[[5.3, 4.1]]]), (12, 12))
    known = torch.ones_like(heat, dtype=torch.bool)
    known[..., 8:] = False
    logits = torch.zeros_like(heat, requires_grad=True)
    heatmap_loss(logits, heat, known).backward()
    assert logits.grad[..., 8:].abs().max() == 0
    assert logits.grad[..., :8].abs().min() > 0


def test_gradient():
    heat = keypoint_heatmap(torch.tensor([[[2.3, 2.1]]]), (5, 5)).double()
    known = torch.ones_like(heat, dtype=torch.bool)
    logits = torch.randn(1, 1, 5, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda values: heatmap_loss(values, heat, known), logits)
