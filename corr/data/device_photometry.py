"""The camera of `corr.data.photometric` on the training device, by kornia."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from corr.data.photometric import Photometry

_JPEG_BLOCK = 16
"""Sides of what kornia's codec compresses are multiples of this."""


def change_camera(
    views: Float[Tensor, "V 1 H W"], ranges: Photometry, generator: torch.Generator
) -> Float[Tensor, "V 1 H W"]:
    """Each view in other light, blurred, noisy and compressed, as `PhotometricChange.camera`.

    The same ranges and probabilities; the random numbers are others.

    Args:
        views: grey, in [0, 1].
        ranges: how much may change.
        generator: of random numbers, on the CPU, so that every device draws the same.
    """
    draw = _Draw(len(views), ranges.probability, generator, views.device)
    if ranges.brightness > 0 or ranges.contrast > 0:
        chosen = draw.chosen()
        contrast = 1 + draw.within(-ranges.contrast, ranges.contrast) * chosen
        brightness = draw.within(-ranges.brightness, ranges.brightness) * chosen
        views = (views * contrast + brightness).clamp(0, 1)
    if ranges.gamma > 1:
        chosen = draw.chosen()
        gamma = draw.within(1 / ranges.gamma, ranges.gamma)
        views = views ** torch.where(chosen > 0, gamma, 1)
    if ranges.blur > 0:
        views = _blurred(views, draw.within(0, ranges.blur) * draw.chosen(), ranges.blur)
    if ranges.noise > 0:
        std = draw.within(0, ranges.noise) * draw.chosen()
        noise = torch.randn(views.shape, generator=generator).to(views.device)
        views = (views + std * noise).clamp(0, 1)
    if ranges.min_jpeg_quality < 100:
        quality, chosen = draw.within(ranges.min_jpeg_quality, 100), draw.chosen()
        views = torch.where(chosen > 0, _compressed(views, quality.flatten()), views)
    return views


class _Draw:
    """Random numbers of the views, `(V, 1, 1, 1)`."""

    def __init__(
        self, num_views: int, probability: float, generator: torch.Generator, device: torch.device
    ) -> None:
        self._shape = (num_views, 1, 1, 1)
        self._probability = probability
        self._generator = generator
        self._device = device

    def within(self, low: float | int, high: float | int) -> Tensor:
        numbers = torch.rand(self._shape, generator=self._generator)
        return (low + (high - low) * numbers).to(self._device)

    def chosen(self) -> Tensor:
        """1 where a change happens, else 0."""
        return (self.within(0, 1) < self._probability).float()


def _blurred(
    views: Float[Tensor, "V 1 H W"], sigma: Float[Tensor, "V 1 1 1"], most: float
) -> Float[Tensor, "V 1 H W"]:
    """Gaussian, of one sigma for each view; exactly as it was where it is 0."""
    radius = max(1, round(3 * most))
    offset = torch.arange(-radius, radius + 1, device=views.device, dtype=views.dtype)
    kernel = torch.exp(-(offset**2) / (2 * sigma.flatten()[:, None] ** 2 + 1e-12))
    kernel = kernel / kernel.sum(1, keepdim=True)
    together = F.pad(views.transpose(0, 1), (radius,) * 4, mode="reflect")
    across = F.conv2d(together, kernel[:, None, None, :], groups=len(views))
    return F.conv2d(across, kernel[:, None, :, None], groups=len(views)).transpose(0, 1)


def _compressed(
    views: Float[Tensor, "V 1 H W"], quality: Float[Tensor, " V"]
) -> Float[Tensor, "V 1 H W"]:
    from kornia.enhance import jpeg_codec_differentiable

    height, width = views.shape[-2:]
    padding = (0, -width % _JPEG_BLOCK, 0, -height % _JPEG_BLOCK)
    colours = F.pad(views, padding, mode="replicate").expand(-1, 3, -1, -1)
    found: Tensor = jpeg_codec_differentiable(colours, quality)
    return found[:, :1, :height, :width].clamp(0, 1)
