import pytest
import torch
import torch.nn.functional as F

from corr.errors import OptionError
from corr.losses import Guard, HyNetLoss, Labels
from tests.losses.test_second_order import nearest_of_four

NUM = 13
LABELS = Labels(tracks=torch.arange(NUM) // 2)


@pytest.mark.parametrize("labels", [None, LABELS])
@pytest.mark.parametrize("alpha", [0.0, 2.0])
def test_against_a_naive_loop(make_batch, labels, alpha):
    anchors, positives = make_batch(NUM)
    lengths = torch.rand(2, NUM, 1, dtype=torch.float64, generator=torch.Generator()) + 0.5
    raw = anchors * lengths[0], positives * lengths[1]
    nearest = nearest_of_four(anchors, positives, Guard(0.5), labels)
    total = 0.0
    for i in range(NUM):
        similarity = anchors[i] @ positives[i]
        positive = (anchors[i] - positives[i]).norm() + alpha * (1 - similarity)
        negative = nearest[i] + alpha * nearest[i] ** 2 / 2
        total += max(0.0, float(1.2 + positive - negative))
        total += 0.3 * float(lengths[0, i] - lengths[1, i]) ** 2
    loss = HyNetLoss(alpha=alpha, length_weight=0.3, guard=Guard(0.5))
    assert loss(*raw, labels).item() == pytest.approx(total / NUM, abs=1e-9)
    assert total > 1


def test_hand_answer():
    """Matches 60 degrees apart (chord 1, similarity 1/2), negatives at 90 and more."""
    anchors = torch.tensor([[1.0, 0, 0], [0, 0, 1]], dtype=torch.float64)
    positives = torch.tensor([[0.5, 0.75**0.5, 0], [0, -(0.75**0.5), 0.5]], dtype=torch.float64)
    # A match: 1 + 2 * 1/2 = 2. The nearest negative, two anchors: sqrt(2) + 2 = 3.414.
    loss = HyNetLoss(margin=2.0)(anchors, positives)
    assert loss.item() == pytest.approx(2 + 2 - (2**0.5 + 2), abs=1e-9)
    longer = HyNetLoss(margin=2.0)(3 * anchors, positives)
    assert longer.item() == pytest.approx(loss.item() + 0.1 * 4, abs=1e-9)


def test_gradient(make_batch):
    anchors, positives = make_batch(7, 4)
    sides = (2 * anchors).requires_grad_(), positives.requires_grad_()
    assert torch.autograd.gradcheck(HyNetLoss(), sides)


def test_without_hybrid_and_lengths_it_is_a_triplet_loss(make_batch):
    batch = make_batch(NUM)
    matched = F.pairwise_distance(*batch, eps=0)
    nearest = nearest_of_four(*batch, Guard(), None)
    expected = (1 + matched - nearest).clamp_min(0).mean()
    torch.testing.assert_close(HyNetLoss(1.0, alpha=0.0, length_weight=0.0)(*batch), expected)


def test_refusals():
    with pytest.raises(OptionError, match=r"margin is 3.0; use a value in \(0, 2\]"):
        HyNetLoss(3.0, alpha=0.0)
