"""Dual softmax: each match has to be found from both of its sides at once."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from corr.losses.checks import check_not_negative, check_positive
from corr.losses.guard import Guard
from corr.losses.guarded import GuardedLoss
from corr.losses.labels import Labels
from corr.losses.softmax import matched_log_probability


class DualSoftmaxLoss(GuardedLoss):
    """Cross-entropy of a match, whose probability is the product of those of both directions.

    Without focus it is twice InfoNCE both ways.

    Source: Sun 2021, "LoFTR: Detector-free local feature matching with transformers"; Rocco
    2018, "Neighbourhood consensus networks"; Lin 2017, "Focal loss for dense object detection".

    Args:
        temperature: that inner products of unit-length descriptors are divided by.
        focus: gamma of the focal loss, which weighs a match by (1 - probability)^gamma; 0 weighs
            all the same.
        guard: which pairs are no negatives.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self, temperature: float = 0.1, *, focus: float = 0.0, guard: Guard | None = None
    ) -> None:
        super().__init__(guard)
        check_positive(temperature=temperature)
        check_not_negative(focus=focus)
        self.temperature = temperature
        self.focus = focus

    def compute(
        self,
        anchors: Float[Tensor, "B D"],
        positives: Float[Tensor, "B D"],
        labels: Labels | None,
    ) -> Float[Tensor, ""]:
        """The mean loss over the rows."""
        return dual_softmax_loss(
            anchors, positives, self.temperature, focus=self.focus, guard=self.guard, labels=labels
        )


def dual_softmax_loss(
    anchors: Float[Tensor, "B D"],
    positives: Float[Tensor, "B D"],
    temperature: float,
    *,
    focus: float = 0.0,
    guard: Guard,
    labels: Labels | None = None,
) -> Float[Tensor, ""]:
    """The loss of a batch; the arguments are those of `DualSoftmaxLoss`."""
    found = matched_log_probability(
        anchors, positives, temperature, guard=guard, labels=labels
    ) + matched_log_probability(positives, anchors, temperature, guard=guard, labels=labels)
    if focus > 0:
        # A power below 1 has no gradient at 0, so a match that is certain keeps a little weight.
        found = (-found.expm1()).clamp_min(1e-12) ** focus * found
    return -found.mean()
