"""What happens beside the steps of training: seeds, checkpoints, weights, lines of progress."""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch

from corr.formats.atomic import replacing
from corr.models.network import Network
from corr.models.saved import save_network
from corr.tasks.signals import StopRequest, TrainingStopped


class SeedEachStep(pl.Callback):
    """Makes the random numbers of a step depend on the seed and the step alone.

    So a resumed run drops the same features as an uninterrupted one, whatever drew random numbers
    in between: a validation, the start of a loader, a plot.
    """

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Seed Python, NumPy and torch."""
        sequence = np.random.SeedSequence((self.seed, trainer.global_step, trainer.global_rank))
        seed = int(sequence.generate_state(1)[0])
        random.seed(seed)
        np.random.seed(seed)
        torch.manual_seed(seed)

    def state_dict(self) -> dict[str, Any]:
        """The seed, so that a resumed run has the same one."""
        return {"seed": self.seed}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the seed of the run that is resumed."""
        self.seed = int(state_dict["seed"])


class Checkpoints(pl.Callback):
    """Writes what resuming needs every so many steps, at the end of an epoch, and when stopped."""

    def __init__(self, path: Path, every_n_steps: int, stop: StopRequest) -> None:
        self.path = path
        self.every_n_steps = every_n_steps
        self.stop = stop
        self.saved_step = -1

    def save(self, trainer: pl.Trainer) -> None:
        """Write the checkpoint, unless this step's stands already."""
        if self.saved_step == trainer.global_step:
            return
        if trainer.is_global_zero:
            with replacing(self.path) as path:
                trainer.save_checkpoint(path)
        else:
            trainer.save_checkpoint(self.path)  # takes part; the first process writes
        self.saved_step = trainer.global_step

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """From here on a signal waits for the end of its step, though Lightning took it over."""
        self.stop.deferred = True
        self.stop.listen()

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Write the checkpoint when its time has come."""
        due = trainer.global_step % self.every_n_steps == 0
        last = trainer.is_last_batch or trainer.global_step == trainer.max_steps
        if due or last or self.stop.signum is not None:
            self.save(trainer)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the checkpoint of the last step, whatever ended training."""
        self.save(trainer)

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Stop if asked to, once the last step is saved and its figures are logged."""
        self._stop_if_asked(trainer)

    def on_validation_batch_start(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        batch: Any,
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Stop if asked to, once the last step is saved."""
        self._stop_if_asked(trainer)

    def _stop_if_asked(self, trainer: pl.Trainer) -> None:
        if self.stop.signum is not None and self.saved_step == trainer.global_step:
            raise TrainingStopped(self.stop.signum)


class SaveNetwork(pl.Callback):
    """Writes the network after each validation, so that an unfinished run can be used already."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.saved_step = -1

    def on_validation_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Write the network of the task as it was validated, if it has one that can be saved."""
        if trainer.sanity_checking:
            return
        self.saved_step = trainer.global_step
        network = getattr(pl_module, "network", None)
        if isinstance(network, Network) and trainer.is_global_zero:
            save_network(network, self.folder)


class LinesOfProgress(pl.Callback):
    """Says now and then where training is, where no progress bar can be drawn."""

    def __init__(self, every_s: float = 20.0) -> None:
        self.every_s = every_s
        self._next_s = 0.0

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """One line with the step, the loss and the speed."""
        if time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + self.every_s
            self._say(trainer, "train/")

    def on_validation_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """One line with the figures of the validation."""
        self._say(trainer, "val/")

    def _say(self, trainer: pl.Trainer, prefix: str) -> None:
        figures = ", ".join(
            f"{name.removeprefix(prefix)} {float(value):.4g}"
            for name, value in trainer.callback_metrics.items()
            if name.startswith(prefix)
        )
        if not trainer.is_global_zero:
            return
        sys.stdout.write(f"step {trainer.global_step}: {figures}\n")
        sys.stdout.flush()
