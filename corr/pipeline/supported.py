"""Points carried over with the support of their surroundings."""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor

from corr.geometry import pixel_grid, resize_points
from corr.pipeline.dense_view import DenseView
from corr.volume.consensus import dual_softmax, neighbourhood_consensus

GRID = 48
"""Places along the longer side of an image, at most: all are scored with all of the other's."""

TEMPERATURE = 0.05
"""Of the softmax of similarities: that of the loss of our recipes."""


@torch.no_grad()
def seek_supported(
    view0: DenseView,
    view1: DenseView,
    points: Float[Tensor, "N 2"],
    support: float,
    prior: float | None,
) -> tuple[Float[Tensor, "N 2"], float]:
    """Places in image 1, px, and how well they are supported in the mean.

    All places of a coarse grid over image 0 are scored with all of one over image 1; each score is
    averaged with those of places around that are displaced alike, and the best is taken.

    Args:
        view0: image 0.
        view1: image 1, seen with the same longer side.
        points: (x, y) px of image 0.
        support: sigma of what is around, as a share of the longer side.
        prior: sigma of how far a thing is expected from where it is in the other image, as a share
            of the image; None for anywhere.
    """
    step = max(view0.stride, view1.stride, -(-max(*view0.seen_size, *view1.seen_size) // GRID))
    maps = [_grid(view, step) for view in (view0, view1)]
    scores = dual_softmax(torch.einsum("abd,ced->abce", *maps), TEMPERATURE)
    scores = neighbourhood_consensus(scores, support * max(scores.shape[:2]))
    if prior is not None:
        scores = scores * _near(scores, prior)
    height0, width0, _, width1 = scores.shape
    cells = (resize_points(points, view0.size, view0.seen_size) + 0.5) / step - 0.5
    last = cells.new_tensor([width0 - 1, height0 - 1])
    start = cells.round().clamp_min(0).minimum(last)
    found = scores[start[:, 1].long(), start[:, 0].long()]
    best, index = found.flatten(1).max(1)
    row, column = index // width1, index % width1
    top = torch.stack((_top(found, row, column, 1), _top(found, row, column, 0)), 1)
    place = torch.stack((column, row), 1) + top + (cells - start)
    seen = (place + 0.5) * step - 0.5
    return resize_points(seen, view1.seen_size, view1.size), float(best.mean())


def _grid(view: DenseView, step: int) -> Float[Tensor, "H W D"]:
    height, width = (-(-side // step) for side in view.seen_size)
    places = (pixel_grid(height, width).reshape(-1, 2) + 0.5) * step - 0.5
    return view.read_seen(places.to(view.device)).view(height, width, -1).float()


def _near(scores: Float[Tensor, "H0 W0 H1 W1"], prior: float) -> Float[Tensor, "H0 W0 H1 W1"]:
    """A Gaussian of how far two places are apart, each as a share of its image."""
    shares = [(torch.arange(n, device=scores.device) + 0.5) / n for n in scores.shape]
    down = (shares[0][:, None] - shares[2]).square()[:, None, :, None]
    across = (shares[1][:, None] - shares[3]).square()[None, :, None, :]
    return torch.exp(-(down + across) / (2 * prior**2))


def _top(
    found: Float[Tensor, "N H W"], row: Tensor, column: Tensor, axis: int
) -> Float[Tensor, " N"]:
    """From the best cell to the top of the parabola through the logarithms beside it."""
    index = torch.arange(len(found), device=found.device)
    last = found.shape[1 + axis] - 1
    own = column if axis else row
    sides = []
    for step in (-1, 0, 1):
        place = (own + step).clamp(0, last)
        pair = (row, place) if axis else (place, column)
        sides.append(found[index, *pair].clamp_min(1e-12).log())
    before, middle, after = sides
    bend = before - 2 * middle + after
    inside = (own > 0) & (own < last) & (bend < 0)
    return torch.where(inside, 0.5 * (before - after) / bend, 0.0).clamp(-0.5, 0.5)
