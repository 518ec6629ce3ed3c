"""What a keypoint head is trained by: where keypoints are, and whose descriptors find them."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

SPREAD = 1.0
"""Sigma of the bump around a keypoint, px."""


def keypoint_heatmap(
    keypoints: Float[Tensor, "B K 2"], size: tuple[int, int], spread: float = SPREAD
) -> Float[Tensor, "B 1 H W"]:
    """1 at each keypoint, less around it as a Gaussian; the larger of two where they overlap.

    Near its top the logarithm of a Gaussian is a parabola, so that a map which learned it tells
    places between pixels.

    Args:
        keypoints: (x, y) px; rows of NaN are none.
        size: (height, width).
        spread: sigma of the Gaussian, px.
    """
    reach = int(3 * spread + 0.5)
    num_images, (height, width) = len(keypoints), size
    heat = keypoints.new_zeros(num_images, height * width)
    image = torch.arange(num_images, device=keypoints.device)[:, None].expand(keypoints.shape[:2])
    known = keypoints.isfinite().all(-1)
    points, image = keypoints[known], image[known]
    pixel = points.round()
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            x, y = pixel[:, 0] + dx, pixel[:, 1] + dy
            inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
            away = (x - points[:, 0]).square() + (y - points[:, 1]).square()
            value = torch.exp(-away / (2 * spread**2))[inside]
            index = (image * height * width + y.long() * width + x.long())[inside]
            heat.view(-1).scatter_reduce_(0, index, value, "amax")
    return heat.view(num_images, 1, height, width)


def heatmap_loss(
    logits: Float[Tensor, "B 1 H W"],
    heat: Float[Tensor, "B 1 H W"],
    known: Bool[Tensor, "B 1 H W"],
) -> Float[Tensor, ""]:
    """Cross-entropy of the map's probabilities and the heat, where it is known; 0 at its least.

    Divided by the heat there is, so that few keypoints weigh as much as many. What is left when the
    map is the heat, the entropy of the heat itself, is taken off.
    """
    cost = F.binary_cross_entropy_with_logits(logits, heat, reduction="none")
    least = F.binary_cross_entropy(heat.clamp(1e-6, 1 - 1e-6), heat, reduction="none")
    weight = known.to(cost.dtype)
    loss: Tensor = ((cost - least) * weight).sum() / (heat * weight).sum().clamp_min(1)
    return loss
