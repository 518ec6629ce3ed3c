import pytest
import torch
import torch.nn.functional as F
from pytorch_metric_learning import losses as pml_losses
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.reducers import MeanReducer

from corr.losses import ContrastiveLoss, Guard, Labels

NUM = 13
LABELS = Labels(tracks=torch.arange(NUM) // 2)


def naive(batch, loss, labels):
    """Pairs one at a time."""
    anchors, positives = batch
    power = 2 if loss.squared else 1
    distances = torch.stack([(anchors[i] - positives).norm(dim=1) for i in range(len(anchors))])
    negative = loss.guard.negatives(distances, slice(0, NUM), labels)
    pull, push = [], []
    for i in range(len(anchors)):
        pull.append(max(0.0, distances[i, i].item() - loss.pos_margin) ** power)
        for allowed, row in ((negative[i], distances[i]), (negative[:, i], distances[:, i])):
            found = [row[j].item() for j in range(len(anchors)) if allowed[j]]
            if loss.mining == "hardest":
                found = [min(found)]
            push += [max(0.0, loss.neg_margin - d) ** power for d in found]
    return (sum(pull) / len(pull) + sum(push) / len(push)) / 2


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("mining", ["all", "hardest"])
@pytest.mark.parametrize("squared", [True, False])
@pytest.mark.parametrize("pos_margin", [0.0, 0.3])
def test_against_a_naive_loop(make_batch, mining, squared, pos_margin):
    batch = make_batch(NUM)
    loss = ContrastiveLoss(pos_margin, 1.2, squared=squared, mining=mining, guard=Guard(0.6))
    value = loss(*batch, LABELS).item()
    assert value == pytest.approx(naive(batch, loss, LABELS), abs=1e-12)
    assert value > 0.01


def test_hand_answer():
    """Hadsell's equation: half the square of a distance, and of what a margin lacks."""
    anchors = torch.tensor([[1.0, 0.0], [0.0, 1.0]], dtype=torch.float64)
    positives = torch.tensor([[0.6, 0.8], [0.0, 1.0]], dtype=torch.float64)
    # Squared distances: matching 0.8 and 0; others 2 (which no margin minds) and 0.4.
    loss = ContrastiveLoss(0.0, 1.0)(anchors, positives)
    expected = (0.8 / 2 + (1 - 0.4**0.5) ** 2 / 2) / 2
    assert loss.item() == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("mining", ["random", "distance-weighted", "semi-hard", "hardest", "all"])
def test_gradient_with_every_mining(make_batch, mining):
    sides = [side.requires_grad_() for side in make_batch(7, 4)]

    def loss(anchors, positives):
        torch.manual_seed(0)
        return ContrastiveLoss(0.1, 1.5, mining=mining)(anchors, positives)

    assert torch.autograd.gradcheck(loss, sides)


@pytest.mark.parametrize("margins", [(0.0, 1.0), (0.3, 1.4)])
def test_plain_hinges_equal_the_oracle(make_batch, margins):
    anchors, positives = make_batch(NUM)
    oracle = pml_losses.ContrastiveLoss(*margins, distance=LpDistance(), reducer=MeanReducer())
    tracks = torch.arange(NUM)
    expected = oracle(anchors, tracks, ref_emb=positives, ref_labels=tracks.clone())
    loss = ContrastiveLoss(*margins, squared=False, guard=Guard(0.0))
    torch.testing.assert_close(2 * loss(anchors, positives), expected)


def test_rows_without_a_negative_do_not_count(make_batch):
    anchors, positives = make_batch(4)
    labels = Labels(tracks=torch.tensor([0, 0, 0, 1]), points=torch.zeros(4, 2))
    loss = ContrastiveLoss(mining="hardest", guard=Guard(radius=1.0))(anchors, positives, labels)
    expected = F.pairwise_distance(anchors, positives, eps=0).square().mean() / 2
    torch.testing.assert_close(loss, expected)
