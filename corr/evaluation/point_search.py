"""Where given points of image 0 are in image 1, by the nearest descriptor alone."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Float32
from torch import Tensor

from corr.classical.keypoints import Keypoints
from corr.extractors.dense_tiles import read_points
from corr.extractors.surroundings import read_surroundings
from corr.formats.images import to_tensor
from corr.models.network import DenseDescriptor
from corr.pipeline import catalog
from corr.pipeline.extraction import extract
from corr.resources import resolve_device
from corr.results import Picture
from corr.search import nearest

TASK = "extract"


def find_points(
    model: str,
    image0: Picture,
    image1: Picture,
    points0: Float[np.ndarray, "N 2"],
    *,
    step_px: int,
    sigma: float,
    search: str = "auto",
) -> Float32[np.ndarray, "N 2"]:
    """For each point of image 0 the place in image 1 that has the most similar descriptor, px.

    Nothing is optimised: a point knows nothing of where others went, and no place is refined.

    Args:
        model: describes given keypoints.
        image0: RGB.
        image1: RGB.
        points0: px in image 0.
        step_px: image 1 is described at the centres of squares of so many px; by a dense network
            at those of its own cells.
        sigma: scale of the upright keypoints, px; a dense network has its own.
        search: who finds the nearest.
    """
    chosen = catalog.resolve(model, TASK)
    step = chosen.stride if isinstance(chosen, DenseDescriptor) else step_px
    points1 = cell_centres(image1.shape[:2], step)
    table0, table1 = (
        _dense(chosen, image, points)
        if isinstance(chosen, DenseDescriptor)
        else _patches(model, image, points, sigma)
        for image, points in ((image0, points0), (image1, points1))
    )
    found = nearest(table0, table1, metric="dot", backend=search)
    places: Float32[np.ndarray, "N 2"] = points1[found.index[:, 0].numpy()]
    return places


def cell_centres(size: tuple[int, ...], step: int) -> Float32[np.ndarray, "M 2"]:
    """The points (cell + 0.5) * step - 0.5 that lie in an image of (height, width), row by row."""
    y, x = (np.arange((step - 1) / 2, side - 0.5, step) for side in size)
    return np.stack(np.meshgrid(x, y), -1).reshape(-1, 2).astype(np.float32)


def _dense(
    network: DenseDescriptor, image: Picture, points: Float[np.ndarray, "N 2"]
) -> Float[Tensor, "N D"]:
    """As `corr.match_dense` describes places."""
    device = resolve_device(None)
    network = network.to(device)
    pixels, places = to_tensor(image).to(device), torch.from_numpy(points).float().to(device)
    return read_surroundings(
        partial(read_points, pixels, network), places, network.support_px
    ).cpu()


def _patches(
    model: str, image: Picture, points: Float[np.ndarray, "N 2"], sigma: float
) -> Float[Tensor, "N D"]:
    return torch.from_numpy(
        extract(image, model=model, keypoints=_upright(points, sigma)).descriptors
    )


def _upright(points: Float[np.ndarray, "N 2"], sigma: float) -> Keypoints:
    ones = np.ones(len(points), np.float32)
    return Keypoints(np.asarray(points, np.float32), sigma * ones, 0 * ones, ones)
