"""The triplet margin loss over a batch, with the hardest negatives or all of them."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from corr.errors import OptionError, ShapeError
from corr.losses.descriptor import DescriptorLoss, pairwise_distances

DUPLICATE_DISTANCE = 0.008
"""Closer descriptors of different rows are taken for the same point, seen twice in a batch.

Source: the authors' published code of HardNet."""


class TripletLoss(DescriptorLoss):
    """A positive has to be closer than a negative by a margin.

    Source: Mishchuk 2017, "Working hard to know your neighbor's margins: Local descriptor learning
    loss", equations 1 to 3, for the hardest negatives.

    Args:
        margin: by how much, as a distance of unit-length descriptors.
        mining: negatives that count: the `hardest` of each row, or the mean over `all` of them.
        swap: seek negatives of the positive among the anchors too, not only of the anchor.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self,
        margin: float = 1.0,
        mining: Literal["hardest", "all"] = "hardest",
        swap: bool = True,
    ) -> None:
        super().__init__()
        if not 0 < margin <= 2:
            raise OptionError(f"margin is {margin}; use a value in (0, 2]")
        if mining not in ("hardest", "all"):
            raise OptionError(f"mining '{mining}' is not known; use 'hardest' or 'all'")
        self.margin = margin
        self.mining = mining
        self.swap = swap

    def forward(
        self, anchors: Float[Tensor, "B D"], positives: Float[Tensor, "B D"]
    ) -> Float[Tensor, ""]:
        """The mean loss over the rows.

        Raises:
            ShapeError: one row alone, which has no negative.
        """
        if len(anchors) < 2:
            raise ShapeError(f"a triplet needs 2 rows or more in a batch, not {len(anchors)}")
        distances = pairwise_distances(anchors, positives)
        if self.mining == "hardest":
            return hardest_triplet_loss(distances, self.margin, swap=self.swap)
        return all_triplet_loss(distances, self.margin, swap=self.swap)


def hardest_triplet_loss(
    distances: Float[Tensor, "B B"], margin: float, *, swap: bool = True
) -> Float[Tensor, ""]:
    """Mean hinge of each positive against the closest negative of its row, or row and column.

    Args:
        distances: of every anchor (rows) to every positive (columns); pairs on the diagonal.
        margin: by how much the negative has to be farther.
        swap: look along the column too.
    """
    negatives = distances.masked_fill(~negative_pairs(distances), torch.inf)
    closest = negatives.amin(dim=1)
    if swap:
        closest = torch.minimum(closest, negatives.amin(dim=0))
    return (margin + distances.diagonal() - closest).clamp_min(0).mean()


def all_triplet_loss(
    distances: Float[Tensor, "B B"], margin: float, *, swap: bool = True
) -> Float[Tensor, ""]:
    """Mean hinge of each positive against every negative of its row, or row and column.

    Args:
        distances: of every anchor (rows) to every positive (columns); pairs on the diagonal.
        margin: by how much the negative has to be farther.
        swap: count those of the column too.
    """
    negative = negative_pairs(distances)
    positives = distances.diagonal()
    hinge = (margin + positives[:, None] - distances).clamp_min(0)
    if swap:
        hinge = (hinge + (margin + positives[None, :] - distances).clamp_min(0)) / 2
    return (hinge * negative).sum() / negative.sum().clamp_min(1)


def negative_pairs(distances: Float[Tensor, "B B"]) -> Bool[Tensor, "B B"]:
    """True off the diagonal, except for what is close enough to be the same point."""
    same = torch.eye(len(distances), dtype=torch.bool, device=distances.device)
    return ~same & (distances >= DUPLICATE_DISTANCE)
