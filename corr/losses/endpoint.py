"""The multi-scale end-point error that trains FlowNet and the networks after it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor, nn

from corr.errors import OptionError, ShapeError
from corr.losses.checks import check_choice

FLOW_UNIT_PX = 20.0
"""The loss is in units of so many px, as the published weights and learning rates are."""

SUM_WEIGHTS = (0.32, 0.08, 0.02, 0.01, 0.005)
"""Of the levels, the coarsest (1/64) first, as FlowNet was trained with."""

MEAN_WEIGHT = 0.32
"""Of the finest level; each coarser one has half."""

Convention = Literal["sum", "mean"]


class EndpointLoss(nn.Module):
    """The length of the flow's error at every level that a network predicts, weighted and added.

    The true flow is averaged over the known pixels of each cell of a level. A cell of which no
    pixel is known has no loss and no gradient.

    Two published forms differ by more than a factor: `sum` adds the cells up, so that a fine level
    counts more than its weight says; `mean` averages them.

    Args:
        convention: `sum` over cells, for each pair of a batch (Dosovitskiy, Pinard, mmflow), or
            `mean` over cells (NVIDIA, ptlflow).
        weights: of the levels, the coarsest first. When not given: .32, .08, .02, .01, .005 for
            `sum`; for `mean` .32 at the finest and half of it at each level that is coarser.
        exponent: of the robust form `(error + epsilon) ^ exponent`, which late training may use.
        epsilon: of the robust form, in units of 20 px.

    Raises:
        OptionError: a setting outside its range.

    Source: Dosovitskiy et al. 2015, "FlowNet: Learning optical flow with convolutional networks",
    section 5; Sun et al. 2018, "PWC-Net", eq. 3 (the robust form).
    """

    def __init__(
        self,
        convention: Convention = "mean",
        weights: Sequence[float] | None = None,
        *,
        exponent: float = 0.4,
        epsilon: float = 0.01,
    ) -> None:
        super().__init__()
        check_choice("convention", convention, get_args(Convention))
        if weights is not None and (not weights or min(weights) < 0):
            raise OptionError(
                f"weights is {list(weights)}; use a value of 0 or more for each level"
            )
        if not 0 < exponent <= 1:
            raise OptionError(f"exponent is {exponent}; use a value in (0, 1]")
        if not epsilon > 0:
            raise OptionError(f"epsilon is {epsilon}; use a value above 0")
        self.convention, self.exponent, self.epsilon = convention, exponent, epsilon
        self.weights = None if weights is None else tuple(weights)

    def forward(
        self,
        levels: Sequence[Float[Tensor, "B 2 _ _"]],
        flow_0to1: Float[Tensor, "B 2 H W"],
        valid: Bool[Tensor, "B H W"] | None = None,
        *,
        robust: bool = False,
    ) -> Float[Tensor, ""]:
        """The loss of a batch; 0 where nothing is known.

        Args:
            levels: flow found, px of the images, the coarsest first.
            flow_0to1: true flow, px; NaN where it is not known.
            valid: True for the pixels that count, of those with a known flow.
            robust: whether large errors count for less.

        Raises:
            ShapeError: the sides of a level do not divide those of the true flow, or the levels are
                not as many as the weights.
        """
        known = flow_0to1.isfinite().all(1, keepdim=True)
        if valid is not None:
            known = known & valid[:, None]
        truth = torch.where(known, flow_0to1, 0).float()
        total = truth.new_zeros(())
        with torch.autocast(truth.device.type, enabled=False):
            for weight, level in zip(self._weights(len(levels)), levels, strict=True):
                total = total + weight * self._of_level(level.float(), truth, known, robust)
        return total

    def _of_level(
        self,
        level: Float[Tensor, "B 2 h w"],
        truth: Float[Tensor, "B 2 H W"],
        known: Bool[Tensor, "B 1 H W"],
        robust: bool,
    ) -> Float[Tensor, ""]:
        target, there = area_average(truth, known, (level.shape[2], level.shape[3]))
        # Chosen before the norm: what is not finite elsewhere has no gradient either.
        error = torch.where(there, level - target, 0) / FLOW_UNIT_PX
        length = torch.linalg.vector_norm(error, dim=1)
        if robust:
            length = (length + self.epsilon) ** self.exponent
        length = torch.where(there[:, 0], length, 0)
        count = len(level) if self.convention == "sum" else there.sum().clamp_min(1)
        return length.sum() / count

    def _weights(self, num_levels: int) -> Sequence[float]:
        if self.weights is None and self.convention == "mean":
            return [MEAN_WEIGHT / 2**coarser for coarser in reversed(range(num_levels))]
        weights = self.weights or SUM_WEIGHTS
        if len(weights) != num_levels:
            raise ShapeError(
                f"the network predicts {num_levels} levels, and the loss has {len(weights)} "
                "weights; give one for each"
            )
        return weights


def area_average(
    truth: Float[Tensor, "B 2 H W"], known: Bool[Tensor, "B 1 H W"], size: tuple[int, int]
) -> tuple[Float[Tensor, "B 2 h w"], Bool[Tensor, "B 1 h w"]]:
    """The mean over the known pixels of each cell of a smaller map, and which cells have one.

    Args:
        truth: 0 where it is not known.
        known: True where it is.
        size: (height, width) of the map.

    Raises:
        ShapeError: they do not divide those of the truth.
    """
    height, width = truth.shape[-2:]
    if height % size[0] or width % size[1]:
        raise ShapeError(
            f"a level of {size[1]} x {size[0]} does not divide the true flow of {width} x {height}"
        )
    cell = (height // size[0], width // size[1])
    share = F.avg_pool2d(known.float(), cell)
    mean = F.avg_pool2d(truth, cell) / share.clamp_min(1e-6)
    return mean, share > 0
