"""Collapse is seen where it happens, and only there; semi-hard steps change what is mined."""

from __future__ import annotations

import math
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from quick_fit import fit
from small_training import SmallNetwork, pairs

import corr.losses.triplet
from corr.errors import OptionError
from corr.losses import (
    ContrastiveLoss,
    DescriptorLoss,
    GlobalOrthogonalLoss,
    Guard,
    InfoNCELoss,
    Labels,
    TripletLoss,
)
from corr.tasks import CollapseMonitor, Described, MetricTask
from corr.tasks.collapse import collapsed_loss, effective_rank


def train(
    loss: DescriptorLoss, learning_rate: float, noise: float, num_steps: int = 150, **settings: Any
) -> tuple[CollapseMonitor, pl.Trainer]:
    torch.manual_seed(0)
    task = MetricTask(SmallNetwork(), loss, learning_rate=learning_rate, warmup_steps=0, **settings)
    monitor = CollapseMonitor()
    return monitor, fit(task, pairs(num_steps, noise=noise), callbacks=[monitor])


def test_effective_rank_of_known_sets():
    assert float(effective_rank(torch.eye(8)[[3] * 5])) == pytest.approx(1, abs=1e-5)
    assert float(effective_rank(torch.eye(8))) == pytest.approx(8, abs=1e-4)
    assert float(effective_rank(torch.eye(8)[[0, 1] * 6])) == pytest.approx(2, abs=1e-5)
    # Singular values 3 and 1: shares 3/4 and 1/4.
    rows = torch.tensor([[3.0, 0.0], [0.0, 1.0]])
    assert float(effective_rank(rows)) == pytest.approx(1.7548, abs=1e-3)


def test_a_training_that_collapses_is_told_so_once(capsys: pytest.CaptureFixture[str]):
    monitor, trainer = train(TripletLoss(margin=2.0), 0.5, 2.0, 200)
    assert float(trainer.callback_metrics["train/effective_rank"]) < 2
    errors = capsys.readouterr().err
    assert monitor.warned
    assert errors.count("\n") == 1
    assert errors.startswith("corr: warning: descriptors have collapsed: effective rank 1.")
    assert " of 16 and the loss is at its margin 2 since 50 steps; use a" in errors
    assert "lower learning_rate than 0.5" in errors
    assert "mining semi-hard first (--model.semi_hard_steps 200)" in errors


def test_a_healthy_training_is_left_alone(capsys: pytest.CaptureFixture[str]):
    monitor, trainer = train(TripletLoss(), 0.02, 0.2)
    assert float(trainer.callback_metrics["train/effective_rank"]) > 8
    assert not monitor.warned
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (TripletLoss(margin=0.7), "at its margin 0.7"),
        (InfoNCELoss(), "3.46, that of equal descriptors,"),  # ln 32 = 3.466
    ],
)
def test_a_loss_that_stays_at_that_of_equal_descriptors_is_told(
    capsys: pytest.CaptureFixture[str], loss: DescriptorLoss, expected: str
):
    """A network whose last layer is nearly off, and too low a learning rate to change that."""
    torch.manual_seed(0)
    network = SmallNetwork()
    with torch.no_grad():
        network.layers[-1].weight.mul_(0.2)
        network.layers[-1].bias.fill_(1.0)
    task = MetricTask(network, loss, learning_rate=1e-9)
    fit(task, pairs(70, noise=1.0), callbacks=[CollapseMonitor(min_effective_rank=1.0)])
    errors = capsys.readouterr().err
    assert errors.count("\n") == 1
    assert "training is stuck: effective rank 1." in errors
    assert f"the loss is {expected} since 50 steps" in errors


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (TripletLoss(margin=0.7), 0.7),
        (TripletLoss(margin=0.7, mining="semi-hard"), 0.7),
        (TripletLoss(margin=0.7, mining="all", guard=Guard(radius=2.0)), 0.7),
        (InfoNCELoss(), math.log(32)),
        (ContrastiveLoss(neg_margin=0.8), 0.32),
        (GlobalOrthogonalLoss(TripletLoss()), 2 + 15 / 16),
    ],
)
def test_the_loss_of_equal_descriptors(loss: DescriptorLoss, expected: float):
    task = MetricTask(SmallNetwork(), loss)
    task.trainer = pl.Trainer(logger=False, accelerator="cpu")
    rows = torch.nn.functional.normalize(torch.randn(32, 16), dim=1)
    described = Described(rows, rows, Labels(points=9 * torch.rand(32, 2)))
    assert collapsed_loss(task, described) == pytest.approx(expected, rel=1e-3)
    assert all(part.guard.min_distance > 0 for part in loss.modules())


def test_how_long_it_lasts_goes_into_a_checkpoint():
    monitor = CollapseMonitor()
    monitor.load_state_dict({"since": 30, "warned": True})
    assert monitor.state_dict() == {"since": 30, "warned": True}


def test_semi_hard_steps_change_what_is_mined(monkeypatch: pytest.MonkeyPatch):
    mined: list[str] = []
    mine = corr.losses.triplet.mine

    def watched(anchors: torch.Tensor, positives: torch.Tensor, mining: str, **rest: Any) -> Any:
        mined.append(mining)
        return mine(anchors, positives, mining, **rest)

    monkeypatch.setattr(corr.losses.triplet, "mine", watched)
    for loss in (TripletLoss(), GlobalOrthogonalLoss(TripletLoss())):
        mined.clear()
        train(loss, 0.02, 0.2, num_steps=6, semi_hard_steps=4)
        assert mined == ["semi-hard"] * 4 + ["hardest"] * 2
        part = loss if isinstance(loss, TripletLoss) else loss.loss
        assert part.mining == "hardest"


def test_settings_out_of_range():
    with pytest.raises(OptionError, match="every_n_steps is -1; use 0 or more"):
        CollapseMonitor(every_n_steps=-1)
    with pytest.raises(OptionError, match=r"min_effective_rank is 0\.5; use 1 or more"):
        CollapseMonitor(min_effective_rank=0.5)
    with pytest.raises(OptionError, match="semi_hard_steps is 3, but the loss mines no 'hardest'"):
        MetricTask(SmallNetwork(), InfoNCELoss(), semi_hard_steps=3)
