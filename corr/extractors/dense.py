"""A patch descriptor read at every place of an image, convolutions shared between places."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from corr.errors import ModelError
from corr.geometry import PATCH_SIZE, resize
from corr.models.network import PatchDescriptor

STEP = 4
"""Pixels of a patch between two neighbouring vectors: the product of the network's strides."""

CONTEXT = 12
"""Pixels beyond a patch that reach its vector, since nothing is cut at its border; rounded up to
a multiple of `STEP`."""

BAND = 96
"""Rows of vectors that are computed at once, so that memory stays bounded."""


def dense_descriptors(
    network: PatchDescriptor, image: Float[Tensor, "1 1 H W"], *, patch_side: float = 16.0
) -> Float[Tensor, "1 D Hs Ws"]:
    """Unit-length descriptors on a grid of the image, `s = patch_side / 8` px apart.

    Entry (i, j) describes the upright patch of `patch_side` px around the point
    `((j + 0.5) * s - 0.5, (i + 0.5) * s - 0.5)`: the half-pixel rule of an image reduced by s. It
    is not exactly what the network says of the patch cut there: the convolutions see what lies
    beyond the patch instead of zeros, and each pixel is normalised by the mean and deviation of
    the window around itself instead of around the patch's centre.

    Args:
        network: its convolutions are in a sequence called `layers` that turns 32 x 32 pixels into
            one vector and has strides of `STEP` in all, as HardNet.
        image: grey, in [0, 1]; on the network's device.
        patch_side: side of the image region that a patch covers, px; 32 / patch_side times the
            image is what the network reads.

    Returns:
        `Hs = ceil(H / s)` rows and `Ws = ceil(W / s)` columns.

    Raises:
        ModelError: the network has no such layers.
    """
    layers = getattr(network, "layers", None)
    if not isinstance(layers, nn.Sequential):
        raise ModelError(
            f"{type(network).__name__} cannot be read densely: it has no sequence of convolutions "
            "called `layers`; use a network such as HardNet"
        )
    height, width = image.shape[-2:]
    zoom = PATCH_SIZE / patch_side
    if zoom != 1:
        image = resize(image, (max(1, round(height * zoom)), max(1, round(width * zoom))))
    rows, columns = (-(-size // STEP) for size in image.shape[-2:])
    before = CONTEXT + (PATCH_SIZE - STEP) // 2
    normal = _normalize_around(image)
    normal = F.pad(
        normal,
        (
            before,
            columns * STEP - image.shape[-1] + before,
            before,
            rows * STEP - image.shape[-2] + before,
        ),
        mode="replicate",
    )
    extra = 2 * CONTEXT + PATCH_SIZE - STEP
    found = []
    for top in range(0, rows, BAND):
        bottom = min(top + BAND, rows)
        band = normal[:, :, top * STEP : bottom * STEP + extra]
        read = layers(band.contiguous(memory_format=torch.channels_last))
        edge = CONTEXT // STEP
        found.append(F.normalize(read[:, :, edge:-edge, edge:-edge].float(), dim=1))
    return torch.cat(found, dim=2)


def _normalize_around(image: Float[Tensor, "1 1 H W"]) -> Float[Tensor, "1 1 H W"]:
    """Each pixel less the mean of the patch-sized window around it, over its deviation."""

    def mean(values: Tensor) -> Tensor:
        across, down = (1, PATCH_SIZE + 1), (PATCH_SIZE + 1, 1)
        half = PATCH_SIZE // 2
        padded = F.pad(values, (half, half, half, half), mode="replicate")
        return F.avg_pool2d(F.avg_pool2d(padded, across, stride=1), down, stride=1)

    average = mean(image)
    variance = (mean((image - average.mean()) ** 2) - (average - average.mean()) ** 2).clamp_min(0)
    return (image - average) / (variance.sqrt() + 1e-3)
