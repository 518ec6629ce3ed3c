"""Two images of different things of one kind, and points -> where those points are in the other."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple, get_args

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from corr.errors import ModelError, OptionError, ShapeError
from corr.formats import as_image
from corr.geometry import resize_points
from corr.models.network import DenseDescriptor, Network
from corr.pipeline import catalog
from corr.pipeline.dense_view import DenseView, view_densely
from corr.pipeline.readout import ReadOut, read_out
from corr.pipeline.supported import seek_supported
from corr.resources import resolve_device
from corr.search import nearest
from corr.search.checks import check_backend

SIZE = 320
"""Longer side of both images as they are seen, px, by models that have none of their own: things
that differ in size come closer."""
SMALLEST = 16
SUPPORT = 0.08
"""Sigma of the surroundings that support a point, as a share of the image."""
PRIOR = 0.3
"""Sigma of how far a thing is expected from where it is in image 0, likewise."""
NEAREST_ALONE = "dense-sift-nn"
"""The baseline of the field: each point by itself."""


def transfer(
    image0: Any,
    image1: Any,
    points0: Any,
    *,
    model: str | Path | Network | None = None,
    size: int | None = None,
    support: float | None = None,
    prior: float | None = PRIOR,
    readout: ReadOut = "soft",
    flips: str | None = None,
    search: str = "auto",
    device: str | torch.device | None = None,
) -> Float32[np.ndarray, "N 2"]:
    """The place in image 1 that is most like each point of image 0.

    Places around a point that look alike in both images, displaced as it is, support it: things of
    one kind agree in their layout more than in their parts. See `corr.pipeline.supported`.

    Args:
        image0: a path, a uint8 array `(H, W, 3)` RGB or `(H, W)`, or a float tensor `(3, H, W)` in
            [0, 1].
        image1: the other image, of any size.
        points0: (N, 2) px in image 0.
        model: a name that `corr models` lists for transfer, a folder that training wrote, or a
            dense network; `ucn-semantic` when not given.
        size: both images are seen with a longer side of so many px, or as they are where it is 0;
            the network's own when not given, else `SIZE`.
        support: how far around a point it is supported, as a share of the image; with 0 each point
            is sought for itself, anywhere in image 1. When not given it is 0 for `dense-sift-nn`,
            else `SUPPORT`.
        prior: how far a thing is expected from where it is in image 0, as a share of the image
            (one standard deviation); None for anywhere. Not without support.
        readout: without support: `nearest`, the most similar descriptor, between its neighbours
            by a parabola; or `soft`, the mean place around it, weighted by similarity.
        flips: `auto` seeks in image 1 mirrored, too, and takes whichever is more similar in the
            mean: for things that face opposite sides.
        search: who finds nearest neighbours: `auto`, `exact`, `faiss` or `faiss-gpu`.
        device: where networks and the search run; the best one present when not given.

    Returns:
        (N, 2) px of image 1 as it was given, row by row.

    Raises:
        ImageError: an image cannot be read or used.
        ShapeError: `points0` is not an array (N, 2).
        OptionError: a point outside image 0, or an option outside what is accepted.
        ModelError: the model is unknown or describes no whole image.
    """
    _check_options(size, readout, flips)
    _check_support(support, prior)
    check_backend(search)
    place = resolve_device(device)
    chosen = resolve_transfer(model)
    around = (0.0 if chosen == NEAREST_ALONE else SUPPORT) if support is None else support
    pictures = as_image(image0), as_image(image1)
    sizes = pictures[0].shape[:2], pictures[1].shape[:2]
    points = torch.from_numpy(_checked(points0, sizes[0]))
    if chosen == "identity" or len(points) == 0:
        return resize_points(points, *sizes).numpy()
    if isinstance(chosen, DenseDescriptor):
        if device is None and chosen is model:
            place = next((p.device for p in chosen.parameters()), place)
        chosen = chosen.to(place)
    seen = getattr(chosen, "seen_px", SIZE) if size is None else size
    view0 = view_densely(pictures[0], chosen, seen or None, place)
    queries = view0.read(points) if around == 0 else None

    def seek(picture: np.ndarray) -> _Found:
        view1 = view_densely(picture, chosen, seen or None, place)
        if queries is None:
            return _Found(*seek_supported(view0, view1, points.to(place), around, prior))
        return _seek(queries, view1, readout, search)

    found = seek(pictures[1])
    if flips == "auto":
        other = seek(np.ascontiguousarray(pictures[1][:, ::-1]))
        if other.similarity > found.similarity:
            x, y = other.points.unbind(1)
            found = _Found(torch.stack((sizes[1][1] - 1 - x, y), dim=1), other.similarity)
    return found.points.cpu().numpy().astype(np.float32)


def resolve_transfer(model: str | Path | Network | None) -> str | DenseDescriptor:
    """The classical method's name, or the dense network.

    Raises:
        ModelError: the model is unknown, of another task, or describes no whole image.
    """
    chosen = catalog.resolve(model, "transfer")
    if isinstance(chosen, Network) and not isinstance(chosen, DenseDescriptor):
        raise ModelError(
            f"a network of type {type(chosen).__name__} describes no whole image; use a dense "
            f"network, or one of {', '.join(catalog.names('transfer'))}"
        )
    return chosen


class _Found(NamedTuple):
    points: Float[Tensor, "N 2"]
    similarity: float
    """Of what was found, in the mean."""


def _seek(queries: Float[Tensor, "N D"], view: DenseView, readout: ReadOut, search: str) -> _Found:
    table = view.cells.flatten(0, 1)
    neighbors = nearest(queries, table, backend=search)
    cells = read_out(queries, view.cells, neighbors.index[:, 0], readout, view.stride)
    return _Found(view.place(cells), float(neighbors.scores.mean()))


def _checked(points0: Any, size: tuple[int, int]) -> Float32[np.ndarray, "N 2"]:
    """The points as an array, all of them within the image."""
    points = np.asarray(points0)
    if points.ndim != 2 or points.shape[1] != 2 or points.dtype.kind not in "fiu":
        raise ShapeError(
            f"points0 has shape {points.shape} and type {points.dtype}; use numbers (N, 2)"
        )
    height, width = size
    inside = ((points >= -0.5) & (points <= np.array([width, height]) - 0.5)).all(axis=1)
    if not inside.all():
        row = int(np.flatnonzero(~inside)[0])
        x, y = points[row]
        raise OptionError(
            f"point {row} at ({x:g}, {y:g}) lies outside image 0, which has {width} x {height} "
            "pixels; the centre of its first is (0, 0)"
        )
    return points.astype(np.float32)


def _check_support(support: float | None, prior: float | None) -> None:
    if support is not None and not 0 <= support <= 1:
        raise OptionError(f"support is {support}; use a value in [0, 1]")
    if prior is not None and not prior > 0:
        raise OptionError(f"prior is {prior}; use a value above 0, or None")


def _check_options(size: int | None, readout: str, flips: str | None) -> None:
    if size and size < SMALLEST:
        raise OptionError(f"size is {size}; use {SMALLEST} or more, or 0 for the images' own")
    if readout not in get_args(ReadOut):
        raise OptionError(f"readout is '{readout}'; use {' or '.join(get_args(ReadOut))}")
    if flips not in (None, "auto"):
        raise OptionError(f"flips is '{flips}'; use auto, or leave it out")
