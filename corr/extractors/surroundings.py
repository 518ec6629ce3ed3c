"""Places described together with what is around them."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

AROUND = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))
"""Columns and rows, in steps; the place itself first."""


def read_surroundings(
    read: Callable[[Float[Tensor, "N 2"]], Float[Tensor, "N D"]],
    points: Float[Tensor, "N 2"],
    step_px: int,
) -> Float[Tensor, "N E"]:
    """Unit-length descriptors of the points and of those right, left, below and above, joined.

    Their inner product is the mean over the five: a place is found where its surroundings are found
    too, displaced alike. The first `D` numbers times the root of five are the descriptor of the
    place itself.

    Args:
        read: unit-length descriptors at points; beyond the image, what is at its border.
        points: px.
        step_px: how far around; 0 gives the descriptors of the points alone.
    """
    own = read(points)
    if step_px == 0:
        return own
    joined = own.new_empty(len(points), len(AROUND) * own.shape[1])
    for part, offset in zip(torch.split(joined, own.shape[1], dim=1), AROUND, strict=True):
        found = own if offset == (0, 0) else read(points + step_px * points.new_tensor(offset))
        torch.mul(found, len(AROUND) ** -0.5, out=part)
    return joined
