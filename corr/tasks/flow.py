"""Training a network of optical flow on frames with known flow."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from corr.classical.flow import dis
from corr.data.flow.batches import FlowBatch
from corr.errors import OptionError
from corr.geometry import to_grey
from corr.losses.endpoint import EndpointLoss
from corr.metrics import endpoint_error, flow_outlier_rate
from corr.metrics.flow import speed_classes
from corr.models.flow_network import FlowNetwork
from corr.tasks.network_task import NetworkTask
from corr.tasks.optimizer import Optimizer
from corr.tasks.schedule import Schedule


class FlowTask(NetworkTask):
    """Trains a network that tells where each pixel of an image went in another.

    Judged on held-out pairs at full resolution, over the pixels of all pairs: the end-point error,
    that of pixels which move by up to 10, up to 40 and more px, and the share that is wrong by more
    than 3 px and 5 % (Fl-all). Beside them stand the error of no motion at all and, measured once,
    that of OpenCV's DIS.

    Args:
        network: predicts flow at several levels.
        loss: of all levels.
        learning_rate: at the end of the warm-up.
        optimizer: `sgd` (momentum 0.9), `adam` or `adamw`.
        weight_decay: of the optimiser.
        warmup_steps: over which the learning rate rises, without which FlowNetC diverges.
        schedule: of the learning rate from there: `line` falls to 0 (one cycle); `short` and `long`
            halve it where S_short and S_long do.
        ema_decay: of a moving average of the weights, which then is what is validated and saved;
            0 for none.
        masked_share: of the steps, from the first, in which occluded pixels have no loss.
        robust_share: of the steps, up to the last, in which large errors count for less.

    Raises:
        OptionError: a setting outside its range.

    Source: Dosovitskiy et al. 2015, "FlowNet: Learning optical flow with convolutional networks",
    section 5; Ilg et al. 2017, "FlowNet 2.0" (the schedules).
    """

    counted = "pairs"
    network: FlowNetwork

    def __init__(
        self,
        network: FlowNetwork,
        loss: EndpointLoss,
        *,
        learning_rate: float = 4e-4,
        optimizer: Optimizer = "adamw",
        weight_decay: float = 1e-4,
        warmup_steps: int = 200,
        schedule: Schedule = "line",
        ema_decay: float = 0.0,
        masked_share: float = 0.0,
        robust_share: float = 0.0,
    ) -> None:
        super().__init__(
            network, learning_rate=learning_rate, optimizer=optimizer, weight_decay=weight_decay,
            warmup_steps=warmup_steps, ema_decay=ema_decay, schedule=schedule,
        )  # fmt: skip
        for name, share in (("masked_share", masked_share), ("robust_share", robust_share)):
            if not 0 <= share <= 1:
                raise OptionError(f"{name} is {share}; use a value in [0, 1]")
        self.loss = loss
        self.masked_share, self.robust_share = masked_share, robust_share
        self._sums: dict[str, tuple[float, int]] = {}
        self._dis: dict[str, float] | None = None

    def training_step(self, batch: FlowBatch, batch_idx: int) -> Float[Tensor, ""]:
        """The loss of a batch; its end-point error and that of no motion are logged."""
        levels = self.network(*_channels_last(batch))
        self.num_seen = len(batch.images0)
        masked = self.trainer.global_step < self.masked_share * self._num_steps
        left = self._num_steps - self.trainer.global_step
        valid = batch.flow_0to1.isfinite().all(1)
        if masked:
            valid = valid & ~batch.occluded
        padded, valid = self._padded(batch.flow_0to1, valid)
        loss: Tensor = self.loss(
            levels, padded, valid, robust=left <= self.robust_share * self._num_steps
        )
        if not valid.any():
            self.step_skipped = True
            return loss
        self.log("train/loss", loss, prog_bar=True)
        self._log_errors(levels[-1].detach(), batch.flow_0to1)
        return loss

    def on_validation_start(self) -> None:
        """Stop the clock, and drop what a validation that was stopped left."""
        super().on_validation_start()
        self._sums = {}

    def validation_step(self, batch: FlowBatch, batch_idx: int) -> None:
        """Judge held-out pairs; the figures come at the end of the epoch."""
        found = self.network.flow(*_channels_last(batch)).float().cpu()
        greys = [_grey(images) for images in (batch.images0, batch.images1)]
        for pair, estimate in enumerate(_as_fields(found)):
            truth = _as_fields(batch.flow_0to1.cpu())[pair]
            self._judge(estimate, truth)
            if self._dis is None:
                self._add("val/epe_dis", dis(greys[0][pair], greys[1][pair]), truth)

    def on_validation_epoch_end(self) -> None:
        """Log the means over the pixels of all held-out pairs."""
        means = {name: total / max(count, 1) for name, (total, count) in self._sums.items()}
        if self._dis is None:
            self._dis = {name: mean for name, mean in means.items() if name == "val/epe_dis"}
        self._sums = {}
        self.log_held_out({**means, **self._dis})

    @property
    def _num_steps(self) -> int:
        return int(self.trainer.estimated_stepping_batches)

    def _log_errors(self, finest: Tensor, truth: Float[Tensor, "B 2 H W"]) -> None:
        """At full resolution, over all pixels with known flow."""
        known = truth.isfinite().all(1)
        found = self.network.enlarge(finest, truth.shape[-2], truth.shape[-1])
        for name, error in (("train/epe", found - truth), ("train/epe_zero", truth)):
            self.log(name, torch.linalg.vector_norm(error, dim=1)[known].mean(), prog_bar=True)

    def _judge(self, estimate: np.ndarray, truth: np.ndarray) -> None:
        self._add("val/epe", estimate, truth)
        self._add("val/epe_zero", np.zeros_like(truth), truth)
        for name, chosen in speed_classes(truth).items():
            self._add(f"val/epe_{name}", estimate, truth, chosen)
        known = np.isfinite(truth).all(-1)
        if known.any():
            self._count("val/fl_all", flow_outlier_rate(estimate, truth), int(known.sum()))

    def _add(
        self, name: str, estimate: np.ndarray, truth: np.ndarray, chosen: np.ndarray | None = None
    ) -> None:
        valid = np.isfinite(truth).all(-1) if chosen is None else chosen
        if valid.any():
            self._count(name, endpoint_error(estimate, truth, valid=valid), int(valid.sum()))

    def _count(self, name: str, mean: float, count: int) -> None:
        total, before = self._sums.get(name, (0.0, 0))
        self._sums[name] = total + mean * count, before + count

    def _padded(self, flow: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """As the network pads its images; nothing is known there."""
        height, width = flow.shape[-2:]
        padding = (0, -width % self.network.multiple, 0, -height % self.network.multiple)
        return F.pad(flow, padding, value=torch.nan), F.pad(valid, padding)


def _channels_last(batch: FlowBatch) -> tuple[Tensor, Tensor]:
    images0, images1 = (
        side.contiguous(memory_format=torch.channels_last)
        for side in (batch.images0, batch.images1)
    )
    return images0, images1


def _as_fields(flow: Float[Tensor, "B 2 H W"]) -> list[np.ndarray]:
    return list(flow.permute(0, 2, 3, 1).numpy())


def _grey(images: Float[Tensor, "B 3 H W"]) -> np.ndarray:
    return (to_grey(images.float())[:, 0] * 255).round().byte().cpu().numpy()
