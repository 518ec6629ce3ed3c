"""Whole images described by a network, one vector each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from jaxtyping import Float32, UInt8
from torch import Tensor

from corr.formats.images import to_tensor
from corr.geometry import resize_to_area
from corr.models.network import ImageEmbedding

Picture = UInt8[np.ndarray, "_ _ 3"]

BATCH_SIZE = {"cpu": 32, "cuda": 256}
"""Images of one size described together."""


@torch.inference_mode()
def describe_images(
    images: Iterable[Picture], network: ImageEmbedding
) -> Float32[np.ndarray, "N D"]:
    """A unit-length descriptor of each image, on the device of the network.

    Each image is resized to about `network.side` squared pixels, in its own proportions. Images are
    taken one after another, so that only those of one batch are in memory.

    Args:
        images: RGB, of any size.
        network: runs in evaluation mode whatever mode it is in.
    """
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    batch_size = BATCH_SIZE.get(device.type, BATCH_SIZE["cpu"])
    was_training = network.training
    network.eval()
    try:
        found = [
            network(batch.to(device)).float().cpu().numpy()
            for batch in _batches(images, network.side, batch_size)
        ]
    finally:
        network.train(was_training)
    if not found:
        return np.zeros((0, network.descriptor_dim), np.float32)
    return np.concatenate(found)


def _batches(images: Iterable[Picture], side: int, batch_size: int) -> Iterator[Tensor]:
    """Images of one size together, as long as they follow one another."""
    waiting: list[Tensor] = []
    for image in images:
        resized = resize_to_area(to_tensor(image), side).clamp(0, 1)
        full = len(waiting) == batch_size
        if waiting and (full or resized.shape != waiting[0].shape):
            yield torch.cat(waiting)
            waiting = []
        waiting.append(resized)
    if waiting:
        yield torch.cat(waiting)
