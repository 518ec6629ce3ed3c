"""InfoNCE, dual softmax and N-pair: all are made of the probability of a match."""

import math

import pytest
import torch
import torch.nn.functional as F
from pytorch_metric_learning import losses as pml_losses

from corr.losses import DualSoftmaxLoss, Guard, InfoNCELoss, Labels, NPairLoss
from corr.losses.softmax import matched_log_probability

NUM = 13
LABELS = Labels(tracks=torch.arange(NUM) // 2)


def naive_log_probability(own, others, temperature, guard, labels):
    """Sums of exponentials, one pair at a time."""
    units = F.normalize(own, dim=1), F.normalize(others, dim=1)
    distances = torch.cdist(*units, compute_mode="donot_use_mm_for_euclid_dist")
    negative = guard.negatives(distances, slice(0, NUM), labels)
    found = []
    for i in range(NUM):
        weights = [
            math.exp((own[i] @ others[j]).item() / temperature)
            for j in range(NUM)
            if negative[i, j] or i == j
        ]
        found.append((own[i] @ others[i]).item() / temperature - math.log(sum(weights)))
    return torch.tensor(found, dtype=torch.float64)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("labels", [None, LABELS])
def test_losses_against_naive_loops(make_batch, labels):
    anchors, positives = make_batch(NUM)
    guard = Guard(0.7)
    forward = naive_log_probability(anchors, positives, 0.2, guard, labels)
    backward = naive_log_probability(positives, anchors, 0.2, guard, labels)
    one_way = InfoNCELoss(0.2, both_ways=False, guard=guard)(anchors, positives, labels)
    torch.testing.assert_close(one_way, -forward.mean())
    both = InfoNCELoss(0.2, guard=guard)(anchors, positives, labels)
    torch.testing.assert_close(both, -(forward + backward).mean() / 2)
    dual = DualSoftmaxLoss(0.2, guard=guard)(anchors, positives, labels)
    torch.testing.assert_close(dual, -(forward + backward).mean())
    focal = DualSoftmaxLoss(0.2, focus=2.0, guard=guard)(anchors, positives, labels)
    probability = (forward + backward).exp()
    torch.testing.assert_close(focal, -((1 - probability) ** 2 * probability.log()).mean())
    long = 3 * anchors, 2 * positives
    n_pair = NPairLoss(0.1, guard=guard)(*long, labels)
    expected = -naive_log_probability(*long, 1.0, guard, labels).mean() + 0.1 / 4 * (9 + 4)
    torch.testing.assert_close(n_pair, expected)


def test_hand_answers():
    """Two orthogonal points, each seen twice alike: similarity 1 to its match, 0 to the other."""
    corners = torch.eye(2, dtype=torch.float64)
    cross_entropy = math.log(1 + math.exp(-1 / 0.5))
    assert InfoNCELoss(0.5)(corners, corners).item() == pytest.approx(cross_entropy)
    assert DualSoftmaxLoss(0.5)(corners, corners).item() == pytest.approx(2 * cross_entropy)
    # Of length 2 their inner product is 4.
    n_pair = NPairLoss(0.0)(2 * corners, 2 * corners).item()
    assert n_pair == pytest.approx(math.log(1 + math.exp(-4)))


def test_info_nce_equals_the_oracle(make_batch):
    anchors, positives = make_batch(NUM)
    tracks = torch.arange(NUM)
    oracle = pml_losses.NTXentLoss(0.3)
    expected = oracle(anchors, tracks, ref_emb=positives, ref_labels=tracks.clone())
    loss = InfoNCELoss(0.3, both_ways=False, guard=Guard(0.0))
    torch.testing.assert_close(loss(anchors, positives), expected)


def test_n_pair_equals_the_oracle(make_batch):
    anchors, positives = (2 * side for side in make_batch(NUM))
    oracle = pml_losses.NPairsLoss()
    oracle.distance.normalize_embeddings = False
    pairs = torch.arange(NUM), torch.arange(NUM) + NUM
    none = torch.zeros(0, dtype=torch.long)
    tracks = torch.arange(NUM).repeat(2)
    both = torch.cat((anchors, positives))
    expected = oracle(both, tracks, indices_tuple=(*pairs, none, none))
    torch.testing.assert_close(NPairLoss(0.0, guard=Guard(0.0))(anchors, positives), expected)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize(
    "loss", [InfoNCELoss(0.2), DualSoftmaxLoss(0.2, focus=0.5), NPairLoss(0.1)]
)
def test_gradient(make_batch, loss):
    sides = [side.requires_grad_() for side in make_batch(NUM, 4)]
    assert torch.autograd.gradcheck(loss, sides)


def test_a_cold_softmax_stays_finite(make_batch):
    anchors, positives = make_batch(NUM, dtype=torch.float32)
    sides = anchors.requires_grad_(), anchors.detach().clone()
    loss = DualSoftmaxLoss(1e-3, focus=0.5)(*sides)
    loss.backward()
    assert loss.isfinite()
    assert anchors.grad.isfinite().all()
    found = matched_log_probability(anchors, -positives, 1e-3, guard=Guard())
    assert found.isfinite().all()
    assert found.min() < -1000


def test_lengths_are_braked():
    corners = torch.eye(3, dtype=torch.float64).requires_grad_()
    NPairLoss(10.0)(corners, corners.detach()).backward()
    assert (corners.grad.diagonal() > 0).all()
