"""The colours of what a view shows."""

from __future__ import annotations

import torch
from jaxtyping import Float32
from torch import Tensor

from corr.data.synthetic.layers import Layers, columns
from corr.data.synthetic.materials import COLOUR, LIGHT, TEXTURE_MAP
from corr.data.synthetic.pyramid import TexturePyramid, read
from corr.data.synthetic.raster import Fragments


def shade(
    layers: Layers, fragments: Fragments, pyramid: TexturePyramid
) -> Float32[Tensor, "B 3 H W"]:
    """The picture, in [0, 1], before light and camera change it."""
    height, width = layers.size
    own = columns(layers.surface, fragments.layer)
    a, b, c, d, e, f = own[TEXTURE_MAP]
    x = a * fragments.u + b * fragments.v + c
    y = d * fragments.u + e * fragments.v + f
    footprint = fragments.length * (a * e - b * d).abs().sqrt()
    texels = read(pyramid, layers.texture.index_select(0, fragments.layer), x, y, footprint)
    light = _light(own[LIGHT], fragments) * fragments.weight * (1 / 255)
    tint = own[COLOUR]
    picture = light.new_zeros(3, layers.num_scenes * height * width)
    for channel in range(3):
        colour = _channel(tint, channel, texels) * light
        picture[channel].scatter_add_(0, fragments.pixel, colour)
    return picture.reshape(3, layers.num_scenes, height, width).transpose(0, 1).contiguous()


def _light(rows: Tensor, fragments: Fragments) -> Tensor:
    along_u, along_v, rim, width = rows
    level = (1 + along_u * fragments.u + along_v * fragments.v).clamp(0.4, 1.5)
    shade = 1 - rim * torch.exp(fragments.distance.clamp_max(0) / width)
    return torch.mul(level, shade)


def _channel(tint: Tensor, channel: int, texels: Tensor) -> Tensor:
    red, green, blue = tint[3 * channel], tint[3 * channel + 1], tint[3 * channel + 2]
    mixed = red * texels[0] + green * texels[1] + blue * texels[2] + tint[9 + channel]
    return mixed.clamp(0, 255)
