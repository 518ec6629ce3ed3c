"""Patches at given frames of an image, described by any model that describes patches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from corr.classical.sift import describe_patches_sift
from corr.data.cutting import cut_patches
from corr.errors import ModelError
from corr.evaluation.candidates import Candidate, find_candidate
from corr.evaluation.dense_patches import HOW, describe_centres
from corr.geometry import PATCH_SIGMAS
from corr.machine.precision import multiplies_bfloat16
from corr.models.network import DenseDescriptor, PatchDescriptor
from corr.models.normalization import PatchNormalization
from corr.pipeline import catalog
from corr.resources import resolve_device

SIFTS = {"sift": False, "rootsift": True}
"""The classical descriptors of patches, and whether each takes the square root."""
_BATCH = 512


def find_describer(name: str, task: str, *, dense: bool = False) -> Candidate:
    """A model that describes given patches; what finds its own keypoints cannot.

    Args:
        name: on the command line.
        task: what the model has to do.
        dense: whether networks that describe whole images are taken, too.

    Raises:
        ModelError: the model is unknown or does not describe patches.
    """
    found = find_candidate(name, task)
    chosen = catalog.resolve(name, task)
    if dense and isinstance(chosen, DenseDescriptor):
        return replace(found, variant=HOW)
    if chosen not in SIFTS and not isinstance(chosen, PatchDescriptor):
        raise ModelError(
            f"model '{name}' does not describe given patches; use {', '.join(SIFTS)} or a "
            "network such as hardnet"
        )
    return found


def sees_frames(model: object) -> bool:
    """Whether a model chooses where its patches are cut, and so needs the image."""
    if not isinstance(model, PatchDescriptor):
        return False
    return model.upright or type(model).normalize_frames is not PatchDescriptor.normalize_frames


@torch.inference_mode()
def describe_frames(
    model: object,
    view: UInt8[np.ndarray, "H W"],
    frames: Float32[Tensor, "N 2 3"],
    *,
    normalization: PatchNormalization | None = None,
    sigmas: float = PATCH_SIGMAS,
) -> Float[np.ndarray, "N D"]:
    """Descriptors of the patches at frames, after normalisation.

    Args:
        model: `sift`, `rootsift` or a network, which normalises the frames where it does so.
        view: grey image.
        frames: where the patches are.
        normalization: of the frames, before the network's own.
        sigmas: side of a patch in sigmas of its keypoint.
    """
    normalized = normalized_frames(model, view, frames, normalization=normalization)
    return describe_cut(model, cut_patches(view, normalized), sigmas=sigmas)


@torch.inference_mode()
def normalized_frames(
    model: object,
    view: UInt8[np.ndarray, "H W"],
    frames: Float32[Tensor, "N 2 3"],
    *,
    normalization: PatchNormalization | None = None,
) -> Float32[Tensor, "N 2 3"]:
    """The frames where `describe_frames` cuts the patches that it describes."""
    image = torch.from_numpy(view).float()[None, None] / 255
    if normalization is not None:
        frames = normalization(image, frames)
    if not isinstance(model, PatchDescriptor):
        return frames
    device = resolve_device()
    network, image = model.to(device).eval(), image.to(device)
    parts = (part.to(device) for part in torch.split(frames, _BATCH))
    return torch.cat([network.normalize_frames(image, part).cpu() for part in parts])


@torch.inference_mode()
def describe_cut(
    model: object,
    patches: UInt8[np.ndarray, "N 32 32"],
    *,
    sigmas: float = PATCH_SIGMAS,
) -> Float[np.ndarray, "N D"]:
    """Descriptors of patches that are described as they are.

    Args:
        model: `sift`, `rootsift` or a network, of whole images, too.
        patches: grey.
        sigmas: side of a patch in sigmas of its keypoint.
    """
    if isinstance(model, DenseDescriptor):
        return describe_centres(model, patches)
    if not isinstance(model, PatchDescriptor):
        return describe_patches_sift(patches, sigmas=sigmas, root=SIFTS[str(model)])
    device = resolve_device()
    network = model.to(device).eval()
    with torch.autocast(
        device.type, torch.bfloat16, enabled=multiplies_bfloat16(device.type)
    ):  # as in `corr.extract`
        found = [
            network.describe_normalized(part.to(device).float() / 255).float().cpu()
            for part in torch.split(torch.from_numpy(patches)[:, None], _BATCH)
        ]
    return torch.cat(found).numpy()
