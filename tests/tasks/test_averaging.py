"""The moving average of the weights, by hand; who uses it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from quick_fit import fit
from small_training import Pairs, SmallNetwork, pairs

from corr.errors import OptionError
from corr.losses import TripletLoss
from corr.tasks import MetricTask
from corr.tasks.averaging import MovingAverage

NAME = "network.layers.0.weight"


class Validated(MetricTask):
    """Notes the weights that it is validated with."""

    def __init__(self, **settings: Any) -> None:
        torch.manual_seed(0)
        super().__init__(SmallNetwork(), TripletLoss(), learning_rate=0.1, **settings)
        self.seen: list[torch.Tensor] = []

    def validation_step(self, batch: Pairs, batch_idx: int) -> None:
        self.seen.append(self.state_dict()[NAME].clone())


class Steps(pl.Callback):
    def __init__(self) -> None:
        self.weights: list[torch.Tensor] = []

    def on_train_batch_end(self, trainer: pl.Trainer, module: pl.LightningModule, *_: Any) -> None:
        self.weights.append(module.state_dict()[NAME].clone())


def test_validation_and_the_network_that_is_left_are_the_average():
    task, steps = Validated(ema_decay=0.5), Steps()
    settings = {"max_epochs": -1, "max_steps": 12, "val_check_interval": 4}
    fit(task, pairs(12), pairs(1), callbacks=[steps], num_sanity_val_steps=0, **settings)
    average, expected = steps.weights[0], []
    for num_averaged, weights in enumerate(steps.weights[1:], 1):
        decay = min(0.5, (1 + num_averaged) / (10 + num_averaged))
        average = decay * average + (1 - decay) * weights
        expected.append(average)
    assert len(task.seen) == 3
    for seen, step in zip(task.seen, (4, 8, 12), strict=True):
        torch.testing.assert_close(seen, expected[step - 2])
    torch.testing.assert_close(task.state_dict()[NAME], expected[-1])
    assert not torch.allclose(expected[-1], steps.weights[-1])
    assert int(task.network.layers[1].num_batches_tracked) == 12


def test_training_itself_does_not_change():
    left = []
    for ema_decay in (0.0, 0.9):
        task, steps = Validated(ema_decay=ema_decay), Steps()
        fit(task, pairs(5), callbacks=[steps])
        left.append(steps.weights)
    assert all(torch.equal(a, b) for a, b in zip(*left, strict=True))


def test_without_the_average_training_goes_on_from_its_own_weights(tmp_path: Path):
    task, steps = Validated(ema_decay=0.9), Steps()
    save = tmp_path / "last.ckpt"

    class Save(pl.Callback):
        def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            trainer.save_checkpoint(save)

    class Begin(pl.Callback):
        def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            self.weights = pl_module.state_dict()[NAME].clone()

    fit(task, pairs(5), callbacks=[steps, Save()])
    stored = torch.load(save, weights_only=True)
    assert not torch.equal(stored["state_dict"][NAME], steps.weights[-1])
    begin = Begin()
    fit(Validated(), pairs(5), callbacks=[begin], max_epochs=2, ckpt_path=save)
    assert torch.equal(begin.weights, steps.weights[-1])


@pytest.mark.parametrize("decay", [-0.1, 1.0, float("nan")])
def test_a_decay_out_of_range_is_refused(decay: float):
    with pytest.raises(OptionError, match=r"ema_decay is .*; use a value in \[0, 1\)"):
        MetricTask(SmallNetwork(), TripletLoss(), ema_decay=decay)


def test_the_average_itself_refuses_a_decay_out_of_range():
    with pytest.raises(OptionError, match=r"decay of the average is 1\.0; use a value in \(0, 1\)"):
        MovingAverage(1.0)
