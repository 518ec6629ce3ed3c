"""Collapse: all descriptors nearly the same, from where training does not recover by itself."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from corr.errors import OptionError
from corr.losses import DescriptorLoss, Guard
from corr.losses.checks import check_not_negative
from corr.losses.descriptor import TrainingLoss
from corr.tasks.described import Described

if TYPE_CHECKING:
    from corr.tasks.watched import WatchedTask

_SAME_LOSS = 0.01
"""Of the loss: closer to that of a collapsed batch, it counts as that."""


class CollapseMonitor(pl.Callback):
    """Logs the effective rank of the descriptors, and warns once when they have collapsed.

    They have where the effective rank stays low, or where the loss stays at that of descriptors
    which are all nearly the same: the margin of a triplet loss, ln B of InfoNCE.

    Args:
        every_n_steps: between two looks; 0 for none at all.
        min_effective_rank: up to this it is low.
        patience_steps: how long either has to last.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self, every_n_steps: int = 10, min_effective_rank: float = 2.0, patience_steps: int = 50
    ) -> None:
        check_not_negative(every_n_steps=every_n_steps)
        if not min_effective_rank >= 1:
            raise OptionError(f"min_effective_rank is {min_effective_rank}; use 1 or more")
        if patience_steps < 1:
            raise OptionError(f"patience_steps is {patience_steps}; use 1 or more")
        self.every_n_steps = every_n_steps
        self.min_effective_rank = min_effective_rank
        self.patience_steps = patience_steps
        self.warned = False
        self._since = -1
        """The step at which it began; -1 where it has not."""

    def on_train_batch_end(
        self,
        trainer: pl.Trainer,
        pl_module: pl.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Look at the descriptors of the batch."""
        task, step = cast("WatchedTask", pl_module), trainer.global_step
        if self.every_n_steps == 0 or step % self.every_n_steps or task.step_skipped:
            return
        assert task.described is not None
        rank = float(effective_rank(torch.cat(task.described[:2])))
        task.log("train/effective_rank", rank)
        loss = float(trainer.callback_metrics["train/loss"])
        collapsed = task.collapsed_loss(task.described)
        low = rank <= self.min_effective_rank
        stuck = abs(loss - collapsed) <= _SAME_LOSS * abs(collapsed)
        if not (low or stuck):
            self._since = -1
            return
        if self._since < 0:
            self._since = step
        if step - self._since < self.patience_steps or self.warned:
            return
        self.warned = True
        if trainer.is_global_zero:
            state = "descriptors have collapsed" if low else "training is stuck"
            at = _where(task, loss, collapsed) if stuck else f"{loss:.3g}"
            sys.stderr.write(
                f"corr: warning: {state}: effective rank {rank:.1f} of "
                f"{task.described.anchors.shape[1]} and the loss is {at} since "
                f"{step - self._since} steps; use {_remedy(task)}\n"
            )

    def state_dict(self) -> dict[str, Any]:
        """How long it has lasted, so that a resumed run goes on counting."""
        return {"since": self._since, "warned": self.warned}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take the count of the run that is resumed."""
        self._since, self.warned = int(state_dict["since"]), bool(state_dict["warned"])


@torch.no_grad()
def effective_rank(descriptors: Float[Tensor, "N D"]) -> Float[Tensor, ""]:
    """In how many directions descriptors differ: 1 where all are the same, up to D.

    The exponential of the entropy of the singular values, which are normalised to a sum of 1.

    Source: Roy 2007, "The effective rank: a measure of effective dimensionality", section 2.
    """
    values = descriptors.double()
    singular = torch.linalg.eigvalsh(values.T @ values).clamp_min(0).sqrt()
    share = singular / singular.sum()
    entropy: Tensor = torch.special.entr(share).sum()
    return entropy.exp().float()


@torch.no_grad()
def collapsed_loss(task: WatchedTask, described: Described) -> float:
    """The loss of a batch like this one whose descriptors are all the same."""
    anchors, _, labels = described
    same = F.normalize(torch.ones_like(anchors), dim=1)
    devices = [anchors.device] if anchors.is_cuda else []
    with _no_duplicates(task.loss), torch.random.fork_rng(devices):  # a loss may draw negatives
        return float(task.loss_now(Described(same, same, labels)))


@contextmanager
def _no_duplicates(loss: TrainingLoss) -> Iterator[None]:
    """Without the rule that nearly equal descriptors are no negatives: it would leave none."""
    guarded = [part for part in loss.modules() if isinstance(getattr(part, "guard", None), Guard)]
    guards = [cast("DescriptorLoss", part).guard for part in guarded]
    try:
        for part, guard in zip(guarded, guards, strict=True):
            cast("DescriptorLoss", part).guard = replace(cast("Guard", guard), min_distance=0.0)
        yield
    finally:
        for part, guard in zip(guarded, guards, strict=True):
            cast("DescriptorLoss", part).guard = guard


def _where(task: WatchedTask, loss: float, collapsed: float) -> str:
    margin = float(getattr(task.loss, "margin", 0.0))
    if abs(collapsed - margin) <= _SAME_LOSS * margin:
        return f"at its margin {margin:.3g}"
    return f"{loss:.3g}, that of equal descriptors,"


def _remedy(task: WatchedTask) -> str:
    softer = [f"a lower learning_rate than {task.learning_rate}"]
    if task.mines_hardest and task.semi_hard_steps == 0:
        softer.append("mining semi-hard first (--model.semi_hard_steps 200)")
    return ", ".join([*softer, "a smaller margin or larger batches"])
