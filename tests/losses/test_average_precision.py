import math

import pytest
import torch
from pytorch_metric_learning import losses as pml_losses

from corr.losses import Guard, Labels, SmoothAPLoss
from corr.losses.average_precision import smooth_average_precision

NUM = 12
LABELS = Labels(tracks=torch.tensor([0, 0, 0, 1, 1, 2, 3, 3, 4, 4, 4, 4]))


def naive(queries, gallery, temperature, guard, tracks):
    """The paper's sums, one query and one pair at a time."""
    similarity = queries @ gallery.T
    distances = torch.cdist(queries, gallery, compute_mode="donot_use_mm_for_euclid_dist")
    negative = guard.negatives(distances, slice(0, NUM), Labels(tracks=tracks))
    found = []
    for i in range(NUM):
        wanted = [j for j in range(NUM) if tracks[i] == tracks[j]]
        others = [j for j in range(NUM) if negative[i, j]]
        precision = 0.0
        for p in wanted:

            def above(rows, p=p, i=i):
                gaps = [float(similarity[i, j] - similarity[i, p]) for j in rows if j != p]
                return 1 + sum(1 / (1 + math.exp(-gap / temperature)) for gap in gaps)

            precision += above(wanted) / above(wanted + others)
        found.append(precision / len(wanted))
    return torch.tensor(found, dtype=torch.float64)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("labels", [None, LABELS])
def test_against_a_naive_loop(make_batch, labels):
    anchors, positives = make_batch(NUM, noise=0.9)
    guard = Guard(0.7)
    tracks = torch.arange(NUM) if labels is None else labels.tracks
    forward = naive(anchors, positives, 0.1, guard, tracks)
    backward = naive(positives, anchors, 0.1, guard, tracks)
    found = smooth_average_precision(anchors, positives, 0.1, guard=guard, labels=labels)
    torch.testing.assert_close(found, forward)
    loss = SmoothAPLoss(0.1, guard=guard)(anchors, positives, labels)
    torch.testing.assert_close(loss, 1 - (forward + backward).mean() / 2)
    assert 0.05 < loss < 0.95


def test_hand_answer_of_a_ranking():
    """Cold, it is the average precision itself: both wanted ones come first and third."""
    angles = torch.tensor([0.0, 0.1, 0.2, 0.3], dtype=torch.float64)
    gallery = torch.stack((angles.cos(), angles.sin()), dim=1)
    labels = Labels(tracks=torch.tensor([0, 1, 0, 2]))
    found = smooth_average_precision(
        gallery, gallery, 1e-5, guard=Guard(min_distance=0.0), labels=labels
    )
    assert found[0].item() == pytest.approx((1 / 1 + 2 / 3) / 2, abs=1e-6)


def test_it_equals_the_oracle(make_batch):
    """Which ranks a batch against itself, the query included.

    It takes as many rows for a class as there are classes, so only such a batch is right.
    """
    rows, _ = make_batch(9)
    tracks = torch.arange(9) // 3
    expected = pml_losses.SmoothAPLoss(0.05)(rows.float(), tracks)
    loss = SmoothAPLoss(0.05, guard=Guard(min_distance=0.0))
    found = loss(rows.float(), rows.float(), Labels(tracks=tracks))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("labels", [None, LABELS])
def test_gradient(make_batch, labels):
    sides = [side.requires_grad_() for side in make_batch(NUM, 4, noise=0.9)]
    loss = SmoothAPLoss(0.2)
    assert torch.autograd.gradcheck(lambda a, p: loss(a, p, labels), sides)
