"""Training a dense descriptor on photographs of which only the class is known."""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from corr.data.correspondence.batches import CorrespondenceBatch
from corr.errors import DatasetError, OptionError
from corr.geometry import pixel_grid, sample
from corr.losses import CycleConsistency, DescriptorLoss
from corr.losses.checks import check_not_negative
from corr.losses.cycle import near_target
from corr.models.network import DenseDescription, DenseDescriptor
from corr.tasks.correspondence import CorrespondenceTask
from corr.tasks.described import Described


class ClassPairTask(CorrespondenceTask):
    """Trains a network to find the parts of things in other things of their class.

    A pair is a photograph bent and plain, of which the flow is known, and comes with another one of
    its class, as `corr.data.ClassPairs` gives it. From the first two the network learns as in
    `CorrespondenceTask`. Through the other one it learns by cycle consistency: a walk from the bent
    photograph over the other to the plain one has to end where the flow says, see
    `corr.losses.cycle`. Descriptors are averaged over cells of `cell_px` for it, since a walk looks
    at all cells of all three.

    Held-out pairs are judged as there, and by `val/returned`: the share of cells whose walk by
    nearest neighbours comes back. Marked points of a semantic set may be held out instead.

    Args:
        network: describes images.
        loss: of a batch of matching descriptors, of the bent photograph and the plain one.
        cycle: how walks are drawn and what is asked of them; defaults where not given.
        cycle_weight: of the walks in the loss.
        cell_px: side of the cells of a walk; a multiple of the network's stride.
        settings: of `CorrespondenceTask`.

    Raises:
        OptionError: a setting outside its range.

    Source: Truong 2022, "Probabilistic Warp Consistency for Weakly-Supervised Semantic
    Correspondences", whose two objectives these are; its unmatched state is left out.
    """

    def __init__(
        self,
        network: DenseDescriptor,
        loss: DescriptorLoss,
        *,
        cycle: CycleConsistency | None = None,
        cycle_weight: float = 1.0,
        cell_px: int = 8,
        **settings: Any,
    ) -> None:
        super().__init__(network, loss, **settings)
        check_not_negative(cycle_weight=cycle_weight)
        if cell_px < 1 or cell_px % network.stride:
            raise OptionError(
                f"cell_px is {cell_px}; use a multiple of the network's stride, {network.stride}"
            )
        self.cycle = cycle or CycleConsistency()
        self.cycle_weight = cycle_weight
        self.cell_px = cell_px
        self._walk: tuple[Tensor, Tensor, Tensor] | None = None

    def describe(self, batch: CorrespondenceBatch) -> Described:
        """The descriptors of random points in the bent and the plain photographs.

        Raises:
            DatasetError: a training batch without other photographs.
        """
        if self.training and batch.others is None:
            raise DatasetError(
                "training pairs come without another photograph of their class; use a source such "
                "as corr.data.ClassPairs"
            )
        return super().describe(batch)

    def describe_images(self, batch: CorrespondenceBatch) -> list[DenseDescription]:
        """Those of the bent and the plain photographs; what a walk goes over is kept."""
        if batch.others is None:
            return super().describe_images(batch)
        bent, plain, other = self.describe_sides(batch.images0, batch.images1, batch.others)
        self._walk = self._cells(bent), self._cells(other), self._cells(plain)
        return [bent, plain]

    def training_step(self, batch: CorrespondenceBatch, batch_idx: int) -> Float[Tensor, ""] | None:
        """The loss of `CorrespondenceTask`, and that of the walks."""
        loss = super().training_step(batch, batch_idx)
        if loss is None:
            return None
        assert self._walk is not None
        cycle = self.cycle(*self._walk, self._targets(batch.flow_0to1))
        self.log("train/cycle_loss", cycle.detach(), prog_bar=True)
        return loss + self.cycle_weight * cycle

    def validation_step(self, batch: CorrespondenceBatch, batch_idx: int) -> None:
        """PCK of random points of a held-out pair, and how many walks come back."""
        super().validation_step(batch, batch_idx)
        if batch.others is None:
            return
        self.describe_images(batch)
        assert self._walk is not None
        bent, other, plain = (side.flatten(2) for side in self._walk)
        there = (bent.transpose(1, 2) @ other).argmax(2)
        back = (other.transpose(1, 2) @ plain).argmax(2).gather(1, there)
        size = self._walk[2].shape[2], self._walk[2].shape[3]
        near, known = near_target(self._targets(batch.flow_0to1), size, self.cycle.radius)
        returned = near.gather(2, back[..., None])[..., 0][known]
        if len(returned):
            self.log("val/returned", returned.float().mean(), batch_size=1, prog_bar=True)

    def _cells(self, dense: DenseDescription) -> Float[Tensor, "B D H W"]:
        """Unit-length descriptors of the cells of a walk."""
        size = self.cell_px // self.network.stride
        return F.normalize(F.avg_pool2d(dense.descriptors, size), dim=1)

    def _targets(self, flow_0to1: Float[Tensor, "B S S 2"]) -> Float[Tensor, "B H W 2"]:
        """Where the flow takes the middle of each cell, (x, y) in cells."""
        side = flow_0to1.shape[1] // self.cell_px
        grid = pixel_grid(side, side, flow_0to1.device)
        middle = ((grid + 0.5) * self.cell_px - 0.5).expand(len(flow_0to1), -1, -1, -1)
        moved = middle + sample(flow_0to1.permute(0, 3, 1, 2), middle)
        return (moved + 0.5) / self.cell_px - 0.5
