"""A batch whose loss or gradient is not finite is kept for inspection, and its step is skipped."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytorch_lightning as pl
import torch
from torch import Tensor

from corr.errors import OptionError
from corr.formats.atomic import replacing
from corr.tasks.skipping import SkippingTask


class NonFiniteGuard(pl.Callback):
    """Leaves weights, optimiser and running statistics as they were before a bad batch.

    The batch goes to `nonfinite-<step>.pt` in the run's folder, as plain tensors that
    `torch.load(..., weights_only=True)` reads. All processes skip a step together. A skipped step
    counts as one: the learning rate and the data go on, and training ends where it would have.

    Args:
        max_in_row: so many steps skipped in a row end training.
        max_in_all: so many in all end it.
        max_files: batches that are kept at most.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(self, max_in_row: int = 10, max_in_all: int = 100, max_files: int = 3) -> None:
        for name, value, least in (
            ("max_in_row", max_in_row, 1),
            ("max_in_all", max_in_all, 1),
            ("max_files", max_files, 0),
        ):
            if value < least:
                raise OptionError(f"{name} is {value}; use {least} or more")
        self.max_in_row = max_in_row
        self.max_in_all = max_in_all
        self.max_files = max_files
        self._in_row = 0
        self._in_all = 0
        self._batch: Any = None
        self._bad_batch: Any = None
        self._buffers: list[Tensor] | None = None

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Note what a bad batch would spoil; a step of several batches goes back to its start."""
        cast("SkippingTask", pl_module).step_skipped = False
        self._batch = batch
        if self._buffers is None:
            self._buffers = [value.detach().clone() for value in pl_module.buffers()]

    def on_before_backward(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, loss: Tensor
    ) -> None:
        """Look at the loss."""
        if self._bad_batch is None and not loss.isfinite():
            self._bad_batch = self._batch

    def on_before_optimizer_step(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        optimizer: torch.optim.Optimizer,
    ) -> None:
        """Look at the gradients, and skip the step where anything is not finite.

        Raises:
            OptionError: too many steps were skipped.
        """
        scaled = getattr(trainer.precision_plugin, "scaler", None) is not None
        good = self._bad_batch is None and (scaled or _finite_gradients(pl_module))
        if trainer.strategy.reduce_boolean_decision(good, all=True):
            self._in_row = 0
        else:
            self._skip(trainer, cast("SkippingTask", pl_module), scaled=scaled)
        self._batch = self._bad_batch = self._buffers = None
        pl_module.log("train/skipped_steps", float(self._in_all))
        if self._in_row >= self.max_in_row or self._in_all >= self.max_in_all:
            self._stop(trainer, cast("SkippingTask", pl_module))

    def state_dict(self) -> dict[str, Any]:
        """The counts, so that a resumed run goes on with them."""
        return {"in_row": self._in_row, "in_all": self._in_all}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the counts of the run that is resumed."""
        self._in_row, self._in_all = int(state_dict["in_row"]), int(state_dict["in_all"])

    def _skip(self, trainer: pl.Trainer, task: SkippingTask, *, scaled: bool) -> None:
        task.step_skipped = True
        if self._in_all < self.max_files:
            bad = self._batch if self._bad_batch is None else self._bad_batch
            path = self._path(trainer)
            with replacing(path) as new:
                torch.save({"step": trainer.global_step, "batch": _plain(bad)}, new)
        self._in_row += 1
        self._in_all += 1
        if not scaled:  # else the scaler of float16 sees the same, and skips
            for value in task.parameters():
                value.grad = None  # without a gradient an optimiser leaves a weight alone
        assert self._buffers is not None
        with torch.no_grad():
            for buffer, before in zip(task.buffers(), self._buffers, strict=True):
                buffer.copy_(before)

    def _path(self, trainer: pl.Trainer) -> Path:
        rank = f"-rank{trainer.global_rank}" if trainer.world_size > 1 else ""
        folder = Path(trainer.default_root_dir)
        return folder / f"nonfinite-{trainer.global_step}{rank}.pt"

    def _stop(self, trainer: pl.Trainer, task: SkippingTask) -> None:
        in_row = self._in_row >= self.max_in_row
        counted = f"{self._in_row} steps in a row" if in_row else f"{self._in_all} steps in all"
        kept = f", see {trainer.default_root_dir}/nonfinite-*.pt" if self.max_files else ""
        raise OptionError(
            f"the loss or its gradient is not finite in {counted}, the last one step "
            f"{trainer.global_step}{kept}: training has diverged, or the data has values that are "
            f"not finite; use a lower learning_rate than {task.learning_rate}, or other data"
        )


def _finite_gradients(module: pl.LightningModule) -> bool:
    gradients = [value.grad for value in module.parameters() if value.grad is not None]
    largest = torch.nn.utils.get_total_norm(gradients, norm_type=torch.inf)
    return bool(largest.isfinite())


def _plain(batch: Any) -> Any:
    """The tensors of a batch on the CPU, in dictionaries and lists alone."""
    if isinstance(batch, Tensor):
        return batch.detach().to("cpu", copy=True)
    if hasattr(batch, "_asdict"):
        batch = batch._asdict()
    if isinstance(batch, dict):
        return {str(name): _plain(value) for name, value in batch.items()}
    if isinstance(batch, (list, tuple)):
        return [_plain(value) for value in batch]
    return batch if isinstance(batch, (int, float, str)) or batch is None else str(batch)
