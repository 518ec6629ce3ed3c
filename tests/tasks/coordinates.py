"""A dense descriptor that knows the answer on a chart of colours."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from corr.models import DenseDescriptor
from corr.models.network import DenseDescription


class Coordinates(DenseDescriptor):
    """Describes a pixel by its red and green, which a chart makes the place of its point."""

    descriptor_dim = 4
    stride = 1

    def forward(self, images: Tensor) -> DenseDescription:
        angle = images[:, :2] * (math.pi / 2)
        described = torch.cat((angle.cos(), angle.sin()), dim=1) / 2**0.5
        return DenseDescription(described)
