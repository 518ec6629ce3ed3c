"""Guards against false negatives: pairs of different rows that may show the same point."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from corr.errors import OptionError
from corr.losses.blocks import by_rows
from corr.losses.distances import pairwise_distances
from corr.losses.labels import Labels
from corr.search import Exclusion

DUPLICATE_DISTANCE = 0.008
"""Closer descriptors of different rows are taken for the same point, seen twice in a batch.

Source: the authors' published code of HardNet."""


@dataclass(frozen=True)
class Guard:
    """Which pairs of different rows do not count as negatives.

    Beside those that it names, rows of the same track never do, where tracks are known.

    Raises:
        OptionError: a setting outside its range.
    """

    min_distance: float = DUPLICATE_DISTANCE
    """Closer descriptors are taken for the same point; 0 for none."""
    radius: float = 0.0
    """px; points of the same photo at most so far apart are taken for the same; 0 for none."""

    def __post_init__(self) -> None:
        if not 0 <= self.min_distance < 2:
            raise OptionError(f"min_distance is {self.min_distance}; use a value in [0, 2)")
        if not 0 <= self.radius < math.inf:
            raise OptionError(f"radius is {self.radius}; use 0 px or more")

    def negatives(
        self, distances: Float[Tensor, "R B"], rows: slice, labels: Labels | None = None
    ) -> Bool[Tensor, "R B"]:
        """True where two rows are a negative pair.

        Args:
            distances: of some rows of one side to all rows of the other.
            rows: which ones.
            labels: of the whole batch.
        """
        every = torch.arange(distances.shape[1], device=distances.device)
        negative = every[rows, None] != every
        if labels is not None and labels.tracks is not None:
            negative &= labels.tracks[rows, None] != labels.tracks
        if labels is not None and labels.points is not None and self.radius > 0:
            x, y = labels.points.double().unbind(1)
            near = (x[rows, None] - x).square() + (y[rows, None] - y).square() <= self.radius**2
            if labels.images is not None:
                near &= labels.images[rows, None] == labels.images
            negative &= ~near
        if self.min_distance > 0:
            negative &= distances.detach() >= self.min_distance
        return negative

    def exclusion(self, num_rows: int, labels: Labels | None = None) -> Exclusion:
        """The same rule for a search of the nearest negatives."""
        labels = labels or Labels()
        tracks = np.arange(num_rows) if labels.tracks is None else labels.tracks
        places = radius = None
        if labels.points is not None and self.radius > 0:
            places, radius = _apart_by_image(labels, self.radius), self.radius
        return Exclusion(
            tracks0=tracks, tracks1=tracks, points0=places, points1=places, radius=radius,
            min_distance=self.min_distance,
        )  # fmt: skip

    @torch.no_grad()
    def guarded_share(
        self,
        anchors: Float[Tensor, "B D"],
        positives: Float[Tensor, "B D"],
        labels: Labels | None = None,
    ) -> Float[Tensor, ""]:
        """The share of all pairs of different rows that do not count as negatives, to be logged."""
        num_rows = len(anchors)

        def count(rows: slice) -> Tensor:
            distances = pairwise_distances(anchors[rows], positives)
            return self.negatives(distances, rows, labels).sum(1)

        counted = by_rows(count, num_rows, num_rows).sum()
        return (1 - counted.double() / (num_rows * (num_rows - 1))).float()


def _apart_by_image(labels: Labels, radius: float) -> Float[np.ndarray, "B 2"]:
    """The points, each photo's moved so far along x that no other's are within the radius."""
    assert labels.points is not None
    points = labels.points.detach().cpu().double().numpy().copy()
    if labels.images is not None:
        rank = np.unique(labels.images.cpu().numpy(), return_inverse=True)[1]
        points[:, 0] += rank * (np.ptp(points[:, 0]) + 2 * radius + 1)
    return points
