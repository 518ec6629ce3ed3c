"""Keypoints found and described by one pass of a dense network."""

from __future__ import annotations

import numpy as np
import torch
from jaxtyping import Float32, UInt8

from corr.classical.keypoints import Keypoints
from corr.extractors.peaks import find_peaks
from corr.formats.images import to_tensor
from corr.machine.precision import multiplies_bfloat16
from corr.models.network import DenseDescriptor

SCALE = 1.6
"""Sigma of a keypoint that has none, px: that of SIFT's first octave."""


@torch.inference_mode()
def extract_dense(
    image: UInt8[np.ndarray, "H W 3"],
    network: DenseDescriptor,
    max_keypoints: int,
    given: Keypoints | None = None,
) -> tuple[Keypoints, Float32[np.ndarray, "N D"]]:
    """Keypoints with a unit-length descriptor each, on the device of the network.

    Args:
        image: RGB.
        network: runs in evaluation mode whatever mode it is in.
        max_keypoints: at most so many, the best ones first.
        given: describe these, in their order, instead of the network's own; a dense network reads
            them all at its own scale and upright.

    Returns:
        The keypoints, at sigma `SCALE` and angle 0 where the network found them, and descriptors.
    """
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    was_training = network.training
    network.eval()
    try:
        fast = multiplies_bfloat16(device.type)
        with torch.autocast(device.type, torch.bfloat16, enabled=fast):
            dense = network(to_tensor(image).to(device))
    finally:
        network.train(was_training)
    if given is None:
        assert dense.repeatability is not None
        reliability = None if dense.reliability is None else dense.reliability[0, 0]
        peaks = find_peaks(
            dense.repeatability[0, 0],
            max_keypoints,
            reliability=reliability,
            stride=network.stride,
        )
        ones = np.ones(len(peaks.points), np.float32)
        points, scores = peaks.points.cpu().numpy(), peaks.scores.cpu().numpy()
        given = Keypoints(points, SCALE * ones, 0 * ones, scores)
    places = torch.from_numpy(np.ascontiguousarray(given.points, np.float32)).to(device)
    return given, dense.read(places[None], network.stride)[0].float().cpu().numpy()
