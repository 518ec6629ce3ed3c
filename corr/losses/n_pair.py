"""The N-pair loss: a match against all other rows, by inner products of any length."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from corr.losses.checks import check_not_negative
from corr.losses.guard import Guard
from corr.losses.guarded import GuardedLoss
from corr.losses.labels import Labels
from corr.losses.softmax import matched_log_probability


class NPairLoss(GuardedLoss):
    """Each positive against the positives of all other rows, with a brake on the length.

    It takes descriptors before they are normalised: those of unit length are too alike for it.

    Source: Sohn 2016, "Improved deep metric learning with multi-class N-pair loss objective"
    (N-pair-mc); the brake as in TensorFlow Addons' code.

    Args:
        length_weight: of a quarter of the mean squared length of both sides.
        guard: which pairs are no negatives; its distance is that of the normalised descriptors.

    Raises:
        OptionError: a setting outside its range.
    """

    needs_raw = True

    def __init__(self, length_weight: float = 0.002, *, guard: Guard | None = None) -> None:
        super().__init__(guard)
        check_not_negative(length_weight=length_weight)
        self.length_weight = length_weight

    def compute(
        self,
        anchors: Float[Tensor, "B D"],
        positives: Float[Tensor, "B D"],
        labels: Labels | None,
    ) -> Float[Tensor, ""]:
        """The mean loss over the rows, of descriptors of any length."""
        return n_pair_loss(anchors, positives, self.length_weight, guard=self.guard, labels=labels)


def n_pair_loss(
    anchors: Float[Tensor, "B D"],
    positives: Float[Tensor, "B D"],
    length_weight: float = 0.0,
    *,
    guard: Guard,
    labels: Labels | None = None,
) -> Float[Tensor, ""]:
    """The loss of a batch; the arguments are those of `NPairLoss`."""
    found = matched_log_probability(anchors, positives, 1.0, guard=guard, labels=labels, unit=False)
    squared = anchors.square().sum(1).mean() + positives.square().sum(1).mean()
    return length_weight / 4 * squared - found.mean()
