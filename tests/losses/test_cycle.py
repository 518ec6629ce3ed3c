"""Cycle consistency: what it is least for, and what it asks of descriptors that know nothing."""

import math

import pytest
import torch
import torch.nn.functional as F

from corr.errors import OptionError
from corr.geometry import pixel_grid
from corr.losses import CycleConsistency
from corr.losses.cycle import cycle_loss, walk_probability

SIDE = 6
CELLS = SIDE * SIDE
PERFECT = torch.eye(CELLS).T.reshape(1, CELLS, SIDE, SIDE)
"""A descriptor of its own for each place of a thing."""
STILL = pixel_grid(SIDE, SIDE)[None]


def moved(descriptors: torch.Tensor, order: torch.Tensor) -> torch.Tensor:
    """Those of a photograph that shows the places in another order."""
    return descriptors.flatten(2)[:, :, order].reshape(descriptors.shape)


def shuffled(seed: int = 0) -> torch.Tensor:
    return torch.randperm(CELLS, generator=torch.Generator().manual_seed(seed))


def loss_of(start: torch.Tensor, between: torch.Tensor, end: torch.Tensor, target=STILL, **rest):
    settings = {"temperature": 0.05, "radius": 1.0} | rest
    return cycle_loss(start, between, end, target, **settings)


def test_walks_of_two_cells_by_hand():
    start = torch.tensor([[[1.0, 0.0]]])
    both = torch.eye(2)[None]
    to_own = math.e**2 / (math.e**2 + 1)  # at a temperature of 1/2
    found = walk_probability(start, both, both, 0.5)
    expected = torch.tensor([[[to_own**2 + (1 - to_own) ** 2, 2 * to_own * (1 - to_own)]]])
    torch.testing.assert_close(found, expected)


def test_least_for_perfect_descriptors_wherever_the_other_thing_has_its_parts():
    """Whatever the order of the parts in the other photograph, and whatever the warp."""
    for seed in range(3):
        other, end = moved(PERFECT, shuffled(seed)), shuffled(seed + 10)
        where = torch.argsort(end)  # of each part in the last photograph
        target = torch.stack((where % SIDE, where // SIDE), -1).float().reshape(1, SIDE, SIDE, 2)
        found = loss_of(PERFECT, other, moved(PERFECT, end), target)
        assert 0 <= float(found) < 1e-5
        assert float(loss_of(PERFECT, other, moved(PERFECT, end))) > 3  # the wrong warp


def test_descriptors_that_are_all_the_same_are_far_from_the_least():
    same = F.normalize(torch.ones(1, 8, SIDE, SIDE), dim=1)
    # Of the 36 cells those within 1 of the target: 3 at a corner, 4 at an edge, 5 inside.
    share = (4 * math.log(36 / 3) + 16 * math.log(36 / 4) + 16 * math.log(36 / 5)) / CELLS
    assert float(loss_of(same, same, same)) == pytest.approx(share, abs=1e-5)


def test_descriptors_that_only_tell_the_place_fail_a_warp():
    """They bring every walk back to where it began, which is not where the warp went."""
    target = STILL.flip(2)  # mirrored
    assert float(loss_of(PERFECT, PERFECT, PERFECT, target)) > 10
    assert float(loss_of(PERFECT, PERFECT, PERFECT)) < 1e-5


def test_gradient_makes_a_walk_come_back():
    torch.manual_seed(0)
    start, between, end = (torch.randn(2, 8, SIDE, SIDE, requires_grad=True) for _ in range(3))
    optimizer = torch.optim.Adam([start, between, end], 0.05)
    target = STILL.expand(2, -1, -1, -1).flip(2)
    losses = []
    for _ in range(60):
        sides = [F.normalize(side, dim=1) for side in (start, between, end)]
        loss = loss_of(*sides, target, temperature=0.1)
        optimizer.zero_grad()
        loss.backward()
        for side in (start, between, end):
            assert side.grad.isfinite().all() and side.grad.abs().sum() > 0
        optimizer.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.3 * losses[0]


def test_gradcheck():
    torch.manual_seed(0)
    sides = [torch.randn(2, 3, 2, 3, dtype=torch.double, requires_grad=True) for _ in range(3)]
    target = torch.rand(2, 2, 3, 2, dtype=torch.double)

    def run(*values: torch.Tensor) -> torch.Tensor:
        return cycle_loss(*values, target, temperature=0.7, radius=1.0, counted_share=0.6)

    assert torch.autograd.gradcheck(run, sides)


def test_cells_without_a_target_and_those_that_hardly_come_back_do_not_count():
    start = PERFECT.clone()
    start[..., :2] = 0  # a column of cells without a counterpart: they may end anywhere
    everywhere, most = (
        loss_of(start, PERFECT, PERFECT),
        loss_of(start, PERFECT, PERFECT, counted_share=0.6),
    )
    assert float(everywhere) > 0.5 and float(most) < 1e-5
    target = STILL.clone()
    target[:, :, :2] = torch.nan
    assert float(loss_of(start, PERFECT, PERFECT, target)) < 1e-5
    assert float(loss_of(start, PERFECT, PERFECT, torch.full_like(STILL, torch.nan))) == 0


def test_nothing_known_leaves_no_gradient():
    sides = [torch.randn(1, 4, 2, 2, requires_grad=True) for _ in range(3)]
    loss_of(*sides, torch.full((1, 2, 2, 2), torch.nan)).backward()
    assert all(side.grad.abs().sum() == 0 for side in sides)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"temperature": 0.0}, "temperature is 0"),
        ({"radius": 0.5}, "radius is 0.5 cells; use 0.75 or more"),
        ({"counted_share": 0.0}, r"counted_share is 0.0; use a value in \(0, 1\]"),
    ],
)
def test_wrong_settings(settings, said):
    with pytest.raises(OptionError, match=said):
        CycleConsistency(**settings)
