"""Patches as networks that describe whole images see them."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from corr.geometry import resize
from corr.models.network import DenseDescriptor
from corr.resources import resolve_device

SIDE = 48
"""px of an enlarged patch: a keypoint in it, of 20 sigmas a side, has a sigma of 2.4 px, as in a
photograph of the size that such networks are given."""

HOW = (
    f"the patch is enlarged to {SIDE} x {SIDE} px, bilinear, and seen as a grey image of its own; "
    "the descriptor is read at its centre"
)
"""What a reader of the table has to know of these rows."""

_BATCH = 128


@torch.inference_mode()
def describe_centres(
    network: DenseDescriptor, patches: UInt8[np.ndarray, "N 32 32"]
) -> Float32[np.ndarray, "N D"]:
    """The unit-length descriptors that a network reads at the centres of enlarged patches."""
    device = resolve_device()
    network = network.to(device).eval()
    centre = torch.full((1, 1, 2), (SIDE - 1) / 2, device=device)
    found = []
    for part in torch.split(torch.from_numpy(patches)[:, None], _BATCH):
        grey = resize(part.to(device).float() / 255, (SIDE, SIDE))
        described = network(grey.expand(-1, 3, -1, -1))
        read = described.read(centre.expand(len(grey), -1, -1), network.stride)
        found.append(read[:, 0].float().cpu())
    return torch.cat(found).numpy()
