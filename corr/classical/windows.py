"""Means and medians over the window around each pixel, of maps on any device."""

from __future__ import annotations

import math
from collections.abc import Callable

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

MEDIAN_PIXELS = 2**20
"""Of which PyTorch holds the 25 neighbours at once; they take 200 bytes a pixel."""


def gaussian_mean(values: Float[Tensor, "B C H W"], sigma: float) -> Float[Tensor, "B C H W"]:
    """The mean over a Gaussian window, channel by channel; the border repeats.

    Args:
        values: on a CPU, where gradients are off, OpenCV takes a tenth of PyTorch's time.
        sigma: of the window, which ends at 2.5 of it, px.
    """
    reach = math.ceil(2.5 * sigma)
    offsets = torch.arange(-reach, reach + 1, dtype=values.dtype, device=values.device)
    weights = torch.exp(-offsets.square() / (2 * sigma**2))
    weights = weights / weights.sum()
    if _for_opencv(values):
        kernel = weights.numpy()
        return _each(
            values,
            lambda single: cv2.sepFilter2D(
                single, -1, kernel, kernel, borderType=cv2.BORDER_REPLICATE
            ),
        )
    channels = values.flatten(0, 1).unsqueeze(1)
    padded = F.pad(channels, (reach, reach, reach, reach), mode="replicate")
    rows = F.conv2d(padded, weights.view(1, 1, 1, -1))
    return F.conv2d(rows, weights.view(1, 1, -1, 1)).view_as(values)


def median_of_25(values: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    """The median over 5 x 5 pixels, channel by channel; the border repeats."""
    if _for_opencv(values):
        return _each(values, lambda single: cv2.medianBlur(single, 5))
    batch, channels, height, width = values.shape
    padded = F.pad(values, (2, 2, 2, 2), mode="replicate")
    rows = max(1, MEDIAN_PIXELS // (batch * width))
    strips = []
    for top in range(0, height, rows):
        around = F.unfold(padded[:, :, top : top + rows + 4], 5)
        strips.append(around.view(batch, channels, 25, -1, width).median(2).values)
    return torch.cat(strips, 2)


def _for_opencv(values: Tensor) -> bool:
    """Whether nothing that traces a computation would miss what OpenCV does."""
    traced = torch.is_grad_enabled() or torch.compiler.is_compiling()
    return values.device.type == "cpu" and values.dtype == torch.float32 and not traced


def _each(
    values: Float[Tensor, "B C H W"], compute: Callable[[np.ndarray], np.ndarray]
) -> Float[Tensor, "B C H W"]:
    """What OpenCV computes of each channel."""
    channels = values.detach().contiguous().flatten(0, 1).numpy()
    return torch.from_numpy(np.stack([compute(channel) for channel in channels])).view_as(values)
