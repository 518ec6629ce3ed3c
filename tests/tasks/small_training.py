"""For a training of a second: a small network, and small pairs."""

from __future__ import annotations

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Pairs(NamedTuple):
    anchor: Tensor
    positive: Tensor


class SmallNetwork(nn.Module):
    """8 x 8 patches to descriptors of length 16."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 8, 3, stride=2),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(72, 64),
            nn.ReLU(),
            nn.Linear(64, 16),
        )

    def forward(self, patches: Tensor) -> Tensor:
        return F.normalize(self.layers(patches), dim=1)


def pairs(num_batches: int, num_rows: int = 32, noise: float = 0.2, seed: int = 0) -> list[Pairs]:
    """Random patches, and the same under noise."""
    generator = torch.Generator().manual_seed(seed)
    shape = (num_rows, 1, 8, 8)
    made = []
    for _ in range(num_batches):
        anchor = torch.randn(shape, generator=generator)
        made.append(Pairs(anchor, anchor + noise * torch.randn(shape, generator=generator)))
    return made
