"""Bilinear readings of a feature map, vector by vector: what a CPU does faster than grid sampling.

A grid is sampled channel by channel; here each reading is the weighted sum of four rows of a table,
a row for each cell, which lie in memory as they are read.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


class CellTable(NamedTuple):
    """A row for each cell of some feature maps and of a border of zeros around each."""

    rows: Float[Tensor, "_ C"]
    num_images: int
    height: int
    width: int

    def read(self, places: Float[Tensor, "B N 2"]) -> Float[Tensor, "B N C"]:
        """The same as `corr.geometry.sample` with zeros outside, without a gradient.

        Args:
            places: (x, y) in cells of the maps.
        """
        x, y = places.nan_to_num(nan=-1.0).unbind(-1)
        x, y = x.clamp(-1, self.width), y.clamp(-1, self.height)
        left, top = x.floor(), y.floor()
        right_share, bottom_share = x - left, y - top
        left_share, top_share = 1 - right_share, 1 - bottom_share
        stride = self.width + 3
        image = torch.arange(self.num_images, dtype=torch.int32, device=places.device)[:, None]
        first = (top.int() + 1 + image * (self.height + 3)) * stride + left.int() + 1
        corners = torch.tensor((0, 1, stride, stride + 1), dtype=torch.int32, device=places.device)
        shares = torch.stack(
            (
                left_share * top_share,
                right_share * top_share,
                left_share * bottom_share,
                right_share * bottom_share,
            ),
            dim=-1,
        )
        found = F.embedding_bag(
            (first[..., None] + corners).flatten(0, 1),
            self.rows,
            mode="sum",
            per_sample_weights=shares.flatten(0, 1).to(self.rows.dtype),
        )
        return found.reshape(self.num_images, -1, self.rows.shape[1])


def cell_table(features: Float[Tensor, "B C H W"]) -> CellTable:
    """The table of some feature maps."""
    num_images, _, height, width = features.shape
    bordered = F.pad(features.permute(0, 2, 3, 1), (0, 0, 1, 2, 1, 2))
    return CellTable(bordered.flatten(0, 2), num_images, height, width)
