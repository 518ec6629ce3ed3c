"""The correspondence contrastive loss against equation (1), written out pair by pair."""

import pytest
import torch

from corr.errors import OptionError
from corr.losses import ContrastiveLoss, CorrespondenceContrastiveLoss, Guard, Labels

NUM = 13


def scattered(num=NUM, side=60.0, num_images=2):
    generator = torch.Generator().manual_seed(2)
    points = side * torch.rand(num, 2, generator=generator)
    return Labels(points=points, images=torch.arange(num) % num_images)


def equation_1(anchors, positives, labels, margin, radius):
    """Every pair of points, with s as in the paper."""
    pairs = []
    for own, others in ((anchors, positives), (positives, anchors)):
        for i in range(len(own)):
            pairs.append((1, (own[i] - others[i]).norm().item()))
            far = [
                (own[i] - others[j]).norm().item()
                for j in range(len(own))
                if j != i
                and (
                    labels.images[i] != labels.images[j]
                    or (labels.points[i] - labels.points[j]).norm() > radius
                )
            ]
            if far:
                pairs.append((0, min(far)))
    total = sum(s * d**2 + (1 - s) * max(0.0, margin - d) ** 2 for s, d in pairs)
    return total / (2 * len(pairs)), len(pairs)


@pytest.mark.parametrize("margin", [1.0, 1.3])
@pytest.mark.parametrize("radius", [5.0, 16.0, 40.0, 200.0])
def test_it_is_equation_1(make_batch, margin, radius):
    batch, labels = make_batch(NUM), scattered()
    expected, _ = equation_1(*batch, labels, margin, radius)
    loss = CorrespondenceContrastiveLoss(margin, guard=Guard(min_distance=0.0, radius=radius))
    assert loss(*batch, labels).item() == pytest.approx(expected, abs=1e-12)
    assert expected > 0.01


def test_a_point_without_a_negative_is_in_one_pair(make_batch):
    batch, labels = make_batch(3), scattered(3, 10.0, num_images=1)
    expected, num_pairs = equation_1(*batch, labels, 1.0, 16.0)
    assert num_pairs == 6
    value = CorrespondenceContrastiveLoss()(*batch, labels)
    assert value.item() == pytest.approx(expected, abs=1e-12)


def test_half_of_the_contrastive_loss_of_the_same_negatives(make_batch):
    """Which weighs pairs that match and others by halves, and has no 2 below the sum."""
    batch, labels = make_batch(NUM), scattered()
    guard = Guard(min_distance=0.0, radius=16.0)
    other = ContrastiveLoss(0.0, 1.0, mining="hardest", guard=guard)(*batch, labels)
    torch.testing.assert_close(2 * CorrespondenceContrastiveLoss()(*batch, labels), other)


def test_random_negatives_are_as_many_and_easier(make_batch):
    batch, labels = make_batch(NUM), scattered()
    hard = CorrespondenceContrastiveLoss(1.3)(*batch, labels)
    torch.manual_seed(0)
    loss = CorrespondenceContrastiveLoss(1.3, mining="random")
    drawn = torch.stack([loss(*batch, labels) for _ in range(40)])
    assert (drawn <= hard + 1e-12).all()
    assert drawn.std() > 0.001 * hard
    torch.manual_seed(0)
    only = loss(*make_batch(3), scattered(3, 10.0, num_images=1))  # where there are none
    hardest = CorrespondenceContrastiveLoss(1.3)
    torch.testing.assert_close(only, hardest(*make_batch(3), scattered(3, 10.0, num_images=1)))


@pytest.mark.parametrize("mining", ["hardest", "semi-hard", "random"])
def test_gradient(make_batch, mining):
    sides = [side.requires_grad_() for side in make_batch(7, 4)]

    def loss(anchors, positives):
        torch.manual_seed(0)
        return CorrespondenceContrastiveLoss(1.5, mining=mining)(anchors, positives, scattered(7))

    assert torch.autograd.gradcheck(loss, sides)


def test_refusals(make_batch):
    with pytest.raises(OptionError, match=r"margin is 0.0; use a value in \(0, 2\]"):
        CorrespondenceContrastiveLoss(0.0)
    with pytest.raises(OptionError, match=r"radius is 16.0 px, but the data gives no points"):
        CorrespondenceContrastiveLoss()(*make_batch(NUM))
