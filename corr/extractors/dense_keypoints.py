"""Keypoints found and described by a dense network, at one scale of the image or several."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float, Float32, UInt8
from torch import Tensor

from corr.classical.keypoints import Keypoints
from corr.errors import OptionError
from corr.extractors.dense_tiles import describe_tiles, read_points
from corr.extractors.peaks import find_peaks
from corr.formats.images import to_tensor
from corr.geometry import resize, resize_points
from corr.models.network import DenseDescriptor

SCALE = 1.6
"""Sigma of a keypoint that has none, px: that of SIFT's first octave."""

LARGEST_SCALE = 4.0
"""Beyond it an image holds nothing new, and takes 16 times the work."""


@torch.no_grad()
def extract_dense(
    image: UInt8[np.ndarray, "H W 3"],
    network: DenseDescriptor,
    max_keypoints: int,
    given: Keypoints | None = None,
    scales: Sequence[float] = (1.0,),
) -> tuple[Keypoints, Float32[np.ndarray, "N D"]]:
    """Keypoints with a unit-length descriptor each, on the device of the network.

    A large image is described in tiles, see `corr.extractors.dense_tiles`.

    Args:
        image: RGB.
        network: runs in evaluation mode whatever mode it is in.
        max_keypoints: at most so many, the best ones first.
        given: describe these, in their order, instead of the network's own; a dense network reads
            them all at its own scale and upright.
        scales: also look in the image resized by each of these factors; the best keypoints of all
            are kept. For the network's own keypoints only.

    Returns:
        The keypoints, at sigma `SCALE` in the pixels of the image in which they were found and
        angle 0, and descriptors.
    """
    device = next((p.device for p in network.parameters()), torch.device("cpu"))
    pixels = to_tensor(image).to(device)
    if given is not None:
        places = torch.from_numpy(np.ascontiguousarray(given.points, np.float32)).to(device)
        return given, read_points(pixels, network, places).cpu().numpy()
    size = image.shape[:2]
    view = network.view(pixels)
    levels = []
    for factor in scales:
        level_size = _scaled(size, factor)
        level = view if level_size == size else resize(view, level_size)
        points, scores, descriptors = _own_keypoints(level, network, max_keypoints)
        sigma = torch.full_like(scores, SCALE / factor)
        levels.append((resize_points(points, level_size, size), scores, sigma, descriptors))
    points, scores, sigma, descriptors = (torch.cat(parts) for parts in zip(*levels, strict=True))
    order = torch.sort(scores, descending=True, stable=True).indices[:max_keypoints]
    found = Keypoints(
        points[order].cpu().numpy(),
        sigma[order].cpu().numpy(),
        torch.zeros_like(scores[order]).cpu().numpy(),
        scores[order].cpu().numpy(),
    )
    return found, descriptors[order].cpu().numpy()


def check_scales(scales: Sequence[float]) -> tuple[float, ...]:
    """The factors, if an image can be resized by each.

    Raises:
        OptionError: there are none, or one is not accepted.
    """
    factors = tuple(float(factor) for factor in scales)
    wrong = [f for f in factors if not 0 < f <= LARGEST_SCALE]
    if wrong or not factors or len(set(factors)) < len(factors):
        raise OptionError(
            f"scales are {', '.join(f'{f:g}' for f in factors) or 'empty'}; use different factors "
            f"above 0 and at most {LARGEST_SCALE:g}, such as 1,0.5"
        )
    return factors


def _scaled(size: tuple[int, ...], factor: float) -> tuple[int, int]:
    height, width = (max(1, round(factor * side)) for side in size)
    return height, width


def _own_keypoints(
    view: Float[Tensor, "1 _ H W"], network: DenseDescriptor, max_keypoints: int
) -> tuple[Float[Tensor, "N 2"], Float[Tensor, " N"], Float[Tensor, "N D"]]:
    """Points px, scores and descriptors, best first."""
    found = []
    for tile in describe_tiles(view, network):
        maps = tile.description
        assert maps.repeatability is not None
        reliability = None if maps.reliability is None else maps.reliability[0, 0]
        logits = maps.repeatability[0, 0]
        peaks = find_peaks(logits, logits.numel(), reliability=reliability, stride=network.stride)
        own = tile.owns(peaks.points + tile.origin()).nonzero().flatten()[:max_keypoints]
        places, scores = peaks.points[own], peaks.scores[own]
        read = maps.read(places[None], network.stride)[0].float()
        found.append((places + tile.origin(), scores, read))
    points, scores, descriptors = (torch.cat(parts) for parts in zip(*found, strict=True))
    order = torch.sort(scores, descending=True, stable=True).indices[:max_keypoints]
    return points[order], scores[order], descriptors[order]
