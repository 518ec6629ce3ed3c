"""Metric learning: any network, any loss of descriptors; what all its tasks share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from corr.errors import OptionError
from corr.losses import DescriptorLoss
from corr.losses.checks import check_not_negative
from corr.losses.descriptor import TrainingLoss, loss_of
from corr.models.network import Network
from corr.tasks.collapse import CollapseMonitor, collapsed_loss
from corr.tasks.described import Described, labels_of
from corr.tasks.distances import batch_distances
from corr.tasks.gather import gather
from corr.tasks.optimizer import Optimizer
from corr.tasks.watched import WatchedTask


class MetricTask(WatchedTask):
    """Trains any network with any loss of descriptors.

    A task of its own says in `describe` how a batch becomes descriptors, and how they are judged
    in Lightning's validation hooks. On several devices the loss is that of all their rows.

    Args:
        network: describes both sides of a batch.
        loss: of a batch of matching descriptors.
        learning_rate: at the end of the warm-up; from there it falls to 0 on a straight line.
        optimizer: `sgd` (momentum 0.9), `adam` or `adamw`.
        weight_decay: of the optimiser.
        warmup_steps: over which the learning rate rises.
        semi_hard_steps: over which a loss that mines the hardest mines semi-hard ones instead.
        ema_decay: of a moving average of the weights, which then is what is validated and saved;
            0 for none.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self,
        network: nn.Module,
        loss: TrainingLoss,
        *,
        learning_rate: float = 0.1,
        optimizer: Optimizer = "sgd",
        weight_decay: float = 1e-4,
        warmup_steps: int = 50,
        semi_hard_steps: int = 0,
        ema_decay: float = 0.0,
    ) -> None:
        super().__init__(
            network,
            learning_rate=learning_rate,
            optimizer=optimizer,
            weight_decay=weight_decay,
            warmup_steps=warmup_steps,
            ema_decay=ema_decay,
        )
        check_not_negative(semi_hard_steps=semi_hard_steps)
        self.loss = loss
        self.semi_hard_steps = semi_hard_steps
        self.described = None
        if semi_hard_steps > 0 and not self.mines_hardest:
            raise OptionError(
                f"semi_hard_steps is {semi_hard_steps}, but the loss mines no 'hardest' "
                "negatives; use 0"
            )

    @property
    def mines_hardest(self) -> bool:
        """Whether there is something to begin softer with."""
        return any(_mining_hardest(self.loss))

    def describe(self, batch: Any) -> Described:
        """The descriptors of a batch `(anchor, positive)`, both sides through the network at once.

        Its fields `points`, `images` and `tracks`, where it has them, are the labels.
        """
        sides = torch.cat((batch[0], batch[1])).contiguous(memory_format=torch.channels_last)
        network = self.network
        if self.training and self.loss.needs_raw and isinstance(network, Network):
            anchors, positives = network.raw(sides).chunk(2)
        else:
            anchors, positives = network(sides).chunk(2)
        return Described(anchors, positives, labels_of(batch))

    def describe_everywhere(self, batch: Any) -> Described:
        """What `describe` gives, with the rows of all devices, each of which brings a batch."""
        described = self.describe(batch)
        self.num_seen = 2 * len(described.anchors)
        return gather(described) if self.trainer.world_size > 1 else described

    def shown(self, batch: Any) -> tuple[Tensor, Tensor]:
        """What `describe` describes, as `(B, C, H, W)` pictures in [0, 1] to be drawn."""
        return batch[0], batch[1]

    def training_step(self, batch: Any, batch_idx: int) -> Float[Tensor, ""] | None:
        """The loss of a batch, as `describe` takes it, with the rows of all devices."""
        return self.loss_logged(self.describe_everywhere(batch))

    def loss_logged(self, described: Described) -> Float[Tensor, ""]:
        """The loss of the rows of all devices; it and their distances are logged."""
        loss = self.loss_now(described)
        anchors, positives = (F.normalize(side.detach(), dim=1) for side in described[:2])
        self.described = Described(anchors, positives, described.labels)
        self.log("train/loss", loss, prog_bar=True)
        if loss.isfinite():
            self._log_distances(self.described)
        return loss

    def loss_now(self, described: Described) -> Float[Tensor, ""]:
        """The loss at this step, semi-hard at first where it is asked for."""
        assert isinstance(self.loss, DescriptorLoss)  # what has another one overrides this
        with self._warming_up():
            return loss_of(self.loss, *described)

    def collapsed_loss(self, described: Described) -> float:
        """The loss of a batch like this one whose descriptors are all the same."""
        return collapsed_loss(self, described)

    def watching(self) -> list[pl.Callback]:
        """Those of any network, and one that sees descriptors collapse."""
        return [*super().watching(), CollapseMonitor()]

    @contextmanager
    def _warming_up(self) -> Iterator[None]:
        soft = self.trainer.global_step < self.semi_hard_steps
        losses = list(_mining_hardest(self.loss)) if soft else []
        for loss in losses:
            loss.mining = "semi-hard"
        try:
            yield
        finally:
            for loss in losses:
                loss.mining = "hardest"

    def _log_distances(self, described: Described) -> None:
        found = batch_distances(described.anchors, described.positives, described.labels, self.loss)
        self.log("train/positive_distance", found.positive.mean())
        self.log("train/negative_distance", found.negative[found.negative.isfinite()].mean())
        self.log("train/active_share", found.active_share(getattr(self.loss, "margin", 0.0)))
        every: int = self.trainer.log_every_n_steps  # type: ignore[attr-defined]  # not in stubs
        if self.loss.guard is not None and every and (self.trainer.global_step + 1) % every == 0:
            # A look at all pairs, so only where it is going to be written.
            self.log("train/guarded_share", self.loss.guard.guarded_share(*described))


def _mining_hardest(loss: TrainingLoss) -> Iterator[Any]:
    """The loss, and those that it is made of, as far as they mine the hardest negatives."""
    return (part for part in loss.modules() if getattr(part, "mining", None) == "hardest")
