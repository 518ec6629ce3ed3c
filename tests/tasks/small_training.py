"""A training of a second: a small network, small pairs, any callback."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from corr.tasks import MetricTask
from corr.tasks.quiet import quiet


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


class Batches:
    """Lightning takes a list for several loaders."""

    def __init__(self, batches: Sequence[Pairs]) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Pairs]:
        return iter(self.batches)


def pairs(num_batches: int, num_rows: int = 32, noise: float = 0.2, seed: int = 0) -> list[Pairs]:
    """Random patches, and the same under noise."""
    generator = torch.Generator().manual_seed(seed)
    shape = (num_rows, 1, 8, 8)
    made = []
    for _ in range(num_batches):
        anchor = torch.randn(shape, generator=generator)
        made.append(Pairs(anchor, anchor + noise * torch.randn(shape, generator=generator)))
    return made


def fit(
    task: MetricTask,
    batches: Sequence[Pairs],
    folder: Path | None = None,
    callbacks: Sequence[pl.Callback] = (),
    ckpt_path: Path | None = None,
    **settings: Any,
) -> pl.Trainer:
    """Train on the batches, once unless told otherwise."""
    with quiet():
        trainer = pl.Trainer(
            accelerator="cpu",
            default_root_dir=folder,
            callbacks=list(callbacks),
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            **{"max_epochs": 1, **settings},
        )
        trainer.fit(task, Batches(batches), ckpt_path=ckpt_path, weights_only=True)
    return trainer
