"""A batch across processes: k of them get the gradients of one that has the whole batch.

Each process describes its own rows; all rows come together, and each computes the loss L of the
whole batch. The gradient of a sum over processes is the sum of their gradients: that is the
backward pass here, so what all of them differentiate together is k L. DDP then takes the mean of
the k gradients of the weights, which is the gradient of L.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from jaxtyping import Shaped
from torch import Tensor

from corr.errors import ShapeError
from corr.losses import Labels
from corr.tasks.described import Described

_KINDS = ("tracks", "points", "images")


class _SumAcrossRanks(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, values: Tensor) -> Tensor:
        total = values.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return sum_across_ranks(gradient)


def sum_across_ranks(values: Shaped[Tensor, "*shape"]) -> Shaped[Tensor, "*shape"]:
    """The sum over all processes, with a gradient: that of the sum of all their losses."""
    total: Tensor = _SumAcrossRanks.apply(values)  # type: ignore[no-untyped-call]
    return total


def gather(described: Described) -> Described:
    """The rows of all processes; see `gather_rows`."""
    rows, labels = gather_rows(torch.cat(described[:2], dim=1), described.labels)
    anchors, positives = rows.chunk(2, dim=1)
    return Described(anchors, positives, labels)


def gather_rows(
    rows: Shaped[Tensor, "B ..."], labels: Labels | None = None
) -> tuple[Shaped[Tensor, "N ..."], Labels | None]:
    """The rows of all processes, those of the first one first; they may be of unequal number.

    Numbers of tracks and images have to mean the same in all of them. Rows at the same place of a
    photo become one track, where tracks are not known: two processes may draw the same point.

    Raises:
        ShapeError: some processes have labels, or kinds of them, that others lack.
    """
    sizes = _sizes(rows, labels)
    known = {
        kind: _whole(value, sizes)
        for kind in _KINDS
        if (value := getattr(labels, kind, None)) is not None
    }
    if "points" in known and "tracks" not in known:
        known["tracks"] = _places(known["points"], known.get("images"))
    return _whole(rows, sizes), Labels(**known) if known else None


def _sizes(rows: Tensor, labels: Labels | None) -> list[int]:
    """The number of rows of each process."""
    flags = [getattr(labels, kind, None) is not None for kind in _KINDS]
    own = torch.tensor([len(rows), *flags], device=rows.device)
    every = [torch.empty_like(own) for _ in range(dist.get_world_size())]
    dist.all_gather(every, own)
    sizes, *given = torch.stack(every).T.tolist()
    for kind, ranks in zip(_KINDS, given, strict=True):
        if len(set(ranks)) > 1:
            without = ", ".join(str(rank) for rank, has in enumerate(ranks) if not has)
            raise ShapeError(
                f"labels have {kind} in some processes, but not in {without}; use them in all of "
                "them, or in none"
            )
    return [int(size) for size in sizes]


def _whole(rows: Tensor, sizes: list[int]) -> Tensor:
    """The rows of all processes: a sum of tables in which each has filled in its own."""
    rank = dist.get_rank()
    before = rows.new_zeros(sum(sizes[:rank]), *rows.shape[1:])
    after = rows.new_zeros(sum(sizes[rank + 1 :]), *rows.shape[1:])
    return sum_across_ranks(torch.cat((before, rows, after)))


def _places(points: Tensor, images: Tensor | None) -> Tensor:
    """A number for each row, the same for the same point of the same photo."""
    places = points.double()
    if images is not None:
        places = torch.cat((images.double()[:, None], places), dim=1)
    numbers: Tensor = torch.unique(places, dim=0, return_inverse=True)[1]
    return numbers
