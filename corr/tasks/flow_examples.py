"""The picture of what a trained network of optical flow finds: held-out pairs, drawn."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import numpy as np
import torch

from corr.data.flow.batches import FlowBatch
from corr.drawing.flow_example import draw_flow_example
from corr.formats import write_picture
from corr.tasks.flow import FlowTask

PICTURE = "examples.png"
NUM_DRAWN = 6


@torch.no_grad()
def draw_flow_examples(task: FlowTask, batches: Iterable[FlowBatch], folder: Path) -> Path:
    """Draw `examples.png`: both frames, the true flow and the one found, of held-out pairs.

    Args:
        task: whose network it is.
        batches: held-out ones.
        folder: where the picture is written.

    Returns:
        Its path.
    """
    was_training = task.training
    task.eval()
    rows = []
    try:
        for batch in islice(batches, NUM_DRAWN):
            there = task.transfer_batch_to_device(batch, task.device, 0)
            found = task.network.flow(there.images0, there.images1)
            images = (there.images0[0], there.images1[0])
            pictures = ((255 * image).round().byte().permute(1, 2, 0).cpu() for image in images)
            fields = (flow[0].permute(1, 2, 0).float().cpu() for flow in (there.flow_0to1, found))
            arrays = [table.numpy() for table in (*pictures, *fields)]
            rows.append(draw_flow_example(*arrays))
    finally:
        task.train(was_training)
    width = max(row.shape[1] for row in rows)
    whole = [
        np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=255)
        for row in rows
    ]
    path = folder / PICTURE
    write_picture(path, np.concatenate(whole))
    return path
