"""The correlation of a pair taken the other way round, from the one that is known."""

from __future__ import annotations

import torch.nn.functional as F
from jaxtyping import Shaped
from torch import Tensor

from corr.errors import ShapeError


def reversed_correlation(
    scores: Shaped[Tensor, "B N H W"], max_displacement: int = 20, *, dilation: int = 2
) -> Shaped[Tensor, "B N H W"]:
    """What `correlation_layer` gives of (second, first), from what it gave of (first, second).

    Both hold the scores of the same pairs of pixels, so nothing is multiplied again: a displacement
    from a pixel is the opposite one from where it leads. Both have to be of `kernel_size` 1 and
    `stride` 1.

    Args:
        scores: the layer of (first, second), or what has been done to each of its values since.
        max_displacement: of the layer.
        dilation: of the layer.

    Raises:
        ShapeError: the layer has another number of channels.
    """
    batch, channels, height, width = scores.shape
    steps = max_displacement // dilation
    side = 2 * steps + 1
    if channels != side**2:
        raise ShapeError(
            f"scores of {channels} channels were given; max_displacement {max_displacement} and "
            f"dilation {dilation} make {side**2}"
        )
    reach = steps * dilation
    pixels = scores.permute(0, 2, 3, 1)
    opposite = F.pad(pixels.flip(3), (0, 0, reach, reach, reach, reach)).contiguous()
    image, row, pixel, channel = opposite.stride()
    # Channel (i, j) is read where its displacement leads, `dilation` px on for each step.
    moved = opposite.as_strided(
        (batch, height, width, side, side),
        (image, row, pixel, dilation * row + side * channel, dilation * pixel + channel),
    )
    return moved.flatten(3).permute(0, 3, 1, 2)
