"""Which matches keep their neighbours: no model of the whole image, and so of any scene."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.spatial import cKDTree

NEIGHBOURS = (4, 6, 8)
"""So many around a match are asked, and the answers averaged."""

LARGEST_COSTS = (0.8, 0.5)
"""Share of the neighbours that may disagree: first among all matches, then among those kept."""

LEAST_AGREEMENT = 0.2
"""Of two motions: the cosine between them times the ratio of their lengths."""


def keep_local(
    points0: Float[np.ndarray, "N 2"], points1: Float[np.ndarray, "N 2"]
) -> Bool[np.ndarray, " N"]:
    """True for the matches whose nearest matches in image 0 are also nearest in image 1.

    A neighbour agrees when it is one in both images and moved alike. Right matches stay together
    whatever the scene and however the camera moved, wrong ones fly apart. Fewer matches than have
    neighbours are all left out.

    Source: Ma 2019, "Locality preserving matching", with its constants.

    Args:
        points0: px in image 0.
        points1: px in image 1.
    """
    motion = (points1 - points0).astype(np.float64)
    length = np.linalg.norm(motion, axis=1)
    kept = np.ones(len(points0), bool)
    for largest_cost in LARGEST_COSTS:
        among = np.flatnonzero(kept)
        if len(among) <= max(NEIGHBOURS):
            return np.zeros(len(points0), bool)
        around0, around1 = (_nearest(points, among) for points in (points0, points1))
        products = np.einsum("nd,nkd->nk", motion, motion[around0])
        longer = np.maximum(length[:, None], length[around0])
        # Their cosine times the shorter length over the longer one; two that stay where they are
        # move alike.
        alike = products >= LEAST_AGREEMENT * longer**2
        costs = [
            1 - (_in_rows(around0[:, :k], around1[:, :k]) & alike[:, :k]).mean(1)
            for k in NEIGHBOURS
        ]
        kept = np.mean(costs, axis=0) <= largest_cost
    return kept


def _nearest(points: Float[np.ndarray, "N 2"], among: Int[np.ndarray, " M"]) -> np.ndarray:
    """For each point the numbers of the others that are nearest, of those allowed."""
    number = max(NEIGHBOURS)
    found = among[cKDTree(points[among]).query(points, number + 1)[1]]
    # The point itself goes last; at its own place there may be others.
    itself = found == np.arange(len(points))[:, None]
    order = np.argsort(itself, axis=1, kind="stable")[:, :number]
    return np.take_along_axis(found, order, axis=1)


def _in_rows(values: np.ndarray, table: np.ndarray) -> np.ndarray:
    """Whether each value is in the same row of the table."""
    found: np.ndarray = (values[:, :, None] == table[:, None, :]).any(2)
    return found
