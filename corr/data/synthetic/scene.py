"""A scene: layers in depth order, and where each lies in two views. Numbers only, a few kilobytes.

Everything random is drawn here, on the CPU and from the seed and index of the sample alone, so a
scene is the same on every machine; rendering it draws nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float32, Float64, Int64

from corr.data.synthetic import maps, materials
from corr.data.synthetic.maps import LayerMap
from corr.data.synthetic.outlines import Outline

Matrix = Float64[np.ndarray, "3 3"]


@dataclass(frozen=True, eq=False)
class Placement:
    """Where the objects are in the first view."""

    outlines: tuple[Outline, ...]
    """The background, then the objects from far to near."""
    centre: Float64[np.ndarray, "L 2"]
    """px."""
    angle: Float64[np.ndarray, " L"]
    """radians."""
    radius: Float64[np.ndarray, " L"]
    """px; of the background, half the diagonal of the view."""
    size: tuple[int, int]
    """(height, width) of the views, px."""

    @property
    def poses(self) -> list[Matrix]:
        """For each layer, the map from its own coordinates to the first view."""
        found = []
        for (x, y), angle in zip(self.centre, self.angle, strict=True):
            cos, sin = np.cos(angle), np.sin(angle)
            found.append(np.array([[cos, -sin, x], [sin, cos, y], [0, 0, 1]]))
        return found


@dataclass(frozen=True, eq=False)
class Motion:
    """How the layers come to the second view, and what is known of the cameras."""

    maps: list[LayerMap]
    """From each layer's own coordinates to the second view."""
    nearness: Float64[np.ndarray, " L"]
    """0 for the farthest layer, 1 for the nearest possible."""
    truth: dict[str, np.ndarray] = field(default_factory=dict)
    """What else the view's samples tell."""


class Scene(NamedTuple):
    """All layers of a sample in both views; the last axis counts them from far to near."""

    kind: Int64[np.ndarray, " L"]
    """See `shapes`."""
    shape: Float32[np.ndarray, "_ L"]
    texture: Int64[np.ndarray, " L"]
    surface: Float32[np.ndarray, "_ L"]
    """See `materials`."""
    maps: Float32[np.ndarray, "2 _ L"]
    """See `maps`."""
    warped: Bool[np.ndarray, "2 L"]
    boxes: Int64[np.ndarray, "2 L 4"]
    """Columns from the first to before the last, then rows, that a layer may touch, px."""
    nearness: Float32[np.ndarray, " L"]
    lights: Float32[np.ndarray, "2 _"]
    """See `appearance`."""
    truth: dict[str, np.ndarray]
    """See `Motion`."""


def assemble(
    placement: Placement,
    surfaces: list[materials.Material],
    motion: Motion,
    lights: Float32[np.ndarray, "2 _"],
) -> Scene:
    """The scene of what was drawn."""
    first = [LayerMap(pose) for pose in placement.poses]
    packed = np.stack([maps.pack(first), maps.pack(motion.maps)]).astype(np.float32)
    warped = np.array([[one.warped for one in view] for view in (first, motion.maps)])
    half = np.array([outline.half for outline in placement.outlines])
    boxes = np.stack([_boxes(packed[view], warped[view], half, placement.size) for view in (0, 1)])
    return Scene(
        np.array([outline.kind for outline in placement.outlines], np.int64),
        np.stack([outline.rows for outline in placement.outlines], 1).astype(np.float32),
        np.array([surface.texture for surface in surfaces], np.int64),
        np.stack([surface.rows for surface in surfaces], 1).astype(np.float32),
        packed,
        warped,
        boxes,
        motion.nearness.astype(np.float32),
        lights,
        motion.truth,
    )


_PER_SIDE = 9
_MARGIN = 2.0
"""px around a box, for soft edges and for what lies between the points of its border."""


def _boxes(
    packed: Float32[np.ndarray, "_ L"],
    warped: Bool[np.ndarray, " L"],
    half: Float64[np.ndarray, "L 2"],
    size: tuple[int, int],
) -> Int64[np.ndarray, "L 4"]:
    """What each layer may touch of a view: the image of the border of its rectangle."""
    height, width = size
    boxes = np.tile(np.array([0, width, 0, height], np.int64), (len(half), 1))
    border = _border()
    for bent in (False, True):
        rows = np.flatnonzero(np.isfinite(half[:, 0]) & (warped == bent))
        if len(rows) == 0:
            continue
        points = (half[rows, None] + 0.5) * border
        u, v = (torch.from_numpy(points[..., axis].ravel()).float() for axis in (0, 1))
        columns = torch.from_numpy(packed[:, rows]).repeat_interleave(len(border), 1)
        found = maps.to_view(columns, u, v, warped=bent)
        x, y = (part.reshape(len(rows), -1).numpy().astype(np.float64) for part in found)
        ends = np.stack([x.min(1), x.max(1) + 1, y.min(1), y.max(1) + 1], 1)
        sag = _MARGIN + (0.03 * (ends[:, 1::2] - ends[:, ::2]).max(1) if bent else 0)
        ends += np.array([-1, 1, -1, 1]) * np.broadcast_to(sag, len(rows))[:, None]
        boxes[rows] = np.rint(ends.clip(0, [width, width, height, height])).astype(np.int64)
    return boxes


def _border() -> Float64[np.ndarray, "_ 2"]:
    """Points on the border of the square from -1 to 1."""
    side = np.linspace(-1, 1, _PER_SIDE)
    one = np.ones_like(side)
    sides = [(side, one), (side, -one), (one, side), (-one, side)]
    return np.concatenate([np.stack(pair, 1) for pair in sides])
