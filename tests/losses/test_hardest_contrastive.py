import pytest
import torch

from corr.losses import ContrastiveLoss, Guard, HardestContrastiveLoss, Labels

NUM = 13
LABELS = Labels(tracks=torch.arange(NUM) // 2)


def naive(anchors, positives, negative, thresholds, weight):
    """The paper's equation, one row at a time."""
    pull, push = [], ([], [])
    for i in range(NUM):
        pull.append(max(0.0, (anchors[i] - positives[i]).norm().item() - thresholds[0]) ** 2)
        rows = [(anchors[i] - positives[j]).norm().item() for j in range(NUM) if negative[i, j]]
        columns = [(anchors[j] - positives[i]).norm().item() for j in range(NUM) if negative[j, i]]
        for side, found in zip(push, (rows, columns), strict=True):
            if found:
                side.append(max(0.0, thresholds[1] - min(found)) ** 2)
    return sum(pull) / NUM + weight * sum(sum(side) / len(side) for side in push)


@pytest.mark.parametrize("weight", [0.5, 1.0])
def test_against_a_naive_loop(make_batch, weight):
    batch = make_batch(NUM)
    guard = Guard(0.6)
    distances = torch.cdist(*batch, compute_mode="donot_use_mm_for_euclid_dist")
    negative = guard.negatives(distances, slice(0, NUM), LABELS)
    loss = HardestContrastiveLoss(0.2, 1.3, neg_weight=weight, guard=guard)
    expected = naive(*batch, negative, (0.2, 1.3), weight)
    assert loss(*batch, LABELS).item() == pytest.approx(expected, abs=1e-12)
    assert expected > 0.1


def test_hand_answer():
    anchors = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    positives = torch.tensor([[0.6, 0.8], [0.0, 1.0]], dtype=torch.float64)
    # Distances: matching sqrt(0.8) and 0; from anchor 0 to positive 1 sqrt(2), back sqrt(0.4).
    pull = (0.8**0.5 - 0.1) ** 2 / 2
    push = (1.4 - 0.4**0.5) ** 2 / 2  # of anchor 1, and of positive 0; sqrt(2) is beyond 1.4
    loss = HardestContrastiveLoss()(anchors, positives)
    assert loss.item() == pytest.approx(pull + 0.5 * (push + push), abs=1e-8)


def test_it_is_twice_the_contrastive_loss_of_the_hardest(make_batch):
    batch = make_batch(NUM)
    twin = ContrastiveLoss(0.1, 1.4, mining="hardest")
    torch.testing.assert_close(HardestContrastiveLoss()(*batch), 2 * twin(*batch))


def test_gradient(make_batch):
    sides = [side.requires_grad_() for side in make_batch(7, 4)]
    assert torch.autograd.gradcheck(HardestContrastiveLoss(), sides)


def test_only_rows_with_a_negative_count(make_batch):
    """Tracks leave row 3 alone with negatives, and points take those."""
    anchors, positives = make_batch(4)
    labels = Labels(tracks=torch.tensor([0, 0, 0, 1]), points=torch.zeros(4, 2))
    loss = HardestContrastiveLoss(guard=Guard(radius=1.0))(anchors, positives, labels)
    pull = ((anchors - positives).norm(dim=1) - 0.1).clamp_min(0).square().mean()
    torch.testing.assert_close(loss, pull)
