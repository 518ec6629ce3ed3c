"""Metric learning: any network, any loss of descriptors; what all its tasks share."""

from __future__ import annotations

import time
from typing import Any, ClassVar, Literal, NamedTuple

import pytorch_lightning as pl
import torch
from jaxtyping import Float
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor, nn

from corr.errors import OptionError
from corr.losses import DescriptorLoss, Labels
from corr.losses.descriptor import loss_of
from corr.tasks.distances import batch_distances
from corr.tasks.schedule import warm_up_and_decay

SGD_MOMENTUM = 0.9
_STEPS_BETWEEN_CHECKS = 10
"""Of the loss: on a GPU a look at it waits for the step."""


class Described(NamedTuple):
    """A batch as a loss takes it."""

    anchors: Float[Tensor, "B D"]
    positives: Float[Tensor, "B D"]
    """Row i shows what row i of the anchors shows."""
    labels: Labels | None = None
    """What else is known of the rows, if anything."""


class MetricTask(pl.LightningModule):
    """Trains any network with any loss of descriptors.

    A task of its own says in `describe` how a batch becomes descriptors, and how they are judged
    in Lightning's validation hooks.

    Args:
        network: describes both sides of a batch.
        loss: of a batch of matching descriptors.
        learning_rate: at the end of the warm-up; from there it falls to 0 on a straight line.
        optimizer: `sgd` (momentum 0.9) or `adamw`.
        weight_decay: of the optimiser.
        warmup_steps: over which the learning rate rises.

    Raises:
        OptionError: a setting outside its range.
    """

    counted: ClassVar[str] = "images"
    """What a descriptor shows, as in `train/images_per_s`."""

    def __init__(
        self,
        network: nn.Module,
        loss: DescriptorLoss,
        *,
        learning_rate: float = 0.1,
        optimizer: Literal["sgd", "adamw"] = "sgd",
        weight_decay: float = 1e-4,
        warmup_steps: int = 50,
    ) -> None:
        super().__init__()
        if not learning_rate > 0:
            raise OptionError(f"learning_rate is {learning_rate}; use a value above 0")
        if optimizer not in ("sgd", "adamw"):
            raise OptionError(f"optimizer '{optimizer}' is not known; use 'sgd' or 'adamw'")
        if not weight_decay >= 0:
            raise OptionError(f"weight_decay is {weight_decay}; use 0 or more")
        if warmup_steps < 0:
            raise OptionError(f"warmup_steps is {warmup_steps}; use 0 or more")
        self.network = network
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # not in stubs
        self.loss = loss
        self.learning_rate = learning_rate
        self.optimizer = optimizer
        self.weight_decay = weight_decay
        self.warmup_steps = warmup_steps
        self._last_step_s: float | None = None
        self._num_described = 0

    def describe(self, batch: Any) -> Described:
        """The descriptors of a batch `(anchor, positive)`, both sides through the network at once.

        Its fields `points`, `images` and `tracks`, where it has them, are the labels.
        """
        sides = torch.cat((batch[0], batch[1])).contiguous(memory_format=torch.channels_last)
        anchors, positives = self.network(sides).chunk(2)
        return Described(anchors, positives, labels_of(batch))

    def training_step(self, batch: Any, batch_idx: int) -> Float[Tensor, ""]:
        """The loss of a batch, as `describe` takes it."""
        described = self.describe(batch)
        self._num_described = 2 * len(described.anchors)
        loss = loss_of(self.loss, *described)
        self.log("train/loss", loss, prog_bar=True)
        self._log_distances(described)
        return loss

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Start the clock, if the last step did not."""
        if self._last_step_s is None:
            self._last_step_s = time.perf_counter()

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Log the speed, what both sides show a second, the wait for the data included.

        Raises:
            OptionError: the loss is not finite any more.
        """
        if batch_idx % _STEPS_BETWEEN_CHECKS == 0 and not outputs["loss"].isfinite():
            raise OptionError(
                f"the loss is {float(outputs['loss'])} after {self.trainer.global_step} steps: "
                f"training has diverged; use a lower learning_rate than {self.learning_rate}"
            )
        now = time.perf_counter()
        if self._last_step_s is not None:
            speed = self._num_described / (now - self._last_step_s)
            self.log(f"train/{self.counted}_per_s", speed, prog_bar=True)
        self._last_step_s = now

    def on_validation_start(self) -> None:
        """Stop the clock."""
        self._last_step_s = None

    def configure_optimizers(self) -> OptimizerLRScheduler:
        """The optimiser, and a schedule over all the steps that the trainer is going to make."""
        parameters = [value for value in self.parameters() if value.requires_grad]
        optimizer: torch.optim.Optimizer
        if self.optimizer == "sgd":
            optimizer = torch.optim.SGD(
                parameters, self.learning_rate, SGD_MOMENTUM, weight_decay=self.weight_decay
            )
        else:
            optimizer = torch.optim.AdamW(
                parameters, self.learning_rate, weight_decay=self.weight_decay
            )
        schedule = warm_up_and_decay(
            self.warmup_steps, int(self.trainer.estimated_stepping_batches)
        )
        return {
            "optimizer": optimizer,
            "lr_scheduler": {
                "scheduler": torch.optim.lr_scheduler.LambdaLR(optimizer, schedule),
                "interval": "step",
            },
        }

    def _log_distances(self, described: Described) -> None:
        found = batch_distances(described.anchors, described.positives, described.labels, self.loss)
        self.log("train/positive_distance", found.positive.mean())
        self.log("train/negative_distance", found.negative[found.negative.isfinite()].mean())
        self.log("train/active_share", found.active_share(getattr(self.loss, "margin", 0.0)))
        every: int = self.trainer.log_every_n_steps  # type: ignore[attr-defined]  # not in stubs
        if self.loss.guard is not None and every and (self.trainer.global_step + 1) % every == 0:
            # A look at all pairs, so only where it is going to be written.
            self.log("train/guarded_share", self.loss.guard.guarded_share(*described))


def labels_of(batch: Any) -> Labels | None:
    """The labels among the fields of a batch; None where it has none of them."""
    known = {name: getattr(batch, name, None) for name in ("tracks", "points", "images")}
    if known["tracks"] is None and known["points"] is None:
        return None  # a photo alone says nothing of a row
    return Labels(**known)
