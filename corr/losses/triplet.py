"""The triplet margin loss over a batch, with the hardest negatives or all of them."""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from corr.errors import OptionError, ShapeError
from corr.losses.descriptor import (
    DescriptorLoss,
    distances_of,
    paired_distances,
    pairwise_distances,
)
from corr.search import Exclusion, hardest_negatives
from corr.search.checks import check_backend

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
        search: who finds the hardest; all of them need no search.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(
        self,
        margin: float = 1.0,
        mining: Literal["hardest", "all"] = "hardest",
        swap: bool = True,
        search: Literal["auto", "exact", "faiss", "faiss-gpu"] = "auto",
    ) -> None:
        super().__init__()
        if not 0 < margin <= 2:
            raise OptionError(f"margin is {margin}; use a value in (0, 2]")
        if mining not in ("hardest", "all"):
            raise OptionError(f"mining '{mining}' is not known; use 'hardest' or 'all'")
        self.margin = margin
        self.mining = mining
        check_backend(search)
        self.swap = swap
        self.search = search

    def forward(
        self, anchors: Float[Tensor, "B D"], positives: Float[Tensor, "B D"]
    ) -> Float[Tensor, ""]:
        """The mean loss over the rows.

        Raises:
            ShapeError: one row alone, which has no negative.
        """
        if len(anchors) < 2:
            raise ShapeError(f"a triplet needs 2 rows or more in a batch, not {len(anchors)}")
        if self.mining == "hardest":
            return hardest_triplet_loss(
                anchors, positives, self.margin, swap=self.swap, search=self.search
            )
        distances = pairwise_distances(anchors, positives)
        return all_triplet_loss(distances, self.margin, swap=self.swap)


def hardest_triplet_loss(
    anchors: Float[Tensor, "B D"],
    positives: Float[Tensor, "B D"],
    margin: float,
    *,
    swap: bool = True,
    search: str = "auto",
) -> Float[Tensor, ""]:
    """Mean hinge of each positive against the closest negative of its anchor, or of both.

    Memory grows with B alone: there is no matrix of distances.

    Args:
        anchors: unit-length descriptors.
        positives: likewise; row i shows what row i of the anchors shows.
        margin: by how much the negative has to be farther.
        swap: look among the anchors for negatives of the positive too.
        search: who finds them, as in `corr.search.nearest`.
    """
    matched = paired_distances(anchors, positives)
    if not matched.isfinite().all():
        # Training has diverged, which a search would refuse in its own words.
        return matched.mean() * torch.nan
    rows = np.arange(len(anchors))
    same = Exclusion(tracks0=rows, tracks1=rows, min_distance=DUPLICATE_DISTANCE)
    negatives = hardest_negatives(anchors, positives, excluded=same, both_ways=swap, backend=search)
    closest = distances_of(negatives.similarity[:, 0])
    if negatives.reverse is not None:
        closest = torch.minimum(closest, distances_of(negatives.reverse.similarity[:, 0]))
    return (margin + matched - closest).clamp_min(0).mean()


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
