"""What every task that trains one network shares: its optimiser, its callbacks, its figures."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import WeightAveraging
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import nn

from corr.errors import OptionError
from corr.tasks.averaging import MovingAverage
from corr.tasks.batch_norm import separate_batch_statistics, share_batch_statistics
from corr.tasks.nonfinite import NonFiniteGuard
from corr.tasks.optimizer import Optimizer, build_optimizer, check_optimizer
from corr.tasks.schedule import Schedule
from corr.tasks.skipping import SkippingTask


class NetworkTask(SkippingTask):
    """Trains a network.

    Args:
        network: what is trained.
        learning_rate: at the end of the warm-up.
        optimizer: `sgd` (momentum 0.9), `adam` or `adamw`.
        weight_decay: of the optimiser.
        warmup_steps: over which the learning rate rises.
        ema_decay: of a moving average of the weights, which then is what is validated and saved;
            0 for none.
        schedule: of the learning rate after the warm-up.

    Raises:
        OptionError: a setting outside its range.
    """

    counted: ClassVar[str] = "images"
    """What goes through the network, as in `train/images_per_s`."""

    def __init__(
        self,
        network: nn.Module,
        *,
        learning_rate: float,
        optimizer: Optimizer,
        weight_decay: float,
        warmup_steps: int,
        ema_decay: float,
        schedule: Schedule = "line",
    ) -> None:
        super().__init__()
        check_optimizer(learning_rate, optimizer, weight_decay, warmup_steps, schedule)
        if not 0 <= ema_decay < 1:
            raise OptionError(f"ema_decay is {ema_decay}; use a value in [0, 1)")
        self.network = network
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in stubs
        self.learning_rate = learning_rate
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.warmup_steps = warmup_steps
        self.ema_decay = ema_decay
        self.schedule = schedule
        self.num_seen = 0
        """What the last step sent through the network on this device, as `counted`."""
        self._last_step_s: float | None = None

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Start the clock, if the last step did not."""
        if self._last_step_s is None:
            self._last_step_s = time.perf_counter()

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Log the speed: what went through the network a second, here, with the wait for data."""
        now = time.perf_counter()
        if self._last_step_s is not None:
            speed = self.num_seen / (now - self._last_step_s)
            self.log(f"train/{self.counted}_per_s", speed, prog_bar=True)
        self._last_step_s = now

    def on_validation_start(self) -> None:
        """Stop the clock."""
        self._last_step_s = None

    def log_held_out(self, figures: Mapping[str, float]) -> None:
        """Log figures of the held-out batches, those of the untrained network too."""
        self.log_dict(dict(figures), prog_bar=True)
        if self.trainer.sanity_checking:  # of which Lightning logs nothing
            for logger in self.loggers:
                logger.log_metrics(dict(figures), step=0)

    def setup(self, stage: str) -> None:
        """Normalise by the rows of all devices, if there are several."""
        if stage == "fit" and self.trainer.world_size > 1:
            share_batch_statistics(self.network)

    def teardown(self, stage: str) -> None:
        """Leave a network with plain layers."""
        separate_batch_statistics(self.network)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Where the average is not wanted any more, go on with what training had."""
        callbacks = self.trainer.callbacks  # type: ignore[attr-defined]  # not in stubs
        averaged = any(isinstance(callback, WeightAveraging) for callback in callbacks)
        if not averaged and "current_model_state" in checkpoint:
            checkpoint["state_dict"] = checkpoint["current_model_state"]

    def configure_callbacks(self) -> Sequence[pl.Callback]:
        """Those of `own_callbacks` that the trainer lacks."""
        return self.own_callbacks(self.trainer.callbacks)  # type: ignore[attr-defined]  # not in stubs

    def own_callbacks(self, given: Sequence[pl.Callback]) -> list[pl.Callback]:
        """What watches over a training, unless it is given with other settings."""
        wanted = self.watching()
        return [own for own in wanted if not any(isinstance(other, type(own)) for other in given)]

    def watching(self) -> list[pl.Callback]:
        """The callbacks that watch over a training of this kind."""
        average = [MovingAverage(self.ema_decay)] if self.ema_decay > 0 else []
        return [NonFiniteGuard(), *average]

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """The optimiser, and a schedule over all the steps that the trainer is going to make."""
        return build_optimizer(
            self.parameters(),
            self.optimizer,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            warmup_steps=self.warmup_steps,
            num_steps=int(self.trainer.estimated_stepping_batches),
            schedule=self.schedule,
        )
