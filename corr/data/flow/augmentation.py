"""Frames with flow seen through other cameras: mirrored, magnified, stretched, turned and cut.

Everything runs in tensors, on whichever device the frames are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Float32, UInt8
from torch import Tensor

from corr.data.flow.batches import FlowBatch, WholeFrames
from corr.data.synthetic.ranges import Number, Range, check_range, check_share
from corr.geometry import pixel_grid, sample

_SAME_SURFACE_PX = 0.5
"""Between pixels whose flow differs by less, flow is interpolated; beyond, it jumps."""


@dataclass(frozen=True)
class FlowGeometry:
    """How both frames are seen alike, and by how much the second one is seen otherwise.

    The defaults are those with which mmflow trained FlowNet anew; the published ones are in
    `recipes/flow/flownetc-short.yaml`. The window that is cut lies anywhere in the frame; where it
    is too large for that, it is magnified until it fits.
    """

    zoom: Range = (1.0, 1.5)
    """Magnification."""
    stretch: Range = (0.86, 1.16)
    """Width by height, beyond what the frame has."""
    rotation_deg: float = 10.0
    """Largest turn."""
    mirror: float = 0.5
    """Share of the pairs that are seen in a mirror."""
    upside_down: float = 0.1
    """Share of the pairs that are turned upside down in a mirror."""
    relative_shift: float = 0.00375
    """Largest displacement of the second frame, as a share of the window's sides."""
    relative_zoom: Range = (0.985, 1.015)
    """Magnification of the second frame beyond the first."""
    relative_rotation_deg: float = 1.0
    """Largest turn of the second frame beyond the first."""

    def __post_init__(self) -> None:
        check_range("zoom", self.zoom, 0.25, 4)
        check_range("stretch", self.stretch, 0.5, 2)
        check_range("rotation_deg", (0, self.rotation_deg), 0, 180)
        check_share("mirror", self.mirror)
        check_share("upside_down", self.upside_down)
        check_range("relative_shift", (0, self.relative_shift), 0, 0.5)
        check_range("relative_zoom", self.relative_zoom, 0.5, 2)
        check_range("relative_rotation_deg", (0, self.relative_rotation_deg), 0, 90)


AS_IT_IS = FlowGeometry(
    zoom=(1.0, 1.0), stretch=(1.0, 1.0), rotation_deg=0.0, mirror=0.0, upside_down=0.0,
    relative_shift=0.0, relative_zoom=(1.0, 1.0), relative_rotation_deg=0.0,
)  # fmt: skip
"""Windows that are cut out, and nothing else."""


@dataclass(frozen=True)
class Window:
    """Where the pixels of a window lie in its frame: `source = matrix @ (p - middle) + centre`."""

    matrix: Float[Tensor, "2 2"]
    centre: Float[Tensor, 2]
    size: tuple[int, int]
    """(height, width), px."""

    @property
    def middle(self) -> Float[Tensor, 2]:
        """Of the window, in its own px."""
        height, width = self.size
        return torch.tensor([(width - 1) / 2, (height - 1) / 2], device=self.centre.device)

    def to_frame(self, points: Float[Tensor, "*N 2"]) -> Float[Tensor, "*N 2"]:
        """Where points of the window lie in the frame."""
        placed: Tensor = (points - self.middle) @ self.matrix.T + self.centre
        return placed

    def from_frame(self, points: Float[Tensor, "*N 2"]) -> Float[Tensor, "*N 2"]:
        """Where points of the frame lie in the window."""
        inverse = torch.linalg.inv(self.matrix)
        placed: Tensor = (points - self.centre) @ inverse.T + self.middle
        return placed


def augment(
    frames: WholeFrames, geometry: FlowGeometry, size: tuple[int, int], generator: torch.Generator
) -> FlowBatch:
    """A window of each pair, seen as the ranges say, with its flow.

    Args:
        frames: on any device.
        geometry: the ranges.
        size: (height, width) of the windows, px.
        generator: of random numbers, on the CPU, so that every device draws the same.
    """
    cut = []
    for image0, image1, flow, occluded in zip(*frames[:4], strict=True):
        windows = draw_windows(geometry, (flow.shape[1], flow.shape[2]), size, generator)
        cut.append(seen_through(image0, image1, flow, occluded, windows))
    return FlowBatch(*(torch.stack(column) for column in zip(*cut, strict=True)))


def draw_windows(
    geometry: FlowGeometry,
    frame: tuple[int, int],
    size: tuple[int, int],
    generator: torch.Generator,
) -> tuple[Window, Window]:
    """Random windows of both frames.

    Args:
        geometry: the ranges.
        frame: (height, width) of the frames, px.
        size: (height, width) of the windows, px.
        generator: of random numbers.
    """

    def within(low: Number, high: Number) -> float:
        return low + (high - low) * float(torch.rand((), generator=generator))

    zoom, stretch = within(*geometry.zoom), math.sqrt(within(*geometry.stretch))
    turn = within(-geometry.rotation_deg, geometry.rotation_deg)
    signs = [1 - 2 * (within(0, 1) < share) for share in (geometry.mirror, geometry.upside_down)]
    scale = torch.tensor([signs[0] / (zoom * stretch), signs[1] * stretch / zoom])
    matrix = _turned(turn) * scale
    half = (torch.tensor(size[::-1], dtype=torch.float32) - 1) / 2
    last = torch.tensor(frame[::-1], dtype=torch.float32) - 1
    reach = matrix.abs() @ half
    shrink = min(1.0, float((last / 2 / reach.clamp_min(1e-6)).min()))
    matrix, reach = shrink * matrix, shrink * reach
    place = torch.tensor([within(0, 1), within(0, 1)])
    centre = reach + place * (last - 2 * reach).clamp_min(0)
    further = _turned(within(-geometry.relative_rotation_deg, geometry.relative_rotation_deg))
    further = further / within(*geometry.relative_zoom)
    limit = geometry.relative_shift
    shift = torch.tensor([within(-limit, limit) * side for side in size[::-1]])
    return Window(matrix, centre, size), Window(matrix @ further, centre + matrix @ shift, size)


def seen_through(
    image0: UInt8[Tensor, "3 H W"],
    image1: UInt8[Tensor, "3 H W"],
    flow_0to1: Float32[Tensor, "2 H W"],
    occluded: Bool[Tensor, "H W"],
    windows: tuple[Window, Window],
) -> FlowBatch:
    """What two windows show, and the flow between them; no axis of a batch.

    What a window shows of the outside of a frame repeats its border. A point that has left the
    second window counts as occluded, and one of which the frame knows no flow as unknown.
    """
    device, (height, width) = flow_0to1.device, windows[0].size
    windows = tuple(  # type: ignore[assignment]  # two of them
        Window(one.matrix.to(device), one.centre.to(device), one.size) for one in windows
    )
    grid = pixel_grid(height, width, device)
    places = [window.to_frame(grid)[None] for window in windows]
    images = [
        sample(image[None].float() / 255, place, padding="border")[0].permute(2, 0, 1)
        for image, place in zip((image0, image1), places, strict=True)
    ]
    inner = (places[0] >= -0.5) & (places[0] <= _last(flow_0to1) + 0.5)
    motion = torch.where(inner.all(-1, keepdim=True), _read(flow_0to1, places[0]), torch.nan)
    target = places[0] + motion
    hidden = sample(occluded[None, None].float(), places[0], mode="nearest", padding="border") > 0.5
    moved = windows[1].from_frame(target)[0]
    gone = ((target < -0.5) | (target > _last(flow_0to1) + 0.5)).any(-1)[0]
    gone |= ((moved < -0.5) | (moved > _last(images[0]) + 0.5)).any(-1)
    flow = (moved - grid).permute(2, 0, 1)
    return FlowBatch(images[0], images[1], flow, hidden[0, ..., 0] | gone)


def _read(flow: Float32[Tensor, "2 H W"], places: Float[Tensor, "1 N M 2"]) -> Tensor:
    """Interpolated within a surface, and of the nearest pixel at its edge or beside the unknown."""
    own = sample(flow[None], places, mode="nearest", padding="border")
    both = torch.cat((flow, _smooth(flow)[None].to(flow.dtype)))
    *between, smooth = sample(both[None], places, padding="border").unbind(-1)
    return torch.where(smooth[..., None] > 0.999, torch.stack(between, -1), own)


def _smooth(flow: Float32[Tensor, "2 H W"]) -> Bool[Tensor, "H W"]:
    """Whether the flow of a pixel is known and nearly that of those above, below and beside it."""
    across = (flow[:, :, 1:] - flow[:, :, :-1]).abs().amax(0) < _SAME_SURFACE_PX  # NaN is not
    down = (flow[:, 1:] - flow[:, :-1]).abs().amax(0) < _SAME_SURFACE_PX
    smooth = flow.isfinite().all(0)
    smooth[:, 1:] &= across
    smooth[:, :-1] &= across
    smooth[1:] &= down
    smooth[:-1] &= down
    return smooth


def _last(image: Tensor) -> Tensor:
    """The last (x, y) of an image."""
    return torch.tensor([image.shape[-1] - 1, image.shape[-2] - 1], device=image.device)


def _turned(angle_deg: float) -> Float[Tensor, "2 2"]:
    angle = math.radians(angle_deg)
    cos, sin = math.cos(angle), math.sin(angle)
    return torch.tensor([[cos, -sin], [sin, cos]])
