"""InfoNCE: each row has to find its match among the whole batch."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor

from corr.losses.checks import check_positive
from corr.losses.guard import Guard
from corr.losses.guarded import GuardedLoss
from corr.losses.labels import Labels
from corr.losses.softmax import matched_log_probability


class InfoNCELoss(GuardedLoss):
    """Cross-entropy of finding the match of each row, by a softmax over the batch.

    Source: van den Oord 2018, "Representation learning with contrastive predictive coding";
    both ways as in Radford 2021, "Learning transferable visual models from natural language
    supervision".

    Args:
        temperature: that inner products of unit-length descriptors are divided by.
        both_ways: find the anchor of each positive too; the mean of both counts.
        guard: which pairs are no negatives.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self, temperature: float = 0.07, *, both_ways: bool = True, guard: Guard | None = None
    ) -> None:
        super().__init__(guard)
        check_positive(temperature=temperature)
        self.temperature = temperature
        self.both_ways = both_ways

    def compute(
        self,
        anchors: Float[Tensor, "B D"],
        positives: Float[Tensor, "B D"],
        labels: Labels | None,
    ) -> Float[Tensor, ""]:
        """The mean loss over the rows."""
        return info_nce_loss(
            anchors, positives, self.temperature, both_ways=self.both_ways, guard=self.guard,
            labels=labels,
        )  # fmt: skip


def info_nce_loss(
    anchors: Float[Tensor, "B D"],
    positives: Float[Tensor, "B D"],
    temperature: float,
    *,
    both_ways: bool = True,
    guard: Guard,
    labels: Labels | None = None,
) -> Float[Tensor, ""]:
    """The loss of a batch; the arguments are those of `InfoNCELoss`."""
    found = matched_log_probability(anchors, positives, temperature, guard=guard, labels=labels)
    if both_ways:
        back = matched_log_probability(positives, anchors, temperature, guard=guard, labels=labels)
        found = (found + back) / 2
    return -found.mean()
