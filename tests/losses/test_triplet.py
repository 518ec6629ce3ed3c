import math
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F

from corr.errors import MissingExtraError, OptionError, ShapeError
from corr.losses import TripletLoss
from corr.losses.distances import pairwise_distances
from corr.losses.guard import DUPLICATE_DISTANCE, Guard


def unit_rows(num, dim, seed, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return F.normalize(torch.randn(num, dim, generator=generator, dtype=dtype), dim=1)


def directions(*angles_deg):
    radians = torch.deg2rad(torch.tensor(angles_deg, dtype=torch.float64))
    return torch.stack([radians.cos(), radians.sin()], dim=1)


def chord(angle_deg):
    return 2 * math.sin(math.radians(angle_deg) / 2)


def naive(anchors, positives, margin, mining, swap):
    """Triplets one at a time, distances from differences."""
    total, count = 0.0, 0
    num = len(anchors)
    for i in range(num):
        positive = (anchors[i] - positives[i]).norm()
        negatives = []
        for j in range(num):
            for a, p in ((i, j), (j, i)):
                distance = (anchors[a] - positives[p]).norm()
                if j != i and distance >= DUPLICATE_DISTANCE and (swap or a == i):
                    negatives.append(distance)
        hinges = [max(0.0, float(margin + positive - negative)) for negative in negatives]
        if mining == "hardest":
            total, count = total + max(hinges, default=0.0), count + 1
        else:
            total, count = total + sum(hinges), count + len(hinges)
    return total / count


def by_matrix(anchors, positives, margin, swap=True):
    """The hardest negatives by a matrix of all distances, and their gradients by autograd."""
    distances = pairwise_distances(anchors, positives)
    negatives = distances.masked_fill(~Guard().negatives(distances, slice(None)), torch.inf)
    closest = negatives.amin(dim=1)
    if swap:
        closest = torch.minimum(closest, negatives.amin(dim=0))
    return (margin + distances.diagonal() - closest).clamp_min(0).mean()


def test_hand_answer_with_and_without_swap():
    # On the unit circle: anchors at 0 and 90 degrees, positives at 10 and 40.
    anchors, positives = directions(0, 90), directions(10, 40)
    # Row 0: positive 10 degrees away; negatives: 40 in its row, 80 in its column.
    # Row 1: positive 50 degrees away; negatives: 80 in its row, 40 in its column.
    swapped = (1 + chord(10) - chord(40) + 1 + chord(50) - chord(40)) / 2
    plain = (1 + chord(10) - chord(40) + 1 + chord(50) - chord(80)) / 2
    assert TripletLoss(1.0)(anchors, positives).item() == pytest.approx(swapped, abs=1e-9)
    assert TripletLoss(1.0, swap=False)(anchors, positives).item() == pytest.approx(plain, abs=1e-9)


def test_a_satisfied_margin_costs_nothing():
    # The positives are 10 degrees away, all the negatives at least 80.
    anchors, positives = directions(0, 90), directions(10, 100)
    slack = chord(80) - chord(10)
    assert TripletLoss(slack - 0.01)(anchors, positives) == 0
    # Row 0 has its negative at 80 degrees in its column, row 1 in its row.
    assert TripletLoss(slack + 0.1)(anchors, positives).item() == pytest.approx(0.1, abs=1e-9)


@pytest.mark.parametrize("swap", [True, False])
@pytest.mark.parametrize("mining", ["hardest", "all"])
@pytest.mark.parametrize("margin", [0.3, 1.0])
def test_against_a_naive_loop(mining, swap, margin):
    anchors = unit_rows(17, 6, 0, torch.float64)
    positives = F.normalize(anchors + 0.4 * unit_rows(17, 6, 1, torch.float64), dim=1)
    loss = TripletLoss(margin, mining, swap)(anchors, positives).item()
    assert loss == pytest.approx(naive(anchors, positives, margin, mining, swap), abs=1e-9)
    assert loss > 0


@pytest.mark.parametrize("mining", ["hardest", "all"])
def test_near_duplicates_are_no_negatives(mining):
    anchors = unit_rows(8, 5, 2, torch.float64)
    positives = F.normalize(anchors + 0.3 * unit_rows(8, 5, 3, torch.float64), dim=1)
    positives[5] = anchors[1]  # the same point, seen a second time
    loss = TripletLoss(1.0, mining)(anchors, positives).item()
    assert loss == pytest.approx(naive(anchors, positives, 1.0, mining, True), abs=1e-9)
    counted = TripletLoss(1.0, mining, guard=Guard(min_distance=0.0))(anchors, positives)
    assert counted.item() > loss + 1e-4


@pytest.mark.parametrize("mining", ["hardest", "all"])
def test_only_duplicates_give_zero_and_finite_gradients(mining):
    anchors = unit_rows(1, 4, 0).repeat(3, 1).requires_grad_()
    loss = TripletLoss(1.0, mining)(anchors, anchors.detach().clone())
    loss.backward()
    assert loss == 0
    assert anchors.grad.isfinite().all()


@pytest.mark.parametrize("swap", [True, False])
@pytest.mark.parametrize("mining", ["hardest", "all"])
def test_gradient(mining, swap):
    anchors = unit_rows(6, 4, 4, torch.float64).requires_grad_()
    positives = unit_rows(6, 4, 5, torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(TripletLoss(0.7, mining, swap), (anchors, positives))


def test_gradient_descent_separates_points():
    torch.manual_seed(0)
    free = torch.randn(12, 8, requires_grad=True)
    noise = 0.1 * torch.randn(12, 8)
    optimizer = torch.optim.SGD([free], 0.5)
    losses = []
    for _ in range(50):
        loss = TripletLoss()(F.normalize(free, dim=1), F.normalize(free + noise, dim=1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


def test_order_of_the_rows_does_not_matter():
    anchors, positives = unit_rows(9, 5, 6), unit_rows(9, 5, 7)
    order = torch.randperm(9)
    torch.testing.assert_close(
        TripletLoss()(anchors, positives), TripletLoss()(anchors[order], positives[order])
    )


def test_distances_against_differences():
    anchors, positives = unit_rows(7, 5, 8, torch.float64), unit_rows(4, 5, 9, torch.float64)
    expected = torch.cdist(anchors, positives, compute_mode="donot_use_mm_for_euclid_dist")
    torch.testing.assert_close(pairwise_distances(anchors, positives), expected)


def test_distance_of_equal_vectors_has_a_gradient_of_zero():
    anchors = unit_rows(3, 4, 0, torch.float64).requires_grad_()
    distances = pairwise_distances(anchors, anchors.detach())
    assert distances.diagonal().max().item() == pytest.approx(1e-4)
    distances.diagonal().sum().backward()
    assert torch.equal(anchors.grad, torch.zeros_like(anchors))


def test_distances_stay_precise_under_autocast_and_in_half_precision():
    anchors = unit_rows(50, 128, 0)
    positives = F.normalize(anchors + 0.02 * unit_rows(50, 128, 1), dim=1)
    expected = pairwise_distances(anchors, positives)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        torch.testing.assert_close(pairwise_distances(anchors, positives), expected)
    half = pairwise_distances(anchors.bfloat16(), positives.bfloat16())
    assert half.dtype == torch.float32


def test_refusals():
    with pytest.raises(ShapeError, match="2 rows or more in a batch, not 1"):
        TripletLoss()(unit_rows(1, 4, 0), unit_rows(1, 4, 1))
    with pytest.raises(OptionError, match=r"margin is 0.0; use a value in \(0, 2\]"):
        TripletLoss(0.0)
    with pytest.raises(OptionError, match="margin is nan"):
        TripletLoss(float("nan"))


@pytest.mark.parametrize("swap", [True, False])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("num", "dim"), [(2, 3), (40, 8), (600, 128)])
@pytest.mark.parametrize("spread", [1.0, 0.2])
def test_hardest_equal_those_of_a_matrix_in_value_and_gradient(swap, dtype, num, dim, spread):
    middle = unit_rows(1, dim, 0, dtype)
    anchors = F.normalize(middle + spread * unit_rows(num, dim, 1, dtype), dim=1)
    positives = F.normalize(anchors + 0.4 * spread * unit_rows(num, dim, 2, dtype), dim=1)
    positives[num // 2] = anchors[0]  # the same point, seen a second time
    results = []
    for loss in (TripletLoss(0.9, swap=swap), lambda a, p: by_matrix(a, p, 0.9, swap)):
        sides = [x.clone().requires_grad_() for x in (anchors, positives)]
        value = loss(*sides)
        value.backward()
        results.append((value.detach(), *(side.grad for side in sides)))
    for mined, expected in zip(*results, strict=True):
        tolerance = (1e-10 if dtype == torch.float64 else 1e-3) * expected.abs().max().item()
        torch.testing.assert_close(mined, expected, atol=tolerance, rtol=0)
    assert results[0][1].abs().max() > 1e-4


def test_hardest_under_autocast_equal_those_without():
    anchors, positives = unit_rows(60, 64, 0), unit_rows(60, 64, 1)
    expected = TripletLoss()(anchors, positives)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert TripletLoss()(anchors, positives) == expected
    halves = anchors.bfloat16().requires_grad_(), positives.bfloat16()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = TripletLoss()(*halves)
    loss.backward()
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(by_matrix(*halves, 1.0).item(), abs=1e-5)
    assert loss.item() == pytest.approx(expected.item(), abs=0.01)
    assert halves[0].grad.isfinite().all()


@pytest.mark.parametrize("mining", ["hardest", "all"])
def test_values_that_are_not_finite_make_a_loss_that_is_not(mining):
    """So that the task says that training has diverged."""
    for value in (torch.nan, torch.inf):
        anchors = unit_rows(6, 4, 0)
        anchors[3, 2] = value
        anchors.requires_grad_()
        loss = TripletLoss(mining=mining)(anchors, unit_rows(6, 4, 1))
        assert not loss.isfinite() or mining == "all"
        loss.backward()


@pytest.mark.parametrize("search", ["auto", "exact", "faiss"])
@pytest.mark.parametrize("swap", [True, False])
def test_every_searcher_mines_the_same(search, swap):
    if search == "faiss":
        pytest.importorskip("faiss")
    anchors = unit_rows(300, 16, 0)
    positives = F.normalize(anchors + 0.3 * unit_rows(300, 16, 1), dim=1)
    positives[100:130] = positives[99]  # more duplicates than a searcher is asked for at first
    anchors[100:140] = positives[99]
    sides = [x.clone().requires_grad_() for x in (anchors, positives)]
    loss = TripletLoss(search=search, swap=swap)(*sides)
    loss.backward()
    assert loss.item() == pytest.approx(by_matrix(anchors, positives, 1.0, swap).item(), abs=1e-6)
    assert all(side.grad.abs().max() > 0 for side in sides)


MEMORY = """
import torch
from corr.losses import TripletLoss

def high_water():
    with open("/proc/self/status", encoding="ascii") as status:
        line = next(line for line in status if line.startswith("VmHWM:"))
    with open("/proc/self/clear_refs", "w", encoding="ascii") as reset:
        reset.write("5")
    return int(line.split()[1]) / 1024

def step(num):
    sides = torch.nn.functional.normalize(torch.randn(2, num, 128), dim=2).requires_grad_()
    TripletLoss()(*sides).backward()

step(600)  # compiles, or loads what is compiled
before = high_water()
step(4096)
print(high_water() - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
def test_a_batch_of_4096_needs_no_matrix():
    """Each matrix of distances, gradient or mask would take up to 67 MB."""
    command = [sys.executable, "-c", MEMORY]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert float(done.stdout) < 60


def test_a_search_that_is_not_installed_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(MissingExtraError, match="pip install corr-toolkit"):
        TripletLoss(search="faiss")(unit_rows(3, 4, 0), unit_rows(3, 4, 1))
