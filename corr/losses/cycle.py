"""Cycle consistency: a walk through another photograph ends where a known warp says.

From a bent photograph to another one of its class, and from there to the photograph itself: no
label says where a cell is in the other one, but where the walk has to end is known. Descriptors
that are all the same, or that only tell places in the image, end elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from corr.errors import OptionError
from corr.geometry import pixel_grid
from corr.losses.checks import check_positive

_LEAST_RADIUS = 0.75
"""The nearest cell of a place is at most half a diagonal away, and has to count."""


@dataclass(frozen=True, kw_only=True)
class CycleConsistency:
    """How walks are drawn and what is asked of them, see `cycle_loss`.

    Raises:
        OptionError: a setting outside its range.
    """

    temperature: float = 0.05
    """That inner products of unit-length descriptors are divided by."""
    radius: float = 1.0
    """A walk that ends within so many cells of the truth has come back."""
    counted_share: float = 0.7
    """Of the cells, those whose walks come back best; what only one photograph shows has no
    counterpart to go through, such as the background."""

    def __post_init__(self) -> None:
        check_positive(temperature=self.temperature)
        if not self.radius >= _LEAST_RADIUS:
            raise OptionError(f"radius is {self.radius} cells; use {_LEAST_RADIUS} or more")
        if not 0 < self.counted_share <= 1:
            raise OptionError(f"counted_share is {self.counted_share}; use a value in (0, 1]")

    def __call__(
        self,
        start: Float[Tensor, "B D H W"],
        between: Float[Tensor, "B D H1 W1"],
        end: Float[Tensor, "B D H2 W2"],
        target: Float[Tensor, "B H W 2"],
    ) -> Float[Tensor, ""]:
        """`cycle_loss` with these settings."""
        return cycle_loss(
            start, between, end, target, temperature=self.temperature, radius=self.radius,
            counted_share=self.counted_share,
        )  # fmt: skip


def cycle_loss(
    start: Float[Tensor, "B D H W"],
    between: Float[Tensor, "B D H1 W1"],
    end: Float[Tensor, "B D H2 W2"],
    target: Float[Tensor, "B H W 2"],
    *,
    temperature: float,
    radius: float,
    counted_share: float = 1.0,
) -> Float[Tensor, ""]:
    """The mean of -log of the probability that a walk comes back; 0 at its least.

    Source: Truong 2022, "Probabilistic Warp Consistency for Weakly-Supervised Semantic
    Correspondences", for the walk over a second photograph to a known warp, in cross-entropy, and
    for leaving out cells that hardly come back; Jabri 2020, "Space-Time Correspondence as a
    Contrastive Random Walk", for walks by softmax. To count all cells within a radius is ours.

    Args:
        start: unit-length descriptors of the bent photograph.
        between: of another photograph of its class.
        end: of the photograph that was bent.
        target: where each cell of `start` is in `end`, (x, y) in cells; NaN where it is not seen.
        temperature: that inner products are divided by.
        radius: how far from the target a walk may end, in cells.
        counted_share: of the cells of an image with a target, those that come back best.
    """
    rows0, rows1, rows2 = (side.flatten(2).transpose(1, 2) for side in (start, between, end))
    walk = walk_probability(rows0, rows1, rows2, temperature)
    near, known = near_target(target, (end.shape[2], end.shape[3]), radius)
    back = (walk * near).sum(-1).clamp_min(torch.finfo(walk.dtype).tiny)
    cost = (-back.log()).masked_fill(~known, torch.inf).sort(dim=1).values
    num_counted = (counted_share * known.sum(1, keepdim=True)).ceil()
    counted = torch.arange(cost.shape[1], device=cost.device) < num_counted
    total: Tensor = torch.where(counted, cost, 0).sum()
    return total / counted.sum().clamp_min(1)


def walk_probability(
    start: Float[Tensor, "B N D"],
    between: Float[Tensor, "B M D"],
    end: Float[Tensor, "B L D"],
    temperature: float,
) -> Float[Tensor, "B N L"]:
    """Where a walk from each row of `start` ends that takes two steps, each by similarity alone.

    In float32 at least, even under autocast.
    """
    with torch.autocast(start.device.type, enabled=False):
        first = _steps(start, between, temperature)
        second = _steps(between, end, temperature)
        return torch.bmm(first, second)


def near_target(
    target: Float[Tensor, "B H W 2"], size: tuple[int, int], radius: float
) -> tuple[Bool[Tensor, "B N L"], Bool[Tensor, "B N"]]:
    """Which cells of a map of `size` are within the radius of a target, and which targets exist."""
    flat = target.flatten(1, 2)
    known = flat.isfinite().all(-1)
    cells = pixel_grid(*size, target.device).reshape(1, -1, 2).to(flat.dtype)
    apart = torch.cdist(flat.nan_to_num(), cells.expand(len(flat), -1, -1))
    return (apart <= radius) & known[..., None], known


def _steps(
    places: Float[Tensor, "B N D"], others: Float[Tensor, "B M D"], temperature: float
) -> Float[Tensor, "B N M"]:
    dtype = torch.promote_types(places.dtype, torch.float32)
    similarity = torch.bmm(places.to(dtype), others.to(dtype).transpose(1, 2))
    return (similarity / temperature).softmax(-1)
