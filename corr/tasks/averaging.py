"""An exponential moving average of the weights, which validation and the saved network use."""

from __future__ import annotations

from typing import Any, cast

import pytorch_lightning as pl
from pytorch_lightning.callbacks import WeightAveraging
from torch import Tensor

from corr.errors import OptionError
from corr.tasks.skipping import SkippingTask


class MovingAverage(WeightAveraging):
    """Averages weights and running statistics after each step of a `NetworkTask`.

    A checkpoint holds the average as `state_dict`, and what training goes on with beside it.

    Args:
        decay: what remains of the average in a step; less in the first steps, (1 + n) / (10 + n)
            after n, so that a short training does not end with its untrained weights.

    Raises:
        OptionError: a decay outside its range.

    Source: the bound on the decay is that of TensorFlow's `ExponentialMovingAverage`.
    """

    def __init__(self, decay: float = 0.999) -> None:
        if not 0 < decay < 1:
            raise OptionError(f"decay of the average is {decay}; use a value in (0, 1)")
        self.decay = decay
        super().__init__(avg_fn=self._average)

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Move the average, unless the step was skipped."""
        if cast("SkippingTask", pl_module).step_skipped:
            self._latest_update_step = trainer.global_step
        super().on_train_batch_end(trainer, pl_module, outputs, batch, batch_idx)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Nothing yet: the last checkpoint may still be written, with both sets of weights."""

    def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Leave the average in the network."""
        super().on_train_end(trainer, pl_module)

    def _average(self, averaged: Tensor, current: Tensor, num_averaged: Any) -> Tensor:
        if not averaged.is_floating_point():
            return current  # a count
        decay = min(self.decay, float((1 + num_averaged) / (10 + num_averaged)))
        return averaged.lerp(current, 1 - decay)
