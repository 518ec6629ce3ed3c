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
Numbers = Int32[Tensor, " N"]
Picture = UInt8[np.ndarray, "_ _ 3"]

NUM_LEVELS = 7

SOFTER = 0.85
"""Added to the level, so that no detail flickers between two views of different scale."""


class TexturePyramid(NamedTuple):
    """What is read from, on one device."""

    texels: Int32[Tensor, " M"]
    """All levels of all textures, row by row; the bytes of each are red, green, blue and 0."""
    first: Int32[Tensor, " _"]
    """Where each level of each texture begins; all levels of a texture follow each other."""
    size: Int32[Tensor, "2 T"]
    """Widths and heights of the first levels, px."""
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
    counts = [
        max(1, picture.shape[0] >> level) * max(1, picture.shape[1] >> level)
        for picture in pictures
        for level in range(NUM_LEVELS)
    ]
    ends = np.cumsum(counts)
    texels = np.zeros((ends[-1], 4), np.uint8)
    for row, picture in enumerate(pictures):
        level = picture
        for index in range(NUM_LEVELS):
            end, count = (part[row * NUM_LEVELS + index] for part in (ends, counts))
            texels[end - count : end, :3] = level.reshape(-1, 3)
            height, width = (max(1, side // 2) for side in level.shape[:2])
            level = cv2.resize(level, (width, height), interpolation=cv2.INTER_AREA)
    sizes = [picture.shape[1::-1] for picture in pictures]
    return TexturePyramid(
        torch.from_numpy(texels.view(np.int32)[:, 0]),
        torch.from_numpy((ends - counts).astype(np.int32)),
        torch.tensor(sizes, dtype=torch.int32).T.contiguous(),
        torch.tensor(mirrored, dtype=torch.float32),
    )


def read(
    pyramid: TexturePyramid,
    texture: Int64[Tensor, " N"],
    x: Values,
    y: Values,
    footprint: Values,
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
    lower = level.int()
    own = _Rows(
        (texture * NUM_LEVELS).int(),
        pyramid.size[0].index_select(0, texture),
        pyramid.size[1].index_select(0, texture),
        pyramid.mirrored.index_select(0, texture),
    )
    place = [
        _fold(values + 0.5, side, own.mirrored)
        for values, side in ((x, own.width), (y, own.height))
    ]
    fine = _bilinear(pyramid, own, place, lower)
    coarse = _bilinear(pyramid, own, place, lower + 1)
    return torch.lerp(fine, coarse, level - lower)


class _Rows(NamedTuple):
    """What the pyramid says of the texture of each point."""

    row: Numbers
    """Of its first level, among all levels of all textures."""
    width: Numbers
    height: Numbers
    mirrored: Values


def _fold(place: Values, side: Numbers, mirrored: Values) -> Values:
    """Places in [0, side] of a texture that repeats, or continues as its mirror image."""
    period = side * (1 + mirrored)
    place = place - torch.floor(place / period) * period
    return torch.where(place > side, 2 * side - place, place)


def _bilinear(
    pyramid: TexturePyramid, own: _Rows, place: Sequence[Values], level: Numbers
) -> Float[Tensor, "3 N"]:
    """Colours at places of the first level, read from another level."""
    texels, start = pyramid.texels, pyramid.first.index_select(0, own.row + level)
    width, height = (own.width >> level).clamp_min(1), (own.height >> level).clamp_min(1)
    x, y = place[0] * (width / own.width), place[1] * (height / own.height)
    left, right, across = _neighbours(x, width, own.mirrored)
    top, bottom, down = _neighbours(y, height, own.mirrored)
    top, bottom = start + top * width, start + bottom * width
    upper = torch.lerp(_colours(texels, top + left), _colours(texels, top + right), across)
    under = torch.lerp(_colours(texels, bottom + left), _colours(texels, bottom + right), across)
    return torch.lerp(upper, under, down)


def _colours(texels: Int32[Tensor, " M"], index: Numbers) -> Float[Tensor, "3 N"]:
    """In [0, 255], from one fetch for each texel."""
    fetched = texels.index_select(0, index).view(torch.uint8).reshape(-1, 4)
    return fetched.T[:3].contiguous().float()


def _neighbours(place: Values, side: Numbers, mirrored: Values) -> tuple[Numbers, Numbers, Values]:
    """Both texels beside a place in [0, side], and the weight of the second."""
    place = place - 0.5
    before = torch.floor(place)
    weight = place - before
    last = side - 1
    first = before.int()
    second = first + 1
    # Beyond a border is the texel at the border where the texture is mirrored, else the other side.
    around = mirrored == 0
    first = torch.where(first < 0, torch.where(around, last, 0), torch.minimum(first, last))
    second = torch.where(second > last, torch.where(around, 0, last), second)
    return first, second, weight
