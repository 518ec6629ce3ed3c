import pytest
import torch

from corr.errors import OptionError
from corr.losses import Guard, Labels, SOSNetLoss
from corr.losses.nearest_negatives import nearest_negatives
from corr.losses.second_order import second_order_term

NUM = 13
LABELS = Labels(tracks=torch.arange(NUM) // 2)


def chords(first, second):
    return torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist")


def allowed(distances, guard, labels):
    return guard.negatives(distances, slice(0, NUM), labels)


def nearest_of_four(anchors, positives, guard, labels):
    """The distance to the nearest negative of each match, by whole matrices."""
    found = []
    for one, other in (
        (anchors, positives),
        (positives, anchors),
        (anchors, anchors),
        (positives, positives),
    ):
        distances = chords(one, other)
        negative = allowed(distances, guard, labels)
        found.append(distances.masked_fill(~negative, torch.inf).amin(1))
    return torch.stack(found).amin(0)


def naive(anchors, positives, guard, labels, k):
    """The paper's sums, one row at a time."""
    nearest = nearest_of_four(anchors, positives, guard, labels)
    first, second = 0.0, 0.0
    for i in range(NUM):
        gap = 1.1 + (anchors[i] - positives[i]).norm() - nearest[i]
        first += max(0.0, gap.item()) ** 2
        neighbors = set()
        for side in (anchors, positives):
            distances = chords(side, side)
            row = allowed(distances, guard, labels)[i]
            rows = sorted((j for j in range(NUM) if row[j]), key=lambda j, d=distances: d[i, j])
            neighbors |= set(rows[:k])
        total = sum(
            ((anchors[i] - anchors[j]).norm() - (positives[i] - positives[j]).norm()) ** 2
            for j in neighbors
        )
        second += float(total) ** 0.5
    return first / NUM, second / NUM


@pytest.mark.parametrize("labels", [None, LABELS])
@pytest.mark.parametrize("k", [1, 3, 8, 40])
def test_against_a_naive_loop(make_batch, labels, k):
    batch = make_batch(NUM)
    guard = Guard(0.5)
    first, second = naive(*batch, guard, labels, k)
    loss = SOSNetLoss(1.1, num_neighbors=k, weight=0.7, guard=guard)(*batch, labels)
    assert loss.item() == pytest.approx(first + 0.7 * second, abs=1e-9)
    alone = SOSNetLoss(1.1, num_neighbors=k, weight=0.0, guard=guard)(*batch, labels)
    assert alone.item() == pytest.approx(first, abs=1e-9)
    assert min(first, second) > 0.1


def test_hand_answer():
    """On a line of angles: neighbours 90 degrees apart on one side, 60 on the other."""
    anchors = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    positives = torch.tensor([[1.0, 0.0], [0.5, 0.75**0.5]], dtype=torch.float64)
    neighbors = torch.tensor([[1, 1, -1], [0, -1, 0]])
    term = second_order_term(anchors, positives, neighbors)
    assert term.item() == pytest.approx(2**0.5 - 1)  # for either row; once, though named twice


def test_equal_sides_cost_nothing_and_have_a_gradient(make_batch):
    anchors, _ = make_batch(NUM)
    side = anchors.requires_grad_()
    neighbors = torch.arange(NUM).roll(1)[:, None]
    term = second_order_term(side, anchors.detach(), neighbors)
    term.backward()
    assert term.item() == pytest.approx(1e-4)
    assert torch.equal(side.grad, torch.zeros_like(side))


def test_nearest_of_four_kinds(make_batch):
    batch = make_batch(NUM)
    near = nearest_negatives(*batch, 2, guard=Guard(0.5), labels=LABELS)
    torch.testing.assert_close(near.distances, nearest_of_four(*batch, Guard(0.5), LABELS))
    assert near.of_anchors.shape == near.of_positives.shape == (NUM, 2)


def test_gradient(make_batch):
    sides = [side.requires_grad_() for side in make_batch(7, 4)]
    assert torch.autograd.gradcheck(SOSNetLoss(num_neighbors=3), sides)


def test_refusals():
    with pytest.raises(OptionError, match="num_neighbors is 0; use 1 or more"):
        SOSNetLoss(num_neighbors=0)
