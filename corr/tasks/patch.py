"""Training a patch descriptor on pairs of patches of the same point."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from corr.classical.sift import describe_patches_sift
from corr.losses import DescriptorLoss
from corr.losses.distances import pairwise_distances
from corr.metrics import fpr95
from corr.models.network import PatchDescriptor
from corr.tasks.metric import MetricTask

_ROWS_AT_ONCE = 1024
"""Of the held-out distances: they need memory for so many rows, not for all."""


class _Sides(NamedTuple):
    """Patches or descriptors of the same points, row by row."""

    anchor: Tensor
    positive: Tensor


class PatchTask(MetricTask):
    """Trains a descriptor of 32 x 32 patches; judges it by FPR95 beside RootSIFT.

    FPR95 compares each held-out anchor with its positive and with the positives of all the other
    held-out pairs. The figure of RootSIFT comes from the same patches and the same pairs.

    Args:
        network: describes the patches; both views go through it as one batch.
        loss: of a batch of matching descriptors.
        settings: of `MetricTask`.

    Raises:
        OptionError: a setting outside its range.
    """

    counted = "patches"
    network: PatchDescriptor

    def __init__(
        self,
        network: PatchDescriptor,
        loss: DescriptorLoss,
        **settings: Any,
    ) -> None:
        super().__init__(network, loss, **settings)
        self._held_out: list[_Sides] = []
        self._described: list[_Sides] = []
        self._fpr95_rootsift: float | None = None

    def on_validation_start(self) -> None:
        """Stop the clock, and drop what a validation that was stopped left."""
        super().on_validation_start()
        self._described, self._held_out = [], []

    def validation_step(self, batch: Any, batch_idx: int) -> None:
        """Describe held-out pairs; the figures come at the end of the epoch."""
        described = self.describe(batch)
        self._described.append(_Sides(described.anchors.cpu(), described.positives.cpu()))
        if self._fpr95_rootsift is None:
            self._held_out.append(_Sides(batch[0].cpu(), batch[1].cpu()))

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
        self.log_held_out(figures)


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


def _joined(batches: list[_Sides]) -> _Sides:
    return _Sides(*(torch.cat(side) for side in zip(*batches, strict=True)))


def _rootsift(patches: Float[Tensor, "N 1 32 32"], sigmas: float) -> Float[Tensor, "N 128"]:
    stored = (patches[:, 0] * 255).round().byte().numpy()
    return torch.from_numpy(describe_patches_sift(stored, sigmas=sigmas, root=True))
