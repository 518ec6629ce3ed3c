"""The camera of `corr.data.photometric` on the training device, by kornia."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from corr.data.photometric import ANTI_ALIASING, Photometry

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
    views = _blurred_or_out_of_focus(views, draw, ranges)
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

    def chosen(self, probability: float | None = None) -> Tensor:
        """1 where a change happens, else 0."""
        least = self._probability if probability is None else probability
        return (self.within(0, 1) < least).float()


def _blurred_or_out_of_focus(
    views: Float[Tensor, "V 1 H W"], draw: _Draw, ranges: Photometry
) -> Float[Tensor, "V 1 H W"]:
    """Each view by a Gaussian, by a disc, or as it was."""
    if ranges.blur == 0 and ranges.defocus == 0:
        return views
    chosen = draw.chosen()
    either = ranges.blur > 0 and ranges.defocus > 0
    by_disc = draw.chosen(0.5 if either else float(ranges.defocus > 0))
    if ranges.blur > 0:
        sigma = draw.within(0, ranges.blur) * chosen * (1 - by_disc)
        views = _blurred(views, sigma, round(3 * ranges.blur))
    if ranges.defocus > 0:
        radius = draw.within(1, ranges.defocus + 1).floor() * chosen * by_disc
        views = _convolved(views, _discs(radius, ranges.defocus))
    return views


def _blurred(
    views: Float[Tensor, "V 1 H W"], sigma: Float[Tensor, "V 1 1 1"], reach: int
) -> Float[Tensor, "V 1 H W"]:
    """Gaussian, of one sigma for each view; exactly as it was where it is 0."""
    along = _gaussians(sigma, max(1, reach), views)
    return _convolved(_convolved(views, along[:, None, :]), along[:, :, None])


def _discs(radius: Float[Tensor, "V 1 1 1"], largest: int) -> Float[Tensor, "V K K"]:
    """As albumentations makes them; a single 1 where the radius is 0."""
    reach = largest + 1
    offset = torch.arange(-reach, reach + 1, device=radius.device, dtype=radius.dtype)
    inside = offset[:, None] ** 2 + offset**2 <= radius[:, 0] ** 2
    discs = inside.to(radius.dtype) / inside.sum((1, 2), keepdim=True)
    return _blurred(discs[:, None], ANTI_ALIASING * (radius > 0), 1)[:, 0]


def _gaussians(sigma: Float[Tensor, "V 1 1 1"], reach: int, like: Tensor) -> Float[Tensor, "V K"]:
    offset = torch.arange(-reach, reach + 1, device=like.device, dtype=like.dtype)
    kernel = torch.exp(-(offset**2) / (2 * sigma.flatten()[:, None] ** 2 + 1e-12))
    return kernel / kernel.sum(1, keepdim=True)


def _convolved(
    views: Float[Tensor, "V 1 H W"], kernels: Float[Tensor, "V M N"]
) -> Float[Tensor, "V 1 H W"]:
    """Each view with its own kernel."""
    y, x = (side // 2 for side in kernels.shape[1:])
    together = F.pad(views.transpose(0, 1), (x, x, y, y), mode="reflect")
    return F.conv2d(together, kernels[:, None], groups=len(views)).transpose(0, 1)


def _compressed(
    views: Float[Tensor, "V 1 H W"], quality: Float[Tensor, " V"]
) -> Float[Tensor, "V 1 H W"]:
    from kornia.enhance import jpeg_codec_differentiable

    height, width = views.shape[-2:]
    padding = (0, -width % _JPEG_BLOCK, 0, -height % _JPEG_BLOCK)
    colours = F.pad(views, padding, mode="replicate").expand(-1, 3, -1, -1)
    found: Tensor = jpeg_codec_differentiable(colours, quality)
    return found[:, :1, :height, :width].clamp(0, 1)
