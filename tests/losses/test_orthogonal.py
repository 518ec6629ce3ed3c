import pytest
import torch
import torch.nn.functional as F

from corr.losses import (
    ContrastiveLoss,
    GlobalOrthogonalLoss,
    Guard,
    InfoNCELoss,
    Labels,
    TripletLoss,
)
from corr.losses.orthogonal import global_orthogonal_term

NUM = 13
LABELS = Labels(tracks=torch.arange(NUM) // 2)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("labels", [None, LABELS])
def test_against_a_naive_loop(make_batch, labels):
    # All in one half of the sphere, so that both moments are too large.
    anchors, positives = (F.normalize(side + 0.4, dim=1) for side in make_batch(NUM, 8))
    guard = Guard(0.5)
    distances = torch.cdist(anchors, positives, compute_mode="donot_use_mm_for_euclid_dist")
    negative = guard.negatives(distances, slice(0, NUM), labels)
    products = [
        float(anchors[i] @ positives[j]) for i in range(NUM) for j in range(NUM) if negative[i, j]
    ]
    mean = sum(products) / len(products)
    mean_square = sum(value**2 for value in products) / len(products)
    expected = mean**2 + max(0.0, mean_square - 1 / 8)
    found = global_orthogonal_term(anchors, positives, guard=guard, labels=labels)
    assert found.item() == pytest.approx(expected, abs=1e-12)
    assert min(mean**2, mean_square - 1 / 8) > 0.01
    triplet = TripletLoss()
    loss = GlobalOrthogonalLoss(triplet, 0.5, guard=guard)(anchors, positives, labels)
    torch.testing.assert_close(loss, triplet(anchors, positives, labels) + 0.5 * found)


def test_hand_answers():
    corners = torch.eye(4, dtype=torch.float64)
    assert global_orthogonal_term(corners, corners, guard=Guard()) == 0
    # Inner products of other rows are all -1: mean 1 squared, and mean square 1 - 1/4 too many.
    poles = torch.stack((corners[0], -corners[0]))
    assert global_orthogonal_term(poles, poles, guard=Guard()).item() == pytest.approx(1 + 0.75)


def test_random_directions_cost_nearly_nothing(make_batch):
    anchors, positives = make_batch(600, 32)
    assert global_orthogonal_term(anchors, positives, guard=Guard()) < 1e-3


@pytest.mark.usefixtures("small_blocks")
def test_gradient(make_batch):
    sides = [F.normalize(side + 0.4, dim=1).requires_grad_() for side in make_batch(NUM, 4)]
    assert torch.autograd.gradcheck(GlobalOrthogonalLoss(InfoNCELoss(0.3)), sides)


def test_it_has_the_margin_of_the_other_loss():
    assert GlobalOrthogonalLoss(TripletLoss(0.7)).margin == 0.7
    assert GlobalOrthogonalLoss(ContrastiveLoss()).margin == 0


def test_a_loss_that_takes_no_labels_may_be_the_other(make_batch):
    class Pull(TripletLoss):
        def forward(self, anchors, positives):
            return (anchors - positives).square().sum(1).mean()

    assert GlobalOrthogonalLoss(Pull())(*make_batch(5)) > 0
