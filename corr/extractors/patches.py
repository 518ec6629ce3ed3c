"""Keypoints described by a network that reads patches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from corr.classical.keypoints import Keypoints
from corr.formats.images import to_tensor
from corr.geometry import extract_patches, frame_angles_deg, patch_frames, to_grey
from corr.machine.precision import multiplies_bfloat16
from corr.models.network import PatchDescriptor

BATCH_SIZE = {"cpu": 128, "cuda": 2048}
"""Patches described together; a layer of 32 channels at full size takes 128 KB for each."""


def describe_patches(
    image: UInt8[np.ndarray, "H W 3"],
    keypoints: Keypoints,
    network: PatchDescriptor,
    *,
    batch_size: int | None = None,
) -> Float32[np.ndarray, "N D"]:
    """A unit-length descriptor of each keypoint: that of `describe_keypoints`."""
    return describe_keypoints(image, keypoints, network, batch_size=batch_size)[1]


@torch.inference_mode()
def describe_keypoints(
    image: UInt8[np.ndarray, "H W 3"],
    keypoints: Keypoints,
    network: PatchDescriptor,
    *,
    batch_size: int | None = None,
) -> tuple[Keypoints, Float32[np.ndarray, "N D"]]:
    """A unit-length descriptor of each keypoint, on the device of the network.

    Patches cover `network.sigmas` sigmas of their keypoint and turn with its angle; those of an
    upright network start at angle 0 instead. The network may then normalise their frames. Memory
    does not grow with the number of keypoints, apart from the result. Where the hardware multiplies
    bfloat16 the convolutions do, two to three times as fast: a descriptor then has a cosine of
    at least 0.9999 with that of float32.

    Args:
        image: RGB.
        keypoints: where to cut patches.
        network: runs in evaluation mode whatever mode it is in.
        batch_size: patches described together; `BATCH_SIZE` of the device when not given.

    Returns:
        The keypoints, at the angle that an upright network found for them (0 where it looks for
        none), and their descriptors.
    """
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    batch_size = batch_size or BATCH_SIZE.get(device.type, BATCH_SIZE["cpu"])
    grey = to_grey(to_tensor(image).to(device))
    points, scale, angle = (
        torch.from_numpy(np.ascontiguousarray(x, np.float32)).to(device)
        for x in (keypoints.points, keypoints.scale, keypoints.angle_deg)
    )
    start_angle = torch.zeros_like(angle) if network.upright else angle
    frames = patch_frames(points, scale, start_angle, sigmas=network.sigmas)
    descriptors = np.empty((len(keypoints), network.descriptor_dim), np.float32)
    angle_deg = np.array(keypoints.angle_deg, np.float32)
    fast = multiplies_bfloat16(device.type)
    was_training = network.training
    network.eval()
    try:
        for start in range(0, len(frames), batch_size):
            rows = slice(start, start + batch_size)
            normalized = network.normalize_frames(grey, frames[rows])
            patches = extract_patches(grey, normalized)
            with torch.autocast(device.type, torch.bfloat16, enabled=fast):
                found = network.describe_normalized(patches)
            descriptors[rows] = found.float().cpu().numpy()
            if network.upright:
                angle_deg[rows] = frame_angles_deg(normalized).cpu().numpy()
    finally:
        network.train(was_training)
    return replace(keypoints, angle_deg=angle_deg), descriptors
