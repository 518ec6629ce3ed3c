"""A patch descriptor read at every place of an image, convolutions shared between places."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from corr.errors import ModelError, OptionError
from corr.geometry import PATCH_SIZE, pixel_grid, sample
from corr.models.network import PatchDescriptor

STRIDE = 4
"""Pixels of a patch from one vector of the network to the next: the product of its strides."""

CONTEXT = 12
"""Pixels beyond a patch that reach its vector, since nothing is cut at its border."""

BAND = 96
"""Rows of vectors that are computed at once, so that memory stays bounded."""


def dense_descriptors(
    network: PatchDescriptor,
    image: Float[Tensor, "1 1 H W"],
    *,
    patch_side: float = 16.0,
    every: int = 1,
) -> Float[Tensor, "1 D Hs Ws"]:
    """Unit-length descriptors on a grid of the image, `s = every * patch_side / 8` px apart.

    Entry (i, j) describes the upright patch of `patch_side` px around the point
    `((j + 0.5) * s - 0.5, (i + 0.5) * s - 0.5)`: the half-pixel rule of an image reduced by s. It
    is not exactly what the network says of the patch cut there: the convolutions see what lies
    beyond the patch instead of zeros, and each pixel is normalised by the mean and deviation of
    the window around itself instead of around the patch's centre.

    Args:
        network: its convolutions are in a sequence called `layers` that turns 32 x 32 pixels into
            one vector and has strides of `STRIDE` in all, as HardNet.
        image: grey, in [0, 1]; on the network's device.
        patch_side: side of the image region that a patch covers, px, at most 32; the network reads
            the image enlarged by 32 / patch_side.
        every: compute only each so many-th vector, in x and in y.

    Returns:
        `Hs = ceil(H / s)` rows and `Ws = ceil(W / s)` columns.

    Raises:
        ModelError: the network has no such layers, or others among them.
        OptionError: patch_side is not in (0, 32], or every is below 1.
    """
    layers = _convolutional(network)
    if not 0 < patch_side <= PATCH_SIZE or every < 1:
        raise OptionError(
            f"patch_side is {patch_side} and every {every}; use a side in (0, {PATCH_SIZE}] and "
            "a whole number of 1 or more"
        )
    zoom = PATCH_SIZE / patch_side
    step = STRIDE * every
    rows, columns = (-(-int(-(-size * zoom // 1)) // step) for size in image.shape[-2:])
    edge = -(-CONTEXT // step)
    margin = edge * step + (PATCH_SIZE - step) // 2
    grid = pixel_grid(rows * step + 2 * margin, columns * step + 2 * margin, image.device)
    points = (grid - margin + 0.5) / zoom - 0.5
    enlarged = sample(image, points.unsqueeze(0), padding="border").permute(0, 3, 1, 2)
    normal = _normalize_around(enlarged)
    found = []
    for top in range(0, rows, BAND):
        bottom = min(top + BAND, rows)
        band = normal[:, :, top * step : bottom * step + 2 * margin]
        read = _read(layers, band.contiguous(memory_format=torch.channels_last), every)
        found.append(F.normalize(read[:, :, edge:-edge, edge:-edge].float(), dim=1))
    return torch.cat(found, dim=2)


def _convolutional(network: PatchDescriptor) -> nn.Sequential:
    """The layers, if they give the same at every place and take steps of `STRIDE`."""
    layers = getattr(network, "layers", None)
    kinds = (nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.Dropout)
    if not isinstance(layers, nn.Sequential) or not all(isinstance(x, kinds) for x in layers):
        raise ModelError(
            f"{type(network).__name__} cannot be read densely: it has no sequence of convolutions "
            "called `layers`; use a network such as HardNet"
        )
    stride = math.prod(layer.stride[0] for layer in layers if isinstance(layer, nn.Conv2d))
    if stride != STRIDE:
        raise ModelError(
            f"{type(network).__name__} cannot be read densely: its strides make {stride} in all "
            f"instead of {STRIDE}; use a network such as HardNet"
        )
    return layers


def _read(
    layers: nn.Sequential, image: Float[Tensor, "1 1 H W"], every: int
) -> Float[Tensor, "1 D Hs Ws"]:
    """The layers' output, of which the last convolution computes only each `every`-th vector."""
    last = [layer for layer in layers if isinstance(layer, nn.Conv2d)][-1]
    values: Tensor = image
    for layer in layers:
        if layer is last:
            stride = [every * side for side in last.stride]
            values = F.conv2d(values, last.weight, last.bias, stride)
        else:
            values = layer(values)
    return values


def _normalize_around(image: Float[Tensor, "1 1 H W"]) -> Float[Tensor, "1 1 H W"]:
    """Each pixel less the mean of the patch-sized window around it, over its deviation."""

    def mean(values: Tensor) -> Tensor:
        across, down = (1, PATCH_SIZE + 1), (PATCH_SIZE + 1, 1)
        half = PATCH_SIZE // 2
        padded = F.pad(values, (half, half, half, half), mode="replicate")
        return F.avg_pool2d(F.avg_pool2d(padded, across, stride=1), down, stride=1)

    centred = image - image.mean()
    average = mean(centred)
    variance = (mean(centred**2) - average**2).clamp_min(0)
    return (centred - average) / (variance.sqrt() + 1e-3)
