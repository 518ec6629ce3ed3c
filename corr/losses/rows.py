"""Losses of a rectified pair: each pixel against all the pixels of its row in the other view."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from corr.errors import OptionError
from corr.losses.descriptor import TrainingLoss


class RowLoss(TrainingLoss):
    """A loss of the scores, here cosines, of pixels against the row in which their matches are."""

    @abstractmethod
    def forward(
        self, scores: Float[Tensor, "N W"], target: Float[Tensor, " N"]
    ) -> Float[Tensor, ""]:
        """The mean loss of N pixels.

        Args:
            scores: of each against the W pixels of a row of the other view.
            target: where its match is in the row, px, in [0, W - 1].
        """


class RowHingeLoss(RowLoss):
    """A match has to score higher by a margin than one a few pixels beside it.

    Both are drawn at random, to parts of a pixel, at each call: the match up to `positive` px from
    the truth, the other between `nearest` and `farthest` px, on either side of it.

    Source: Zbontar and LeCun 2016, "Stereo Matching by Training a Convolutional Neural Network to
    Compare Image Patches", sections 3.1 and 4.2.

    Args:
        margin: of the scores.
        positive: px.
        nearest: px.
        farthest: px.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self,
        margin: float = 0.2,
        *,
        positive: float = 1.0,
        nearest: float = 4.0,
        farthest: float = 10.0,
    ) -> None:
        super().__init__()
        if not margin > 0:
            raise OptionError(f"margin is {margin}; use a value above 0")
        if not 0 <= positive < nearest <= farthest:
            raise OptionError(
                f"positive, nearest and farthest are {positive:g}, {nearest:g} and {farthest:g} "
                "px; use rising values of 0 or more"
            )
        self.margin, self.positive, self.nearest, self.farthest = (
            margin, positive, nearest, farthest,
        )  # fmt: skip

    def forward(
        self, scores: Float[Tensor, "N W"], target: Float[Tensor, " N"]
    ) -> Float[Tensor, ""]:
        """The mean of what is missing to the margin."""
        last = scores.shape[1] - 1
        off = self.positive * (2 * torch.rand_like(target) - 1)
        away = self.nearest + (self.farthest - self.nearest) * torch.rand_like(target)
        side = torch.where(torch.rand_like(target) < 0.5, -1.0, 1.0)
        other = target + side * away
        other = torch.where((other < 0) | (other > last), target - side * away, other)
        seen = (other >= 0) & (other <= last)  # not in a row shorter than the negatives are away
        missing = self.margin + read_scores(scores, other) - read_scores(scores, target + off)
        return torch.where(seen, missing.clamp_min(0), 0).sum() / seen.sum().clamp_min(1)


class RowSoftmaxLoss(RowLoss):
    """Cross entropy of the softmax over the row, against a truth that is spread a little.

    Every pixel of the row is a negative, each by how much it is confused. Truth between two pixels
    is shared between them.

    Source: Luo 2016, "Efficient Deep Learning for Stereo Matching", section 3.2.

    Args:
        temperature: that scores are divided by.
        smoothing: weight of the true pixel, of those beside it, two beside it and so on, each on
            either side; they are brought to a sum of 1.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self, temperature: float = 0.07, smoothing: Sequence[float] = (0.5, 0.2, 0.05)
    ) -> None:
        super().__init__()
        if not temperature > 0:
            raise OptionError(f"temperature is {temperature}; use a value above 0")
        if len(smoothing) == 0 or smoothing[0] <= 0 or min(smoothing) < 0:
            raise OptionError(
                f"smoothing is {list(smoothing)}; use weights of 0 or more, the first above 0"
            )
        self.temperature, self.smoothing = temperature, tuple(smoothing)

    def forward(
        self, scores: Float[Tensor, "N W"], target: Float[Tensor, " N"]
    ) -> Float[Tensor, ""]:
        """The mean cross entropy."""
        logits = scores / self.temperature
        columns, weights = spread_target(target, scores.shape[1], self.smoothing)
        expected = (weights * logits.gather(1, columns)).sum(1)
        return (logits.logsumexp(1) - expected).mean()


def spread_target(
    target: Float[Tensor, " N"], width: int, smoothing: Sequence[float]
) -> tuple[Tensor, Tensor]:
    """The columns of a row around each target and their weights, which add up to 1: `(N, K)` both.

    Args:
        target: px, in [0, width - 1].
        width: of the row.
        smoothing: weights at a distance of 0, 1, 2, ... px; between two linearly interpolated.
    """
    reach = len(smoothing)
    offsets = torch.arange(1 - reach, reach + 1, device=target.device)
    columns = target.floor().long()[:, None] + offsets
    table = target.new_tensor([*smoothing, 0.0])
    away = (columns - target[:, None]).abs()
    before = away.floor().long().clamp(max=reach - 1)
    weights = torch.lerp(table[before], table[before + 1], (away - before).clamp(max=1))
    weights = weights.masked_fill((columns < 0) | (columns >= width), 0)
    return columns.clamp(0, width - 1), weights / weights.sum(1, keepdim=True)


def read_scores(scores: Float[Tensor, "N W"], places: Float[Tensor, " N"]) -> Float[Tensor, " N"]:
    """Each row of scores at its place, px, between two of them; the border repeats."""
    places = places.clamp(0, scores.shape[1] - 1)
    before = places.floor().long()
    after = (before + 1).clamp(max=scores.shape[1] - 1)
    read = scores.gather(1, torch.stack((before, after), 1))
    return torch.lerp(read[:, 0], read[:, 1], places - before)
