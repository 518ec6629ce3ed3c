"""Textures of any size in one table, each with its levels of half the size, read at any point."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
import torch
from jaxtyping import Float, Int32, Int64, UInt8
from torch import Tensor

Values = Float[Tensor, " N"]
Numbers = Int64[Tensor, " N"]
Picture = UInt8[np.ndarray, "_ _ 3"]

NUM_LEVELS = 7

SOFTER = 0.7
"""Added to the level, so that no detail flickers between two views of different scale."""


class TexturePyramid(NamedTuple):
    """What is read from, on one device."""

    texels: Int32[Tensor, " M"]
    """All levels of all textures, row by row; red, green and blue in the lowest three bytes."""
    first: Int64[Tensor, "T _"]
    """Where each level of each texture begins."""
    size: Int64[Tensor, "T 2"]
    """(width, height) of the first level, px."""
    mirrored: Float[Tensor, " T"]
    """1 where a texture continues as its mirror image, 0 where it repeats."""

    def to(self, device: torch.device) -> TexturePyramid:
        """The same on another device."""
        return TexturePyramid(*(part.to(device) for part in self))


def build(pictures: Sequence[Picture], mirrored: Sequence[bool]) -> TexturePyramid:
    """The pyramid of textures.

    Args:
        pictures: each at least 2 px wide and high.
        mirrored: whether each continues as its mirror image.
    """
    parts: list[np.ndarray] = []
    first = np.zeros((len(pictures), NUM_LEVELS), np.int64)
    total = 0
    for row, picture in enumerate(pictures):
        level = picture
        for index in range(NUM_LEVELS):
            first[row, index] = total
            red, green, blue = level.reshape(-1, 3).astype(np.int32).T
            parts.append(red | green << 8 | blue << 16)
            total += len(parts[-1])
            height, width = (max(1, side // 2) for side in level.shape[:2])
            level = cv2.resize(level, (width, height), interpolation=cv2.INTER_AREA)
    sizes = [picture.shape[1::-1] for picture in pictures]
    return TexturePyramid(
        torch.from_numpy(np.concatenate(parts)),
        torch.from_numpy(first),
        torch.tensor(sizes, dtype=torch.int64),
        torch.tensor(mirrored, dtype=torch.float32),
    )


def read(
    pyramid: TexturePyramid, texture: Numbers, x: Values, y: Values, footprint: Values
) -> Float[Tensor, "3 N"]:
    """Colours at points of textures, between the two levels whose texels are nearest in size.

    Args:
        pyramid: the textures.
        texture: which one.
        x: px of its first level; the centre of the first texel is 0.
        y: as `x`.
        footprint: width of what a pixel of the view sees, px of the first level.

    Returns:
        Colours in [0, 255].

    Source: Williams 1983, "Pyramidal parametrics", SIGGRAPH.
    """
    level = (footprint.clamp_min(1e-6).log2() + SOFTER).clamp(0, NUM_LEVELS - 1.001)
    lower = level.long()
    own = _Rows(pyramid.first[texture], pyramid.size[texture], pyramid.mirrored[texture])
    place = [
        _fold(values + 0.5, own.size[:, axis], own.mirrored) for axis, values in enumerate((x, y))
    ]
    fine = _bilinear(pyramid.texels, own, place, lower)
    coarse = _bilinear(pyramid.texels, own, place, lower + 1)
    return torch.lerp(fine, coarse, level - lower)


class _Rows(NamedTuple):
    """What the pyramid says of the texture of each point."""

    first: Int64[Tensor, "N _"]
    size: Int64[Tensor, "N 2"]
    mirrored: Values


def _fold(place: Values, side: Numbers, mirrored: Values) -> Values:
    """Places in [0, side] of a texture that repeats, or continues as its mirror image."""
    period = side * (1 + mirrored)
    place = place - torch.floor(place / period) * period
    return torch.where(place > side, 2 * side - place, place)


def _bilinear(
    texels: Int32[Tensor, " M"], own: _Rows, place: Sequence[Values], level: Numbers
) -> Float[Tensor, "3 N"]:
    """Colours at places of the first level, read from another level."""
    start = own.first.gather(1, level[:, None])[:, 0]
    width, height = (own.size >> level[:, None]).clamp_min(1).unbind(1)
    x, y = place[0] * (width / own.size[:, 0]), place[1] * (height / own.size[:, 1])
    left, right, across = _neighbours(x, width, own.mirrored)
    top, bottom, down = _neighbours(y, height, own.mirrored)
    top, bottom = start + top * width, start + bottom * width
    upper = torch.lerp(_colours(texels, top + left), _colours(texels, top + right), across)
    under = torch.lerp(_colours(texels, bottom + left), _colours(texels, bottom + right), across)
    return torch.lerp(upper, under, down)


def _colours(texels: Int32[Tensor, " M"], index: Numbers) -> Float[Tensor, "3 N"]:
    packed = texels.index_select(0, index)
    return torch.stack((packed & 255, (packed >> 8) & 255, packed >> 16)).float()


def _neighbours(place: Values, side: Numbers, mirrored: Values) -> tuple[Numbers, Numbers, Values]:
    """Both texels beside a place in [0, side], and the weight of the second."""
    place = place - 0.5
    before = torch.floor(place)
    weight = place - before
    last = side - 1
    first = before.long()
    second = first + 1
    # Beyond a border is the texel at the border where the texture is mirrored, else the other side.
    around = mirrored == 0
    first = torch.where(first < 0, torch.where(around, last, 0), torch.minimum(first, last))
    second = torch.where(second > last, torch.where(around, 0, last), second)
    return first, second, weight
