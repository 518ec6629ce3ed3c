"""A training of any task on batches that are at hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytorch_lightning as pl

from corr.tasks.quiet import quiet


class Batches:
    """Batches as a loader gives them; Lightning takes a list for several loaders."""

    def __init__(self, batches: Sequence[Any]) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.batches)


def fit(
    task: pl.LightningModule,
    batches: Sequence[Any],
    val: Sequence[Any] | None = None,
    ckpt_path: Path | None = None,
    **settings: Any,
) -> pl.Trainer:
    """Train on the batches, once unless told otherwise."""
    with quiet():
        trainer = pl.Trainer(
            accelerator="cpu",
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            **{"max_epochs": 1, "log_every_n_steps": 1, **settings},
        )
        trainer.fit(
            task,
            Batches(batches),
            None if val is None else Batches(val),
            ckpt_path=ckpt_path,
            weights_only=True,
        )
    return trainer
