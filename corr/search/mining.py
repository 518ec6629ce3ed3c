"""Hard negatives: the most similar rows that are known to show something else."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int64
from torch import Tensor

from corr.errors import ShapeError
from corr.search.exclusion import Exclusion
from corr.search.interface import nearest


@dataclass(frozen=True, eq=False)
class Negatives:
    """The hardest negatives of each anchor, hardest first."""

    index: Int64[Tensor, "N K"]
    """Rows of the candidates; -1 where too few are left."""
    similarity: Float[Tensor, "N K"]
    """Inner products, with gradients for anchors and for these candidates alone; -inf for none."""
    reverse: Negatives | None = None
    """The hardest anchors of each candidate, where both ways were asked for."""
    backend: str = "exact"
    """Who searched."""

    @property
    def found(self) -> Bool[Tensor, "N K"]:
        """True where there is a negative."""
        return self.index >= 0


def hardest_negatives(
    anchors: Float[Tensor, "N D"],
    candidates: Float[Tensor, "M D"],
    *,
    excluded: Exclusion | None = None,
    k: int = 1,
    both_ways: bool = False,
    backend: str = "auto",
) -> Negatives:
    """The `k` candidates nearest to each anchor, excluded ones left out.

    They are sought without a matrix of all pairs, so that memory grows with N + M, and without
    gradients; only the similarities of the winners are computed again with them.

    The nearest of unit-length rows are the most similar. They are sought by distance, whose first,
    low precision tells rows apart that are all alike, as those of an untrained network.

    Args:
        anchors: unit-length descriptors.
        candidates: likewise.
        excluded: which pairs are no negatives: the true matches above all.
        k: how many; at most as many as there are candidates.
        both_ways: also find the hardest anchors of each candidate, as `.reverse`.
        backend: who searches, as in `nearest`.

    Raises:
        OptionError: as `nearest`.
        ShapeError: likewise.
        MissingExtraError: likewise.

    Source: Choy et al. 2016, "Universal Correspondence Network", section 3.1 (nearest neighbours
    in feature space as hard negatives); Mishchuk et al. 2017, equation 2 (the hardest in a batch).
    """
    if anchors.ndim != 2 or candidates.ndim != 2:
        raise ShapeError(
            f"anchors are {tuple(anchors.shape)} and candidates are {tuple(candidates.shape)}; "
            "use two tables whose rows have the same length"
        )
    found = nearest(
        anchors.detach(),
        candidates.detach(),
        k,
        metric="l2",
        both_ways=both_ways,
        constraint=excluded,
        backend=backend,
    )
    reverse = None
    if found.reverse is not None:
        index = found.reverse.index
        reverse = Negatives(index, _similarity(candidates, anchors, index), None, found.backend)
    similarity = _similarity(anchors, candidates, found.index)
    return Negatives(found.index, similarity, reverse, found.backend)


def _similarity(
    own: Float[Tensor, "N D"], others: Float[Tensor, "M D"], index: Int64[Tensor, "N K"]
) -> Float[Tensor, "N K"]:
    """Inner products of each row with its winners, in float32 at least, even under autocast."""
    dtype = torch.promote_types(torch.promote_types(own.dtype, others.dtype), torch.float32)
    if not index.shape[1]:
        return own.new_zeros(index.shape, dtype=dtype)
    with torch.autocast(own.device.type, enabled=False):
        # Rows taken by `index_select` have a faster backward pass than those taken by brackets.
        columns = [
            (own.to(dtype) * others.index_select(0, one.clamp_min(0)).to(dtype)).sum(1)
            for one in index.T
        ]
    return torch.stack(columns, 1).masked_fill(index < 0, -torch.inf)
