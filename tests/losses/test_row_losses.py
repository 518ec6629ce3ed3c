"""Losses along the rows of a rectified pair, against naive loops."""

import math

import pytest
import torch

from corr.errors import OptionError
from corr.losses import RowHingeLoss, RowSoftmaxLoss
from corr.losses.rows import spread_target


def naive_softmax_loss(scores, target, temperature, smoothing):
    total = 0.0
    for row, true in zip(scores.tolist(), target.tolist(), strict=True):
        weights = []
        for column in range(len(row)):
            away = abs(column - true)
            near, far = math.floor(away), math.floor(away) + 1
            table = dict(enumerate(smoothing))
            share = away - near
            weights.append((1 - share) * table.get(near, 0) + share * table.get(far, 0))
        odds = [math.exp(score / temperature) for score in row]
        for weight, odd in zip(weights, odds, strict=True):
            total -= weight / sum(weights) * math.log(odd / sum(odds))
    return total / len(scores)


@pytest.mark.parametrize("smoothing", [(0.5, 0.2, 0.05), (1.0,), (0.4, 0.3)])
def test_softmax_against_a_naive_loop(smoothing):
    generator = torch.Generator().manual_seed(0)
    scores = 2 * torch.rand(9, 14, generator=generator) - 1
    target = torch.tensor([0.0, 13.0, 0.3, 12.7, 5.0, 5.5, 6.25, 1.0, 12.0])
    expected = naive_softmax_loss(scores, target, 0.1, smoothing)
    found = RowSoftmaxLoss(0.1, smoothing)(scores, target)
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_truth_is_spread_as_in_the_paper():
    columns, weights = spread_target(torch.tensor([7.0]), 20, (0.5, 0.2, 0.05))
    spread = dict(zip(columns[0].tolist(), weights[0].tolist(), strict=True))
    expected = {5: 0.05, 6: 0.2, 7: 0.5, 8: 0.2, 9: 0.05, 10: 0.0}
    assert spread == pytest.approx(expected, abs=1e-6)


def test_softmax_is_lowest_where_the_scores_are_the_truth():
    """The gradient vanishes at the scores whose softmax is the spread truth, and nowhere else."""
    target = torch.tensor([4.4])
    columns, weights = spread_target(target, 9, (0.5, 0.2, 0.05))
    odds = torch.full((1, 9), 1e-9).scatter_add(1, columns, weights)
    best = (0.07 * odds.log()).requires_grad_()
    (slope,) = torch.autograd.grad(RowSoftmaxLoss()(best, target), best)
    assert slope.abs().max() < 1e-5
    other = torch.zeros(1, 9, requires_grad=True)
    (slope,) = torch.autograd.grad(RowSoftmaxLoss()(other, target), other)
    assert slope[0, 4] < slope[0, 5] < slope[0, 0]


def test_hinge_of_a_peak():
    """A peak of 2 px and height 0.5: what is 4 px away has no score, and the rest is known."""
    target = torch.linspace(12, 28, 4000)
    scores = 0.5 * (1 - (torch.arange(41.0) - target[:, None]).abs() / 2).clamp_min(0)
    torch.manual_seed(0)
    assert float(RowHingeLoss(0.2, positive=0.0)(scores, target)) == 0
    # Between pixels a score is read by a triangle as wide as two: E|v| is 1/3 of a px then, and
    # E|u + v| is 7/12 of one with the match up to a px from the truth.
    at = float(RowHingeLoss(0.7, positive=0.0)(scores, target))
    assert at == pytest.approx(0.7 - 0.5 * (1 - 1 / 6), abs=0.002)
    off = float(RowHingeLoss(0.7, positive=1.0)(scores, target))
    assert off == pytest.approx(0.7 - 0.5 * (1 - 7 / 24), abs=0.006)


def test_hinge_draws_negatives_on_both_sides_within_their_range():
    width = 61
    scores = torch.zeros(1, width).requires_grad_()
    torch.manual_seed(0)
    target = torch.full((5000,), 30.0)
    loss = RowHingeLoss(0.2, positive=1.0, nearest=4.0, farthest=10.0)
    (slope,) = torch.autograd.grad(loss(scores.expand(5000, width), target), scores)
    pushed, pulled = slope[0] > 0, slope[0] < 0
    assert pulled.nonzero().flatten().tolist() == [29, 30, 31]
    assert pushed.nonzero().flatten().tolist() == [*range(20, 27), *range(34, 41)]
    assert float(slope[0, :30].clamp_min(0).sum()) == pytest.approx(0.5, abs=0.03)


def test_hinge_at_the_ends_and_in_a_row_too_short_for_negatives():
    loss = RowHingeLoss()
    scores = torch.zeros(2, 30)
    assert float(loss(scores, torch.tensor([0.0, 29.0]))) == pytest.approx(0.2)  # all inside
    assert float(loss(torch.zeros(2, 3), torch.tensor([0.0, 2.0]))) == 0


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: RowHingeLoss(0.0), "margin is 0.0; use a value above 0"),
        (lambda: RowHingeLoss(positive=5.0), "are 5, 4 and 10 px; use rising values"),
        (lambda: RowHingeLoss(farthest=3.0), "are 1, 4 and 3 px"),
        (lambda: RowSoftmaxLoss(0.0), "temperature is 0.0"),
        (lambda: RowSoftmaxLoss(smoothing=()), r"smoothing is \[\]"),
        (lambda: RowSoftmaxLoss(smoothing=(0.0, 1.0)), "the first above 0"),
    ],
)
def test_refusals(make, said):
    with pytest.raises(OptionError, match=said):
        make()
