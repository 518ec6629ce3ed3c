"""The picture of what a trained network confuses: held-out rows and their hardest negatives."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from corr.drawing.triplets import draw_triplets
from corr.formats import write_picture
from corr.losses.guard import Guard
from corr.losses.labels import Labels
from corr.search import hardest_negatives
from corr.tasks.metric import MetricTask

PICTURE = "hardest.png"
NEAR_PX = 8.0
"""Points of one photo at most so far apart show much the same, and are no negatives here."""
MAX_ROWS = 2000
"""Held-out rows that are looked at."""
NUM_DRAWN = 24


@torch.no_grad()
def draw_hardest(task: MetricTask, batches: Iterable[Any], folder: Path) -> Path | None:
    """Draw `hardest.png`: the held-out rows whose negatives come nearest, or too near.

    A negative is the positive of another row, never of one that shows the same by its labels.

    Args:
        task: describes the batches, and says what they show.
        batches: held-out ones.
        folder: where the picture is written.

    Returns:
        Its path; None where there are fewer than two rows.
    """
    was_training = task.training
    task.eval()
    try:
        sides = _described(task, batches)
    finally:
        task.train(was_training)
    if sides is None:
        return None
    anchors, positives, labels, shown0, shown1 = sides
    radius = 0.0 if labels.points is None else NEAR_PX
    excluded = Guard(min_distance=0.0, radius=radius).exclusion(len(anchors), labels)
    found = hardest_negatives(anchors, positives, excluded=excluded)
    near = (2 - 2 * (anchors * positives).sum(1)).clamp_min(0).sqrt()
    far = (2 - 2 * found.similarity[:, 0]).clamp_min(0).sqrt()
    rows = torch.argsort(far - near)
    rows = rows[torch.isfinite(far[rows])][:NUM_DRAWN]
    picture = draw_triplets(
        [shown0[row] for row in rows.tolist()],
        [shown1[row] for row in rows.tolist()],
        [shown1[row] for row in found.index[rows, 0].tolist()],
        near[rows].numpy(),
        far[rows].numpy(),
    )
    path = folder / PICTURE
    write_picture(path, picture)
    return path


def _described(
    task: MetricTask, batches: Iterable[Any]
) -> tuple[Tensor, Tensor, Labels, list[np.ndarray], list[np.ndarray]] | None:
    anchors, positives, known = [], [], []
    shown0: list[np.ndarray] = []
    shown1: list[np.ndarray] = []
    num_rows = 0
    for batch in batches:
        there = task.transfer_batch_to_device(batch, task.device, 0)
        described = task.describe(there)
        anchors.append(described.anchors.float().cpu())
        positives.append(described.positives.float().cpu())
        known.append(described.labels or Labels())
        for shown, side in zip((shown0, shown1), task.shown(there), strict=True):
            shown += [_picture(image) for image in side]
        num_rows += len(described.anchors)
        if num_rows >= MAX_ROWS:
            break
    if num_rows < 2:
        return None
    return torch.cat(anchors), torch.cat(positives), _joined(known), shown0, shown1


def _joined(known: list[Labels]) -> Labels:
    """Of all batches; what one of them does not know is not known."""

    def column(name: str) -> Tensor | None:
        parts = [getattr(labels, name) for labels in known]
        return None if any(part is None for part in parts) else torch.cat(parts).cpu()

    return Labels(column("tracks"), column("points"), column("images"))


def _picture(image: Tensor) -> UInt8[np.ndarray, "H W 3"]:
    """An image or a patch `(C, H, W)` in [0, 1] in RGB."""
    pixels = (image.float().clamp(0, 1) * 255).round().byte().cpu().numpy()
    return np.repeat(pixels, 3 // len(pixels), axis=0).transpose(1, 2, 0)
