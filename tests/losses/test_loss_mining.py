import math

import pytest
import torch
import torch.nn.functional as F
from pytorch_metric_learning import losses as pml_losses
from pytorch_metric_learning import miners
from pytorch_metric_learning.distances import LpDistance
from pytorch_metric_learning.reducers import MeanReducer

from corr.losses import Guard, Labels, TripletLoss
from corr.losses.distances import pairwise_distances
from corr.losses.mining import mine
from corr.losses.triplet import triplet_cost

NUM = 13
LABELS = Labels(tracks=torch.arange(NUM) // 2)
GUARD = Guard(0.7)


def distances_and_negatives(batch, labels=LABELS, guard=GUARD):
    distances = pairwise_distances(*batch)
    return distances, guard.negatives(distances, slice(0, len(batch[0])), labels)


def naive_semi_hard(distances, negative):
    found = []
    for i in range(len(distances)):
        allowed = [j for j in range(len(distances)) if negative[i, j]]
        farther = [j for j in allowed if distances[i, j] > distances[i, i]]
        if farther:
            found.append(min(farther, key=lambda j, i=i: distances[i, j]))
        else:
            found.append(max(allowed, key=lambda j, i=i: distances[i, j], default=-1))
    return torch.tensor(found)


@pytest.mark.parametrize("noise", [0.3, 0.9, 3.0])
@pytest.mark.parametrize("blocks", ["one", "many"])
def test_semi_hard_and_hardest_against_naive_loops(make_batch, noise, blocks, request):
    if blocks == "many":
        request.getfixturevalue("small_blocks")
    batch = make_batch(NUM, noise=noise)
    distances, negative = distances_and_negatives(batch)
    index, reverse = mine(*batch, "semi-hard", guard=GUARD, labels=LABELS)
    assert torch.equal(index, naive_semi_hard(distances, negative))
    assert torch.equal(reverse, naive_semi_hard(distances.T, negative.T))
    index, reverse = mine(*batch, "hardest", guard=GUARD, labels=LABELS)
    masked = distances.masked_fill(~negative, torch.inf)
    assert torch.equal(index, masked.argmin(1))
    assert torch.equal(reverse, masked.argmin(0))


@pytest.mark.parametrize("mining", ["random", "distance-weighted", "semi-hard", "hardest"])
def test_rows_without_a_negative_are_told(make_batch, mining):
    batch = make_batch(4)
    labels = Labels(tracks=torch.tensor([0, 0, 0, 1]), points=torch.tensor([[0.0, 0]] * 4))
    index, reverse = mine(*batch, mining, guard=Guard(0.0, 5.0), labels=labels)
    assert index.tolist() == reverse.tolist() == [-1] * 4
    assert TripletLoss(mining=mining, guard=Guard(0.0, 5.0))(*batch, labels) == 0


def frequencies(batch, mining, guard, num_draws=4000):
    counts = torch.zeros(len(batch[0]), len(batch[0]))
    for _ in range(num_draws):
        index, _ = mine(*batch, mining, guard=guard, both_ways=False)
        counts[torch.arange(len(index)), index] += 1
    return counts / num_draws


def test_random_draws_all_negatives_alike(make_batch):
    torch.manual_seed(0)
    batch = make_batch(6)
    _, negative = distances_and_negatives(batch, None)
    expected = negative / negative.sum(1, keepdim=True)
    assert (frequencies(batch, "random", GUARD) - expected).abs().max() < 0.04


def test_distance_weighted_draws_by_the_inverse_density(make_batch):
    """Against Wu 2017 written out, in numbers that do not overflow."""
    torch.manual_seed(0)
    batch = make_batch(9, 8, noise=1.0)
    distances, negative = distances_and_negatives(batch, None, Guard())
    weight = torch.zeros(9, 9, dtype=torch.float64)
    for i in range(9):
        for j in range(9):
            d = max(distances[i, j].item(), 0.5)
            if negative[i, j] and d < 1.4:
                weight[i, j] = 1 / (d ** (8 - 2) * (1 - d * d / 4) ** ((8 - 3) / 2))
    uniform = weight.sum(1) == 0
    weight[uniform] = negative[uniform].double()
    expected = weight / weight.sum(1, keepdim=True)
    assert (frequencies(batch, "distance-weighted", Guard()) - expected).abs().max() < 0.04
    # The oracle gives the same chances, where it has a negative to draw.
    miner = miners.DistanceWeightedMiner(cutoff=0.5, nonzero_loss_cutoff=1.4)
    counts = torch.zeros(9, 9)
    tracks = torch.arange(9)
    for _ in range(1500):
        anchor, _, found = miner(batch[0], tracks, batch[1], tracks.clone())
        counts[anchor, found] += 1
    drawn = (counts.sum(1) > 0) & ~uniform
    assert drawn.sum() > 4
    shares = counts[drawn] / counts[drawn].sum(1, keepdim=True)
    assert (shares - expected[drawn]).abs().max() < 0.06


@pytest.mark.parametrize("kind", ["margin", "soft-margin", "ratio"])
def test_cost_by_hand(kind):
    cost = triplet_cost(torch.tensor(0.8), torch.tensor(1.1), 0.5, kind).item()
    exp_p, exp_n = math.exp(0.8), math.exp(1.1)
    expected = {
        "margin": 0.2,
        "soft-margin": math.log(1 + math.exp(-0.3)),
        "ratio": (exp_p / (exp_p + exp_n)) ** 2 + (1 - exp_n / (exp_p + exp_n)) ** 2,
    }[kind]
    assert cost == pytest.approx(expected, abs=1e-6)


def naive_triplet(batch, kind, swap, anchor_swap, mining):
    """Triplets one at a time."""
    anchors, positives = batch
    distances, negative = distances_and_negatives(batch)
    costs, per_row = [], []
    for i in range(NUM):
        sides = [(anchors[i], positives[i], positives, negative[i], distances[i])]
        if swap:
            sides.append((positives[i], anchors[i], anchors, negative[:, i], distances[:, i]))
        nearest = []
        for own, partner, others, allowed, row in sides:
            rows = [j for j in range(NUM) if allowed[j]]
            if mining == "semi-hard":
                farther = [j for j in rows if row[j] > row[i]]
                key = row.__getitem__
                rows = [min(farther, key=key)] if farther else [max(rows, key=key)]
            for j in rows:
                d = (own - others[j]).norm()
                if anchor_swap:
                    d = min(d, (partner - others[j]).norm())
                nearest.append(d)
        costs += [triplet_cost(distances[i, i], d, 0.6, kind) for d in nearest]
        per_row.append(triplet_cost(distances[i, i], min(nearest), 0.6, kind))
    return torch.stack(costs if mining == "all" else per_row).mean()


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("kind", ["margin", "soft-margin", "ratio"])
@pytest.mark.parametrize("swap", [True, False])
@pytest.mark.parametrize("anchor_swap", [True, False])
@pytest.mark.parametrize("mining", ["all", "semi-hard"])
def test_triplet_loss_against_a_naive_loop(make_batch, kind, swap, anchor_swap, mining):
    batch = make_batch(NUM, noise=0.9)
    loss = TripletLoss(0.6, mining, swap, kind=kind, anchor_swap=anchor_swap, guard=GUARD)
    expected = naive_triplet(batch, kind, swap, anchor_swap, mining)
    torch.testing.assert_close(loss(*batch, LABELS), expected)
    assert expected > 0.05


@pytest.mark.parametrize("soft", [True, False])
@pytest.mark.parametrize("anchor_swap", [True, False])
def test_all_triplets_equal_the_oracle(make_batch, soft, anchor_swap):
    batch = make_batch(NUM, noise=0.9)
    anchor, negative = torch.where(~torch.eye(NUM, dtype=torch.bool))
    both = torch.cat(batch)
    triplets = anchor, anchor + NUM, negative + NUM
    oracle = pml_losses.TripletMarginLoss(
        0.0 if soft else 0.4, swap=anchor_swap, smooth_loss=soft,
        distance=LpDistance(), reducer=MeanReducer(),
    )  # fmt: skip
    loss = TripletLoss(
        0.4, "all", False, kind="soft-margin" if soft else "margin", anchor_swap=anchor_swap,
        guard=Guard(0.0),
    )  # fmt: skip
    torch.testing.assert_close(loss(*batch), oracle(both, indices_tuple=triplets))


@pytest.mark.parametrize("mining", ["hardest", "semi-hard", "all"])
@pytest.mark.parametrize("kind", ["margin", "soft-margin", "ratio"])
def test_gradients_in_blocks(make_batch, mining, kind, small_blocks):
    sides = [side.requires_grad_() for side in make_batch(NUM, 4, noise=0.8)]
    loss = TripletLoss(0.7, mining, kind=kind, anchor_swap=True)
    assert torch.autograd.gradcheck(loss, sides)


def test_gradient_of_what_was_drawn(make_batch):
    """The same draw each time: only its distance has a gradient."""
    sides = [side.requires_grad_() for side in make_batch(NUM, 4, noise=0.8)]
    for mining in ("random", "distance-weighted"):

        def loss(anchors, positives, mining=mining):
            torch.manual_seed(3)
            return TripletLoss(1.0, mining)(anchors, positives)

        assert torch.autograd.gradcheck(loss, sides)


def test_labels_keep_identities_apart(make_batch):
    """Two rows of one identity are no negatives, however near."""
    anchors, positives = make_batch(6)
    anchors[1] = F.normalize(positives[0] + 0.1 * anchors[1], dim=0)
    labels = Labels(tracks=torch.tensor([4, 4, 1, 2, 3, 5]))
    loss = TripletLoss(0.5)
    assert loss(anchors, positives) > loss(anchors, positives, labels) + 0.02
