"""The mould of the losses: a guard, a batch that is checked, then the loss's own formula."""

from __future__ import annotations

from abc import abstractmethod

from jaxtyping import Float
from torch import Tensor

from corr.losses.checks import check_batch, not_finite
from corr.losses.descriptor import DescriptorLoss
from corr.losses.guard import Guard
from corr.losses.labels import Labels


class GuardedLoss(DescriptorLoss):
    """A loss whose `compute` gets only batches that it can learn from.

    Args:
        guard: which pairs are no negatives; near-duplicates when not given.
    """

    guard: Guard

    def __init__(self, guard: Guard | None = None) -> None:
        super().__init__()
        self.guard = guard or Guard()

    def forward(
        self,
        anchors: Float[Tensor, "B D"],
        positives: Float[Tensor, "B D"],
        labels: Labels | None = None,
    ) -> Float[Tensor, ""]:
        """The loss of a batch; NaN where a descriptor is not finite.

        Args:
            anchors: descriptors, of unit length unless the loss `needs_raw` ones.
            positives: row i shows what row i of the anchors shows.
            labels: what else is known of the rows.

        Raises:
            ShapeError: see `corr.losses.checks.check_batch`.
            OptionError: likewise.
        """
        if not check_batch(anchors, positives, labels, self.guard, unit=not self.needs_raw):
            return not_finite(anchors, positives)
        return self.compute(anchors, positives, labels)

    @abstractmethod
    def compute(
        self,
        anchors: Float[Tensor, "B D"],
        positives: Float[Tensor, "B D"],
        labels: Labels | None,
    ) -> Float[Tensor, ""]:
        """The loss of a batch that was checked."""
