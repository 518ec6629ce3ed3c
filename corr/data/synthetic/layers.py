"""The layers of one scene or of a batch of them, as tensors on one device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Bool, Float32, Int64
from torch import Tensor

from corr.data.synthetic.scene import Scene
from corr.data.synthetic.shapes import Silhouettes

Numbers = Int64[Tensor, " N"]
Part = tuple[slice | Tensor, slice | Tensor, int]
"""Points, their layers, and the kind that all of those are of."""


@dataclass(frozen=True, eq=False)
class Layers:
    """All layers of a batch, those of equal rank beside each other, from far to near.

    The shape, map and surface of a layer are columns of parameters. On the CPU each layer is worked
    on by itself, with its parameters as single numbers; elsewhere all layers of a kind are, with
    parameters for each point. Both run the same code. On the CPU it is quick where the points of a
    layer follow each other.
    """

    num_scenes: int
    size: tuple[int, int]
    scene: Int64[Tensor, " L"]
    """Which one each layer belongs to."""
    rank: Int64[Tensor, " L"]
    ranks: tuple[slice, ...]
    """Layers of each rank."""
    row: Int64[Tensor, "R B"]
    """Layer of each rank and scene; where a scene has fewer, its background."""
    kind: Int64[np.ndarray, " L"]
    texture: Int64[Tensor, " L"]
    shape: Float32[Tensor, "_ L"]
    surface: Float32[Tensor, "_ L"]
    maps: Float32[Tensor, "2 _ L"]
    warped: Bool[np.ndarray, "2 L"]
    boxes: Int64[Tensor, "2 L 4"]
    box_ends: Int64[np.ndarray, "2 L 4"]
    nearness: Float32[Tensor, " L"]
    silhouettes: Silhouettes
    kind_there: Int64[Tensor, " L"]
    """`kind` on the device."""
    warped_there: Bool[Tensor, "2 L"]
    """`warped` on the device."""

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.shape.device

    @property
    def one_by_one(self) -> bool:
        """Whether each layer is worked on by itself."""
        return self.device.type == "cpu"

    def by_shape(self, layer: Numbers | int) -> Iterator[Part]:
        """Points of layers, or all of one layer, in parts with the same kind of shape."""
        yield from self._parts(layer, self.kind, self.kind_there)

    def by_map(self, layer: Numbers | int, view: int) -> Iterator[Part]:
        """Points of layers, or all of one, in parts of which all or none are warped in a view."""
        yield from self._parts(layer, self.warped[view].astype(np.int64), self.warped_there[view])

    def _parts(
        self, layer: Numbers | int, kinds: np.ndarray, kinds_there: Tensor
    ) -> Iterator[Part]:
        if isinstance(layer, int):
            yield slice(None), slice(layer, layer + 1), int(kinds[layer])
        elif self.one_by_one:
            first = 0
            rows, counts = torch.unique_consecutive(layer, return_counts=True)
            for row, count in zip(rows.tolist(), counts.tolist(), strict=True):
                yield slice(first, first + count), slice(row, row + 1), int(kinds[row])
                first += count
        else:
            kind = kinds_there[layer]
            for one in np.unique(kinds).tolist():
                index = (kind == one).nonzero()[:, 0]
                yield index, layer[index], one


def columns(table: Float32[Tensor, "P L"], layer: slice | Tensor) -> Float32[Tensor, "P _"]:
    """Parameters of one layer, or of the layer of each point."""
    return table[:, layer] if isinstance(layer, slice) else table.index_select(1, layer)


def gather(scenes: Sequence[Scene], size: tuple[int, int], silhouettes: Silhouettes) -> Layers:
    """The layers of scenes that are rendered together, on the device of the silhouettes."""
    device = silhouettes.distance.device
    counts = np.array([len(scene.kind) for scene in scenes])
    scene = np.repeat(np.arange(len(scenes)), counts)
    rank = np.concatenate([np.arange(count) for count in counts])
    order = np.lexsort((scene, rank))
    ends = np.searchsorted(rank[order], np.arange(counts.max() + 1))

    def joined(parts: list[np.ndarray], axis: int) -> np.ndarray:
        return np.take(np.concatenate(parts, axis), order, axis)

    def sent(values: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values)).to(device, non_blocking=True)

    row = np.tile(np.arange(len(scenes)), (counts.max(), 1))
    row[rank[order], scene[order]] = np.arange(len(order))
    kind = joined([one.kind for one in scenes], 0)
    warped = joined([one.warped for one in scenes], 1)
    boxes = joined([one.boxes for one in scenes], 1)
    return Layers(
        len(scenes),
        size,
        sent(scene[order]),
        sent(rank[order]),
        tuple(slice(int(a), int(b)) for a, b in pairwise(ends)),
        sent(row),
        kind,
        sent(joined([one.texture for one in scenes], 0)),
        sent(joined([one.shape for one in scenes], 1)),
        sent(joined([one.surface for one in scenes], 1)),
        sent(joined([one.maps for one in scenes], 2)),
        warped,
        sent(boxes),
        boxes,
        sent(joined([one.nearness for one in scenes], 0)),
        silhouettes,
        sent(kind),
        sent(warped),
    )
