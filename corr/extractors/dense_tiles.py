"""Large images described by a dense network tile by tile, as the whole would be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from corr.machine.precision import multiplies_bfloat16
from corr.models.folding import lean_copy
from corr.models.network import DenseDescription, DenseDescriptor

TILE_CELLS = 2**18
"""Descriptors that are computed at once: an image with more is described in tiles. That is 4
megapixels for a network of stride 4, and 512 x 512 px for one of stride 1."""


class Tile(NamedTuple):
    """The description of a part of an image."""

    description: DenseDescription
    """Right in the core, and as far around it as keypoints and bilinear reading look."""
    left: int
    """px; where the top-left pixel of what was described is in the image."""
    top: int
    core: tuple[int, int, int, int]
    """Left, top, right, bottom px in the image, right and bottom not included: the cores of all
    tiles cover every pixel of the image once."""

    def owns(self, points: Float[Tensor, "N 2"]) -> Bool[Tensor, " N"]:
        """True for the points of the image whose pixel is in the core."""
        pixels = (points + 0.5).floor()
        left, top, right, bottom = self.core
        x, y = pixels[:, 0], pixels[:, 1]
        return (x >= left) & (x < right) & (y >= top) & (y < bottom)

    def origin(self) -> Float[Tensor, " 2"]:
        """(left, top) as float32: points of the image, less those of the tile."""
        device = self.description.descriptors.device
        return torch.tensor([self.left, self.top], dtype=torch.float32, device=device)


@torch.no_grad()
def describe_tiles(
    view: Float[Tensor, "1 _ H W"], network: DenseDescriptor, tile_cells: int | None = None
) -> Iterator[Tile]:
    """The tiles of an image, from left to right and top to bottom; one where it is small enough.

    What only the whole image tells, such as its mean, is taken out of it first, and tiles overlap
    by the context of the network and begin at its multiple: so each place is described as in one
    pass over the whole image, up to rounding. Memory beyond the image is that of one tile. A
    network that states no context describes images of every size in one pass.

    Args:
        view: what `network.view` gives of it, on the network's device.
        network: runs in evaluation mode whatever mode it is in.
        tile_cells: descriptors of a tile at most; `TILE_CELLS` when not given.
    """
    limit = TILE_CELLS if tile_cells is None else tile_cells
    was_training = network.training
    if was_training:
        network.eval()
    fast = multiplies_bfloat16(view.device.type)
    lean = fast and network.folds and view.device.type == "cpu"
    precision = torch.autocast(view.device.type, torch.bfloat16, enabled=fast and not lean)
    describing = lean_copy(network) if lean else network
    try:
        normal = network.normalize(view)
        if lean:
            normal = normal.bfloat16()
        height, width = view.shape[-2:]
        if network.context is None or _cells(view, network.stride) <= limit:
            with precision:
                description = describing.describe_normalized(normal)
            yield Tile(_in_float32(description), 0, 0, (0, 0, width, height))
            return
        # Peaks look up to `peaks.RADIUS` px around, and bilinear reading a cell.
        step = network.multiple
        margin = -(-(network.context + step) // step) * step
        core = max(int(limit**0.5) * network.stride - 2 * margin, margin) // step * step
        for y in _spans(height, core, margin):
            for x in _spans(width, core, margin):
                part = normal[:, :, y.start : y.stop, x.start : x.stop]
                with precision:
                    description = describing.describe_normalized(part)
                inner = x.core_start, y.core_start, x.core_stop, y.core_stop
                yield Tile(_in_float32(description), x.start, y.start, inner)
    finally:
        if was_training:
            network.train()


def _in_float32(description: DenseDescription) -> DenseDescription:
    """What is computed with it is finer than bfloat16."""
    repeatability, reliability = description.repeatability, description.reliability
    return DenseDescription(
        description.descriptors.float(),
        None if repeatability is None else repeatability.float(),
        None if reliability is None else reliability.float(),
    )


class _Span(NamedTuple):
    start: int
    core_start: int
    core_stop: int
    stop: int


def _spans(size: int, core: int, margin: int) -> list[_Span]:
    """Cores side by side along one direction, each with its margins inside the image."""
    starts = range(0, size, core)
    return [
        _Span(max(a - margin, 0), a, min(a + core, size), min(a + core + margin, size))
        for a in starts
    ]


def _cells(image: Tensor, stride: int) -> int:
    height, width = image.shape[-2:]
    return -(-height // stride) * -(-width // stride)


@torch.no_grad()
def read_points(
    image: Float[Tensor, "1 3 H W"],
    network: DenseDescriptor,
    points: Float[Tensor, "N 2"],
) -> Float[Tensor, "N D"]:
    """Unit-length float32 descriptors at points of an image, px, in their order."""
    edge = points.new_tensor([image.shape[3] - 1, image.shape[2] - 1])
    inside = points.clamp_min(0).minimum(edge)  # half a pixel beyond is the border pixel's
    read = image.new_zeros(len(points), network.descriptor_dim)
    for tile in describe_tiles(network.view(image), network):
        own = tile.owns(inside).nonzero().flatten()
        local = points[own] - tile.origin()
        read[own] = tile.description.read(local[None], network.stride)[0].float()
    return read


@torch.no_grad()
def describe_cells(
    image: Float[Tensor, "1 3 H W"], network: DenseDescriptor
) -> Float[Tensor, "1 D Hs Ws"]:
    """The unit-length float32 descriptors of all cells of `stride` px of an image."""
    height, width = image.shape[-2:]
    stride = network.stride
    whole = image.new_empty(1, network.descriptor_dim, -(-height // stride), -(-width // stride))
    for tile in describe_tiles(network.view(image), network):
        described = tile.description.descriptors
        if described.shape == whole.shape:
            return described
        left, top, right, bottom = (-(-side // stride) for side in tile.core)
        rows = slice(top - tile.top // stride, bottom - tile.top // stride)
        columns = slice(left - tile.left // stride, right - tile.left // stride)
        whole[:, :, top:bottom, left:right] = described[:, :, rows, columns]
    return whole
