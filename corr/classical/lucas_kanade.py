"""Lucas and Kanade's optical flow: to polish a flow, or coarse to fine from nothing."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from corr.classical.windows import gaussian_mean, median_of_25
from corr.errors import OptionError, ShapeError
from corr.geometry import pixel_grid, resize, sample

SIGMA = 3.0
"""Of the Gaussian window, px."""

SURROUND = 2.0
"""Width of the Gaussian whose mean is taken from the images, in those of the window."""

ITERATIONS = 5

DAMPING = 3e-4
"""Added to both eigenvalues of the structure tensor, for images in [0, 1]: where gradients are well
below its root, four grey levels a pixel, a flow that is to be polished stays."""

FREE_DAMPING = 1e-4
"""The same where there is no flow yet."""

RESIDUAL = 0.02
"""Difference of brightness, in [0, 1], from which on a pixel counts by less and less."""

LONGEST_STEP = 1.0
"""Of one iteration, px: as far as a linear model of the image is to be trusted."""

COARSEST = 16
"""Smaller side of the coarsest level of the pyramid, px."""


def polish(
    images0: Float[Tensor, "B C H W"],
    images1: Float[Tensor, "B C _ _"],
    flow: Float[Tensor, "B 2 _ _"],
    *,
    iterations: int = ITERATIONS,
    sigma: float = SIGMA,
    damping: float = DAMPING,
) -> Float[Tensor, "B 2 H W"]:
    """The flow moved to where the windows around each pixel and its target agree best.

    Differentiable in images and flow. Each pixel is seen less the mean around it, so that one image
    may be brighter. The gradients are those of image 0, computed once. A pixel keeps its flow where
    the window has no texture (of an edge it keeps what lies along it), and pixels whose target is
    outside image 1 tell nothing. Each counts by `1 / sqrt(1 + (r / RESIDUAL)^2)` of its difference
    r, so that what is hidden takes little part.

    Args:
        images0: in [0, 1], any number of channels.
        images1: the others.
        flow: px, to start from.
        iterations: of at most `LONGEST_STEP` px each.
        sigma: of the window, px.
        damping: of the steps where there is little texture, see `DAMPING`.

    Raises:
        ShapeError: the sizes differ.
        OptionError: an option is not above 0.

    Source: Lucas and Kanade 1981, "An iterative image registration technique with an application
    to stereo vision"; the gradients of the fixed image as in Baker and Matthews 2004, "Lucas-Kanade
    20 years on", section 3.2; robust weights as in its part 2, section 4; Levenberg's damping.
    """
    if images0.shape != images1.shape or images0.shape[-2:] != flow.shape[-2:]:
        raise ShapeError(
            f"images of {tuple(images0.shape)} and {tuple(images1.shape)} and a flow of "
            f"{tuple(flow.shape)} were given; they need one size"
        )
    if iterations < 1 or not sigma > 0 or not damping > 0:
        raise OptionError(
            f"iterations {iterations}, sigma {sigma} and damping {damping} have to be above 0"
        )
    images0, images1 = (
        images - gaussian_mean(images, SURROUND * sigma) for images in (images0, images1)
    )
    gx, gy = _gradients(images0)
    grid = pixel_grid(flow.shape[2], flow.shape[3], flow.device)
    for _ in range(iterations):
        residual, inside = _residual(images0, images1, flow, grid)
        weight = inside / torch.sqrt(1 + (residual / RESIDUAL).square())
        xx, xy, yy, bx, by = (
            gaussian_mean((weight * first * second).sum(1, keepdim=True), sigma)
            for first, second in ((gx, gx), (gx, gy), (gy, gy), (gx, residual), (gy, residual))
        )
        xx, yy = xx + damping, yy + damping
        step = torch.cat((yy * bx - xy * by, xx * by - xy * bx), 1) / (xx * yy - xy * xy)
        length = torch.sqrt(step.square().sum(1, keepdim=True) + 1e-12)
        flow = flow - inside * step * (LONGEST_STEP / length.clamp_min(LONGEST_STEP))
    return flow


def lucas_kanade(
    images0: Float[Tensor, "B C H W"],
    images1: Float[Tensor, "B C H W"],
    *,
    iterations: int = ITERATIONS,
    sigma: float = SIGMA,
) -> Float[Tensor, "B 2 H W"]:
    """The flow from nothing, px: coarse to fine, with a 5 x 5 median after each level.

    Args:
        images0: in [0, 1], any number of channels.
        images1: the others, of the same size.
        iterations: of each level.
        sigma: of the window, px of each level.

    Source: Bouguet 2000, "Pyramidal implementation of the Lucas Kanade feature tracker"; the
    median: Sun 2010, "Secrets of optical flow estimation and their principles", section 4.
    """
    height, width = images0.shape[-2:]
    levels = max(0, math.floor(math.log2(max(1, min(height, width)) / COARSEST)))
    flow = images0.new_zeros(len(images0), 2, 1, 1)
    for level in range(levels, -1, -1):
        size = (max(1, height >> level), max(1, width >> level))
        view0, view1 = (resize(images, size) for images in (images0, images1))
        flow = _enlarged(flow, size, last=level == levels)
        found = polish(view0, view1, flow, iterations=iterations, sigma=sigma, damping=FREE_DAMPING)
        flow = median_of_25(found)
    return flow


def _enlarged(
    flow: Float[Tensor, "B 2 h w"], size: tuple[int, int], last: bool
) -> Float[Tensor, "B 2 H W"]:
    """The flow of another level: of other size and in other px."""
    if last:
        return flow.expand(-1, -1, *size)
    scale = flow.new_tensor([size[1] / flow.shape[3], size[0] / flow.shape[2]])
    return resize(flow, size) * scale[:, None, None]


def _gradients(images: Float[Tensor, "B C H W"]) -> tuple[Tensor, Tensor]:
    """Central differences; one-sided at the border."""
    height, width = images.shape[-2:]
    padded = F.pad(images, (1, 1, 1, 1), mode="replicate")
    across = (padded[..., 1 : height + 1, 2:] - padded[..., 1 : height + 1, :-2]) / 2
    down = (padded[..., 2:, 1 : width + 1] - padded[..., :-2, 1 : width + 1]) / 2
    return across, down


def _residual(
    images0: Float[Tensor, "B C H W"],
    images1: Float[Tensor, "B C H W"],
    flow: Float[Tensor, "B 2 H W"],
    grid: Float[Tensor, "H W 2"],
) -> tuple[Float[Tensor, "B C H W"], Tensor]:
    """Image 1 at the targets less image 0, 0 where the target is outside; and where it is not."""
    target = grid + flow.permute(0, 2, 3, 1)
    warped = sample(images1, target, padding="border").permute(0, 3, 1, 2)
    edge = target.new_tensor([images1.shape[3], images1.shape[2]]) - 0.5
    inside = ((target >= -0.5) & (target <= edge)).all(-1).unsqueeze(1)
    return torch.where(inside, warped - images0, 0), inside
