"""How far a score in low precision can be from the truth.

Let `y` be a row after its transform (a multiple of the row given, or of its difference to a centre,
in real numbers), `y'` what is left of it in low precision, and `z`, `z'` likewise of the other
side; `g` and `h` are numbers that the metric adds. A tile holds `fl(y'.z' + g + h)`, computed in
float32, instead of `y.z + g + h`. Since

    y.z - y'.z' = (y - y').z + y'.(z - z'),

Cauchy and Schwarz bound what the low precision costs by `|y - y'| |z| + |y'| |z - z'|`; all four
lengths are measured, none is assumed. The products of two bfloat16 are exact in float32, and each
of at most `n = 2 D + 4` further roundings moves a partial sum by a relative `u`, in any order of
summation, so that they cost at most `c (|y'| |z'| + |g| + |h|)` with `c = n u / (1 - n u)`. For
rounding to nearest `u = 2^-24`; here it is `2^-23`, so that truncation, as tensor cores do it, is
covered. Results below the smallest normal number may become 0, which costs less than `D 2^-120`, as
all values are scaled by a power of two to at most 1. The margin of a row is the sum, with the
largest of the other side in the place of each of its values.

So a row's true k best are among those whose score in the tile is at most two margins below the
k-th best score in the tile: those k are truly at least that score minus a margin, and whatever is
truly so good is seen at most a margin lower.

Source: Higham 2002, "Accuracy and Stability of Numerical Algorithms", section 3.1.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Float64
from torch import Tensor

ROUNDING = 2.0**-23

UNIT_EPSILONS = 4
"""A row whose length is 1 up to so many rounding steps of its type counts as of unit length."""


@dataclass(frozen=True, eq=False)
class Lengths:
    """What is measured of each row of a table, (N,) float64 each."""

    real: Tensor
    """Of the transformed row."""
    low: Tensor
    """Of the row in low precision."""
    lost: Tensor
    """Of the difference of the two."""
    bias: Tensor
    """Added to each score of the row."""


def margin_of(own: Lengths, other: Lengths, width: int) -> Float64[Tensor, " N"]:
    """The largest error of a score, of each row of one side.

    Args:
        own: of that side.
        other: of the other.
        width: numbers of a row.
    """
    roundings = (2 * width + 4) * ROUNDING
    share = roundings / (1 - roundings)
    size = own.low * other.low.max() + own.bias.abs() + other.bias.abs().max()
    margin = own.lost * other.real.max() + own.low * other.lost.max()
    margin = margin + share * size + width * 2.0**-120
    return margin * (1 + 2.0**-20)  # what is computed here is itself rounded


def unit_weights(table: Float[Tensor, "N D"]) -> Float64[Tensor, " N"]:
    """What makes each row of unit length: 1 where it is already, 0 for zeros."""
    length = torch.linalg.vector_norm(table.double(), dim=1)
    epsilon = torch.finfo(table.dtype).eps
    inverse = torch.where(length > 0, 1 / length.clamp_min(1e-300), 0.0)
    return torch.where((length - 1).abs() <= UNIT_EPSILONS * epsilon, 1.0, inverse)
