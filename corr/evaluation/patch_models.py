"""Models that describe given patches, which benchmarks of published patches measure."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from corr.classical.sift import describe_patches_sift
from corr.errors import ModelError
from corr.evaluation.candidates import Candidate, find_candidate
from corr.models.network import PatchDescriptor
from corr.pipeline import catalog
from corr.resources import resolve_device

TASK = "extract"
SIFTS = {"sift": False, "rootsift": True}
"""The classical descriptors of patches, and whether each takes the square root."""
COVERED_SIGMAS = 12.0
"""Side of a patch, in sigmas, at which SIFT's 4 x 4 cells cover it: published patches come without
a scale, and so their authors let SIFT read the whole of them."""
_BATCH = 512


def find_patch_model(model: str) -> Candidate:
    """What a name on the command line stands for.

    Raises:
        ModelError: the model is unknown, or finds its own keypoints and so cannot describe patches.
    """
    found = find_candidate(model, TASK)
    chosen = catalog.resolve(model, TASK)
    if chosen not in SIFTS and not isinstance(chosen, PatchDescriptor):
        raise ModelError(
            f"model '{model}' does not describe given patches; use {', '.join(SIFTS)} or a "
            "network such as hardnet"
        )
    return found


@torch.inference_mode()
def describe_patches(
    model: str, patches: UInt8[np.ndarray, "N 32 32"]
) -> Float32[np.ndarray, "N D"]:
    """The unit-length descriptors of patches, by SIFT on the whole of each or by a network."""
    chosen = catalog.resolve(model, TASK)
    if not isinstance(chosen, PatchDescriptor):
        return describe_patches_sift(patches, sigmas=COVERED_SIGMAS, root=SIFTS[str(chosen)])
    device = resolve_device()
    network = chosen.to(device).eval()
    stored = torch.from_numpy(patches)[:, None]
    found = [
        network(stored[start : start + _BATCH].to(device).float() / 255).float().cpu()
        for start in range(0, len(stored), _BATCH)
    ]
    return torch.cat(found).numpy() if found else np.zeros((0, chosen.descriptor_dim), np.float32)
