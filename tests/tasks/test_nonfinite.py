"""Batches that are not finite: a training with them ends as one without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from quick_fit import fit
from small_training import Pairs, SmallNetwork, pairs
from torch import Tensor

from corr.errors import OptionError
from corr.losses import TripletLoss
from corr.tasks import MetricTask, NonFiniteGuard


class Constant(MetricTask):
    """Without a schedule, so that a skipped step does not shift the learning rates."""

    def configure_optimizers(self) -> torch.optim.Optimizer:
        if self.optimizer == "adamw":
            return torch.optim.AdamW(self.parameters(), self.learning_rate)
        return torch.optim.SGD(self.parameters(), self.learning_rate, momentum=0.9)


class Current(pl.Callback):
    """What training goes on with, before the average takes its place."""

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.state = {name: value.clone() for name, value in pl_module.state_dict().items()}
        self.optimizer = trainer.optimizers[0].state_dict()["state"]


def trained(
    batches: list[Pairs], folder: Path, loss: TripletLoss | None = None, **settings: Any
) -> tuple[Current, MetricTask, pl.Trainer]:
    torch.manual_seed(0)
    task = Constant(SmallNetwork(), loss or TripletLoss(), learning_rate=0.02, **settings)
    current = Current()
    trainer = fit(task, batches, default_root_dir=folder, callbacks=[current])
    return current, task, trainer


def with_nan(batch: Pairs) -> Pairs:
    anchor = batch.anchor.clone()
    anchor[3, 0, 2, 2] = torch.nan
    return Pairs(anchor, batch.positive)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_the_weights_are_those_of_a_training_without_the_batch(tmp_path: Path, optimizer: str):
    good = pairs(6)
    bad = [*good[:3], with_nan(pairs(1, seed=7)[0]), *good[3:]]
    settings = {"optimizer": optimizer, "ema_decay": 0.8}
    (current, task, trainer), (expected, other, _) = (
        trained(batches, tmp_path, **settings) for batches in (bad, good)
    )
    torch.testing.assert_close(current.state, expected.state, rtol=0, atol=0)
    torch.testing.assert_close(current.optimizer, expected.optimizer, rtol=0, atol=0)
    torch.testing.assert_close(task.state_dict(), other.state_dict(), rtol=0, atol=0)
    assert not torch.equal(
        current.state["network.layers.0.weight"], task.network.layers[0].weight
    )  # the average
    assert float(trainer.callback_metrics["train/skipped_steps"]) == 1
    kept = torch.load(tmp_path / "nonfinite-3.pt", weights_only=True)
    assert kept["step"] == 3
    assert torch.equal(kept["batch"]["positive"], bad[3].positive)
    assert int(kept["batch"]["anchor"].isnan().sum()) == 1


def test_a_skipped_step_counts(tmp_path: Path):
    """As many steps are made, at the same learning rates, whatever the batches were."""

    class Rates(pl.Callback):
        def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
            self.seen = [*getattr(self, "seen", []), trainer.optimizers[0].param_groups[0]["lr"]]

    seen = []
    for batches in (pairs(6), [*pairs(3), with_nan(pairs(1, seed=7)[0]), *pairs(2)]):
        rates = Rates()
        task = MetricTask(SmallNetwork(), TripletLoss(), warmup_steps=2)
        assert fit(task, batches, default_root_dir=tmp_path, callbacks=[rates]).global_step == 6
        seen.append(rates.seen)
    assert seen[0] == seen[1]
    assert len(set(seen[0])) == 6


def test_a_gradient_that_is_not_finite_is_caught_though_the_loss_is(tmp_path: Path):
    class Kinked(TripletLoss):
        steps = 0

        def forward(self, anchors: Tensor, positives: Tensor) -> Tensor:
            self.steps += 1
            loss = super().forward(anchors, positives)
            return loss + (anchors.sum() * 0).sqrt() if self.steps == 3 else loss

    good = pairs(5)
    current, _, trainer = trained([*good[:2], *pairs(1, seed=7), *good[2:]], tmp_path, Kinked())
    assert float(trainer.callback_metrics["train/skipped_steps"]) == 1
    expected, _, _ = trained(good, tmp_path)
    torch.testing.assert_close(current.state, expected.state, rtol=0, atol=0)


def test_too_many_in_a_row_end_training_with_advice(tmp_path: Path):
    bad = [with_nan(batch) for batch in pairs(12)]
    with pytest.raises(OptionError) as caught:
        trained(bad, tmp_path)
    text = str(caught.value)
    assert "not finite in 10 steps in a row, the last one step 9" in text
    assert "lower learning_rate than 0.02" in text
    assert "\n" not in text
    assert len(list(tmp_path.glob("nonfinite-*.pt"))) == 3


def test_too_many_in_all_end_training(tmp_path: Path):
    good = pairs(8)
    mixed = [with_nan(batch) if i % 2 else batch for i, batch in enumerate(good)]
    torch.manual_seed(0)
    task = MetricTask(SmallNetwork(), TripletLoss())
    guard = NonFiniteGuard(max_in_all=3, max_files=1)
    with pytest.raises(OptionError, match="in 3 steps in all, the last one step 5"):
        fit(task, mixed, default_root_dir=tmp_path, callbacks=[guard])
    assert [path.name for path in tmp_path.glob("*.pt")] == ["nonfinite-1.pt"]
    again = NonFiniteGuard(max_in_all=3)
    again.load_state_dict(guard.state_dict())
    with pytest.raises(OptionError, match="in 4 steps in all"):
        fit(
            MetricTask(SmallNetwork(), TripletLoss()),
            [with_nan(good[0])],
            default_root_dir=tmp_path,
            callbacks=[again],
        )


def test_of_several_batches_in_a_step_the_bad_one_is_kept(tmp_path: Path):
    good = pairs(6)
    task = MetricTask(SmallNetwork(), TripletLoss())
    batches = [*good[:2], with_nan(good[2]), *good[3:]]
    trainer = fit(task, batches, default_root_dir=tmp_path, accumulate_grad_batches=2)
    assert trainer.global_step == 3
    kept = torch.load(tmp_path / "nonfinite-1.pt", weights_only=True)
    assert torch.equal(kept["batch"]["positive"], good[2].positive)
    assert all(value.isfinite().all() for value in task.state_dict().values())


def test_settings_out_of_range():
    with pytest.raises(OptionError, match="max_in_row is 0; use 1 or more"):
        NonFiniteGuard(max_in_row=0)
    with pytest.raises(OptionError, match="max_files is -1; use 0 or more"):
        NonFiniteGuard(max_files=-1)
