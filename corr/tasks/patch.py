"""Training a patch descriptor on pairs of patches of the same point."""

from __future__ import annotations

import time
from typing import Any, Literal, NamedTuple

import pytorch_lightning as pl
import torch
from jaxtyping import Float
from pytorch_lightning.utilities.types import OptimizerLRScheduler
from torch import Tensor

from corr.classical.sift import describe_patches_sift
from corr.errors import OptionError
from corr.losses import DescriptorLoss
from corr.losses.descriptor import pairwise_distances
from corr.metrics import fpr95
from corr.models.network import PatchDescriptor
from corr.tasks.schedule import warm_up_and_decay

SGD_MOMENTUM = 0.9
_STEPS_BETWEEN_CHECKS = 10
"""Of the loss: on a GPU a look at it waits for the step."""
_ROWS_AT_ONCE = 1024
"""Of the held-out distances: they need memory for so many rows, not for all."""


class _Sides(NamedTuple):
    """Patches or descriptors of the same points, row by row."""

    anchor: Tensor
    positive: Tensor


class PatchTask(pl.LightningModule):
    """Trains a descriptor of 32 x 32 patches; judges it by FPR95 beside RootSIFT.

    FPR95 compares each held-out anchor with its positive and with the positives of all the other
    held-out pairs. The figure of RootSIFT comes from the same patches and the same pairs.

    Args:
        network: describes the patches; both views go through it as one batch.
        loss: of a batch of matching descriptors.
        learning_rate: at the end of the warm-up; from there it falls to 0 on a straight line.
        optimizer: `sgd` (momentum 0.9) or `adamw`.
        weight_decay: of the optimiser.
        warmup_steps: over which the learning rate rises.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self,
        network: PatchDescriptor,
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
        self._held_out: list[_Sides] = []
        self._described: list[_Sides] = []
        self._fpr95_rootsift: float | None = None

    def training_step(self, batch: Any, batch_idx: int) -> Float[Tensor, ""]:
        """The loss of a batch of pairs `(anchor, positive)`."""
        anchors, positives = self._describe(*batch)
        loss: Tensor = self.loss(anchors, positives)
        positive, negative = _distances(anchors.detach(), positives.detach())
        self.log("train/loss", loss, prog_bar=True)
        self.log("train/positive_distance", positive.mean())
        self.log("train/negative_distance", negative.mean())
        margin = float(getattr(self.loss, "margin", 0.0))
        self.log("train/active_share", (positive + margin > negative).float().mean())
        return loss

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        """Start the clock, if the last step did not."""
        if self._last_step_s is None:
            self._last_step_s = time.perf_counter()

    def on_train_batch_end(self, outputs: Any, batch: Any, batch_idx: int) -> None:
        """Log the speed, patches of both views a second, the wait for the data included.

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
            speed = 2 * len(batch[0]) / (now - self._last_step_s)
            self.log("train/patches_per_s", speed, prog_bar=True)
        self._last_step_s = now

    def on_validation_start(self) -> None:
        """Stop the clock, and drop what a validation that was stopped left."""
        self._last_step_s = None
        self._described, self._held_out = [], []

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Describe held-out pairs; the figures come at the end of the epoch."""
        self._described.append(_Sides(*(side.cpu() for side in self._describe(*batch))))
        if self._fpr95_rootsift is None:
            self._held_out.append(_Sides(*(side.cpu() for side in batch)))

    def on_validation_epoch_end(self) -> None:
        """Log FPR95 of the network and of RootSIFT over all held-out pairs."""
        if not self._described:
            return
        if self._fpr95_rootsift is None:
            patches = _joined(self._held_out)
            self._fpr95_rootsift = pairs_fpr95(
                *(_rootsift(side, self.network.sigmas) for side in patches)
            )
        learned = pairs_fpr95(*(side.float() for side in _joined(self._described)))
        self._described, self._held_out = [], []
        figures = {"val/fpr95": learned, "val/fpr95_rootsift": self._fpr95_rootsift}
        self.log_dict(figures, prog_bar=True)
        if self.trainer.sanity_checking:  # of which Lightning logs nothing
            for logger in self.loggers:
                logger.log_metrics(figures, step=0)

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

    def _describe(self, anchor: Tensor, positive: Tensor) -> tuple[Tensor, Tensor]:
        patches = torch.cat((anchor, positive)).contiguous(memory_format=torch.channels_last)
        anchors, positives = self.network(patches).chunk(2)
        return anchors, positives


def pairs_fpr95(anchors: Float[Tensor, "N D"], positives: Float[Tensor, "N D"]) -> float:
    """FPR95 of N pairs of descriptors, each anchor against the positives of all other pairs."""
    positive = torch.linalg.vector_norm(anchors - positives, dim=1).cpu().numpy()
    total = 0.0
    for start in range(0, len(anchors), _ROWS_AT_ONCE):
        distances = pairwise_distances(anchors[start : start + _ROWS_AT_ONCE], positives)
        negative = torch.ones_like(distances, dtype=torch.bool)
        negative.diagonal(start).fill_(False)
        total += len(distances) * fpr95(positive, distances[negative].cpu().numpy())
    return total / len(anchors)


def _distances(anchors: Tensor, positives: Tensor) -> tuple[Tensor, Tensor]:
    """Of each pair, and to its hardest negative on either side."""
    distances = pairwise_distances(anchors, positives)
    positive = distances.diagonal().clone()
    others = distances.fill_diagonal_(torch.inf)
    return positive, torch.minimum(others.amin(0), others.amin(1))


def _joined(batches: list[_Sides]) -> _Sides:
    return _Sides(*(torch.cat(side) for side in zip(*batches, strict=True)))


def _rootsift(patches: Float[Tensor, "N 1 32 32"], sigmas: float) -> Float[Tensor, "N 128"]:
    stored = (patches[:, 0] * 255).round().byte().numpy()
    return torch.from_numpy(describe_patches_sift(stored, sigmas=sigmas, root=True))
