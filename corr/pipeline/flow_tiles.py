"""The flow of a network on large images, tile by tile in bounded memory."""

from __future__ import annotations

from itertools import pairwise
from math import isqrt, sqrt

import torch
from jaxtyping import Float
from torch import Tensor

from corr.errors import OptionError
from corr.geometry import pixel_grid, resize
from corr.models.flow_network import FlowNetwork

MAX_PIXELS = 2**21
"""Pixels that a network is given at once: full HD. A larger image takes the memory of so many in
the network, and 100 bytes a pixel besides, on the network's device: 0.8 GB at 3840 x 2160. All of
`corr flow --model flownetc` takes 2.3 GiB there on a CPU, with Python, torch and the refinement of
both ways, by `tests/benchmarks/bench_flow_memory.py`."""

MARGIN_PX = 128
"""How much of a tile's rim is not used, where the image goes on beyond it."""

RAMP_PX = 64
"""Width of the strip in which two tiles are blended."""

_LEAVING_PX = 8
"""Strip at the end of the other tile in which pixels that have their target there weigh less."""

_ENOUGH = 0.5
"""Weight of the tiles' flows from which on the first flow does not count."""

Flows = tuple[Tensor, Tensor | None]
"""From image 0 to 1, and from 1 to 0 if it was asked for; each (1, 2, H, W), px."""


@torch.inference_mode()
def flow_in_tiles(
    network: FlowNetwork,
    image0: Float[Tensor, "1 3 H W"],
    image1: Float[Tensor, "1 3 H W"],
    *,
    both: bool = True,
    max_pixels: int = MAX_PIXELS,
) -> Flows:
    """The flow from image 0 to image 1, and back, px, of images above `max_pixels`.

    They are solved twice. First both are reduced to that size. Then each tile of image 0 is
    compared with the part of image 1 to which the first flow, in the median, takes it: so motions
    longer than a tile are found, and what a tile sees is the motion that is left. Tiles overlap and
    are blended. A pixel whose target, by the first flow, lies outside the part that its tile was
    compared with keeps the first flow.

    Args:
        network: in evaluation mode.
        image0: in [0, 1], on the network's device.
        image1: of the same size.
        both: compute the flow back, too, from the same features.
        max_pixels: that the network is given at once.

    Raises:
        OptionError: max_pixels are too few for one tile.
    """
    height, width = image0.shape[-2:]
    step = network.multiple
    side = isqrt(max_pixels) // step * step
    if side < 4 * step:
        raise OptionError(
            f"max_pixels is {max_pixels}; use {(4 * step) ** 2} or more, of which a tile of "
            "this network is made"
        )
    scale = sqrt(min(1.0, max_pixels / (height * width)))
    small = max(1, int(scale * height)), max(1, int(scale * width))
    reduced = _run(network, resize(image0, small), resize(image1, small), both)
    coarse = [None if flow is None else _enlarged(flow, (height, width)) for flow in reduced]
    return _solve_tiles(network, image0, image1, coarse, side)


def _run(network: FlowNetwork, image0: Tensor, image1: Tensor, both: bool) -> Flows:
    return network.both(image0, image1) if both else (network.flow(image0, image1), None)


def _enlarged(flow: Tensor, size: tuple[int, int]) -> Tensor:
    """The flow of a reduced image, of the image itself."""
    scale = flow.new_tensor([size[1] / flow.shape[3], size[0] / flow.shape[2]])
    return resize(flow, size) * scale[:, None, None]


def _solve_tiles(
    network: FlowNetwork,
    image0: Tensor,
    image1: Tensor,
    coarse: list[Tensor | None],
    side: int,
) -> Flows:
    height, width = image0.shape[-2:]
    step = network.multiple
    margin, ramp = min(MARGIN_PX, side // 8), min(RAMP_PX, side // 4)  # small tiles overlap by half
    first = coarse[0]
    assert first is not None  # the flow that is always computed
    canvases = [None if flow is None else _Canvas(flow) for flow in coarse]
    tile = min(side, height), min(side, width)
    for top in _starts(height, tile[0], 2 * margin + ramp, step):
        for left in _starts(width, tile[1], 2 * margin + ramp, step):
            # A tile at the far border ends there, so that its border is the image's.
            bottom, right = min(top + tile[0], height), min(left + tile[1], width)
            size = bottom - top, right - left
            offset = first[0, :, top:bottom, left:right].flatten(1).median(1).values.round()
            there = top + int(offset[1]), left + int(offset[0])
            found = _run(
                network,
                image0[..., top:bottom, left:right],
                _cut(image1, there, size),
                canvases[1] is not None,
            )
            places = ((top, left), there)
            for canvas, flow, start, end in zip(canvases, found, places, places[::-1], strict=True):
                if canvas is not None and flow is not None:
                    canvas.add(flow, start, end, (top, left), margin, ramp)
    solved = [None if canvas is None else canvas.blended() for canvas in canvases]
    assert solved[0] is not None
    return solved[0], solved[1]


def _cut(image: Tensor, start: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """A part of the image that may lie beyond it, where the border repeats."""
    rows, columns = (
        (torch.arange(size[k], device=image.device) + start[k]).clamp(0, image.shape[2 + k] - 1)
        for k in range(2)
    )
    return image[..., rows[:, None], columns]


def _starts(size: int, side: int, overlap: int, step: int) -> list[int]:
    """Where the tiles along one direction begin, at multiples of `step`, evenly spread."""
    if side >= size:
        return [0]
    count = -(-(size - overlap) // (side - overlap))
    while True:
        last = -(-(size - side) // step) * step
        starts = [round(i * last / (count - 1) / step) * step for i in range(count)]
        if all(b - a <= side - overlap for a, b in pairwise(starts)):
            return starts
        count += 1


class _Canvas:
    """The flow of a whole image, put together from those of its tiles."""

    def __init__(self, coarse: Float[Tensor, "1 2 H W"]) -> None:
        self._coarse = coarse
        self._sum = torch.zeros_like(coarse)
        self._weight = torch.zeros_like(coarse[:, :1])

    def add(  # noqa: PLR0917 - two tiles and how they are blended
        self,
        flow: Float[Tensor, "1 2 h w"],
        start: tuple[int, int],
        end: tuple[int, int],
        rim: tuple[int, int],
        margin: int,
        ramp: int,
    ) -> None:
        """Add the flow of a tile.

        Args:
            flow: px, within the two tiles.
            start: (top, left) of the tile in this image.
            end: (top, left) of the tile of the other image that it was compared with.
            rim: (top, left) of the tile in image 0, which says where it ends with the image.
            margin: of the tile's rim that does not count.
            ramp: px beside it in which the weight rises.
        """
        length, size = flow.shape[-2:], self._coarse.shape[-2:]
        first = [max(start[k], 0) for k in range(2)]
        last = [min(start[k] + length[k], size[k]) for k in range(2)]
        if first[0] >= last[0] or first[1] >= last[1]:
            return
        there = slice(first[0], last[0]), slice(first[1], last[1])
        rows, columns = (slice(first[k] - start[k], last[k] - start[k]) for k in range(2))
        own = pixel_grid(length[0], length[1], flow.device)[rows, columns]
        offset = flow.new_tensor([end[1] - start[1], end[0] - start[0]])
        target = own + self._coarse[(0, slice(None), *there)].permute(1, 2, 0) - offset
        weight = torch.ones_like(own[..., 0])
        for k, axis in ((0, 1), (1, 0)):
            weight *= _rise(own[..., axis], rim[k], length[k], size[k], margin, ramp)
            weight *= _rise(target[..., axis], end[k], length[k], size[k], 0, _LEAVING_PX)
        self._sum[(..., *there)] += weight * (flow[..., rows, columns] + offset[:, None, None])
        self._weight[(..., *there)] += weight

    def blended(self) -> Float[Tensor, "1 2 H W"]:
        """The mean of the tiles' flows, with the first flow where they hardly weigh anything."""
        first = (_ENOUGH - self._weight).clamp_min(0)
        return (self._sum + first * self._coarse) / (self._weight + first)


def _rise(  # noqa: PLR0917 - a tile along one direction
    place: Tensor, start: int, length: int, size: int, margin: int, ramp: int
) -> Tensor:
    """The weight of places in a tile: 0 up to `margin` from its ends, 1 from `ramp` px further on.

    An end that is the image's own has no margin.
    """
    before = place - margin if start > 0 else torch.full_like(place, ramp)
    after = length - 1 - margin - place if start + length < size else torch.full_like(place, ramp)
    return ((torch.minimum(before, after) + 0.5) / ramp).clamp(0, 1)
