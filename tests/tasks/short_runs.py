"""Runs of the patch recipe that take seconds, and what they logged."""

from __future__ import annotations

import csv
from pathlib import Path

from corr.tasks.training import train

TINY = [
    *("--data.batch_size", "8", "--data.pairs_per_photo", "4", "--data.steps_per_epoch", "4"),
    *("--data.num_val_pairs", "24", "--data.num_workers", "0", "--trainer.logger", "false"),
    *("--model.network.dropout", "0.3"),
]
SOFT = ("--model.semi_hard_steps", "5", "--model.ema_decay", "0.9")


def rows(folder: Path, name: str = "train/loss") -> dict[int, str]:
    with (folder / "metrics.csv").open(newline="") as file:
        return {int(row["step"]): row[name] for row in csv.DictReader(file) if row.get(name)}


def run(folder: Path, steps: int, *options: str) -> Path:
    train(["smoke/patch", "--out", str(folder), "--trainer.max_steps", str(steps), *TINY, *options])
    return folder
