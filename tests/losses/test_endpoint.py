"""The multi-scale end-point error against loops over cells, and what it does without truth."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from corr.errors import OptionError, ShapeError
from corr.losses import EndpointLoss
from corr.losses.endpoint import SUM_WEIGHTS

NAN = float("nan")
SIZES = [(1, 2), (2, 4), (4, 8), (8, 16), (16, 32)]


def case(seed: int = 0, batch: int = 2) -> tuple[list[Tensor], Tensor]:
    generator = torch.Generator().manual_seed(seed)
    levels = [10 * torch.randn(batch, 2, h, w, generator=generator) for h, w in SIZES]
    flow = 15 * torch.randn(batch, 2, 64, 128, generator=generator)
    flow[:, :, torch.rand(64, 128, generator=generator) < 0.3] = NAN
    flow[0, :, :32, :64] = NAN  # whole cells of every level but the coarsest
    flow[1, 0, 40, 40] = NAN  # one component alone
    return levels, flow


def naive(levels, flow, valid, weights, *, mean: bool, robust: bool) -> float:
    total = 0.0
    for weight, level in zip(weights, levels, strict=True):
        batch, _, rows, columns = level.shape
        k = flow.shape[2] // rows
        lengths = []
        for b in range(batch):
            for row in range(rows):
                for column in range(columns):
                    known = [
                        flow[b, :, y, x].tolist()
                        for y in range(row * k, row * k + k)
                        for x in range(column * k, column * k + k)
                        if valid[b, y, x] and not torch.isnan(flow[b, :, y, x]).any()
                    ]
                    if known:
                        u, v = (sum(part) / len(known) for part in zip(*known, strict=True))
                        found = level[b, :, row, column].tolist()
                        length = math.hypot(found[0] - u, found[1] - v) / 20
                        lengths.append((length + 0.01) ** 0.4 if robust else length)
        total += weight * sum(lengths) / (len(lengths) if mean else batch)
    return total


@pytest.mark.parametrize("robust", [False, True])
@pytest.mark.parametrize("convention", ["sum", "mean"])
def test_against_loops(convention: str, robust: bool):
    levels, flow = case()
    valid = torch.rand(2, 64, 128, generator=torch.Generator().manual_seed(1)) < 0.6
    weights = SUM_WEIGHTS if convention == "sum" else (0.02, 0.04, 0.08, 0.16, 0.32)
    expected = naive(levels, flow, valid, weights, mean=convention == "mean", robust=robust)
    found = EndpointLoss(convention)(levels, flow, valid, robust=robust)
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_exact_flow_has_no_loss_and_a_finite_gradient():
    levels = [torch.full((1, 2, h, w), 3.0, requires_grad=True) for h, w in SIZES]
    loss = EndpointLoss("sum")(levels, torch.full((1, 2, 64, 128), 3.0))
    loss.backward()
    assert float(loss.detach()) == 0
    assert all(level.grad.isfinite().all() for level in levels)


def test_where_nothing_is_known_there_is_no_gradient_whatever_was_found():
    levels, flow = case()
    for level in levels[1:]:
        level[0, :, : level.shape[2] // 2, : level.shape[3] // 2] = torch.inf
        level.requires_grad_()
    loss = EndpointLoss("sum")(levels, flow)
    loss.backward()
    assert loss.isfinite()
    for level in levels[1:]:
        part = level.grad[0, :, : level.shape[2] // 2, : level.shape[3] // 2]
        assert (part == 0).all()
        assert level.grad.isfinite().all()
        assert (level.grad != 0).any()


@pytest.mark.parametrize("convention", ["sum", "mean"])
def test_a_batch_of_which_nothing_is_known(convention: str):
    levels, flow = case()
    levels = [level.requires_grad_() for level in levels]
    for truth, valid in (
        (torch.full_like(flow, NAN), None),
        (flow, torch.zeros(2, 64, 128, dtype=torch.bool)),
    ):
        loss = EndpointLoss(convention)(levels, truth, valid)
        loss.backward()
        assert float(loss.detach()) == 0
        assert all((level.grad == 0).all() for level in levels)


def test_the_loss_of_halves_is_computed_in_float32():
    levels, flow = case()
    halves = [level.bfloat16() for level in levels]
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = EndpointLoss("sum")(halves, flow)
    same = EndpointLoss("sum")([level.float() for level in halves], flow)
    assert loss.dtype == torch.float32
    assert torch.equal(loss, same)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"weights": []}, "weights is"),
        ({"weights": [0.1, -1.0]}, "weights is"),
        ({"exponent": 0.0}, "exponent is 0.0"),
        ({"epsilon": 0.0}, "epsilon is 0.0"),
    ],
)
def test_refusals(settings, said):
    with pytest.raises(OptionError, match=said):
        EndpointLoss(**settings)


def test_levels_that_do_not_fit():
    levels, flow = case()
    with pytest.raises(ShapeError, match="predicts 3 levels, and the loss has 5 weights"):
        EndpointLoss("sum")(levels[:3], flow)
    with pytest.raises(ShapeError, match=r"a level of 32 x 16 does not divide .* 128 x 60"):
        EndpointLoss("mean")(levels[-1:], flow[:, :, :60])
