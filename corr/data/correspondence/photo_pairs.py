"""Pairs of views of photographs, related by random homographies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from corr.data.correspondence.dense_pair import DensePair, PairSource
from corr.data.patches import warp_photo
from corr.data.photometric import PhotometricChange, Photometry
from corr.data.photos import Photos, list_photos
from corr.data.viewpoints import Homography, Viewpoints
from corr.errors import OptionError

VIEWPOINTS = Viewpoints(
    max_rotation_deg=30.0, min_zoom=0.6, max_zoom=1.7, max_tilt=1.8, max_perspective=0.25
)
"""Of the second view; a dense network does not turn what it sees, so it is turned little."""


class PhotoPairs(PairSource):
    """Two views of one photograph, each in its own light and through its own camera.

    Args:
        folder: photographs, in folders below it too, read when the first pair is asked for; or
            their paths.
        viewpoints: how much the second view differs from the first.
        photometry: how much the light and the camera of each may differ from the photo.
        min_zoom: smallest magnification of the first view.
        max_zoom: largest.

    Raises:
        DatasetError: the folder is missing or empty.
        OptionError: a setting outside its range.
    """

    def __init__(
        self,
        folder: str | Path | Sequence[Path],
        *,
        viewpoints: Viewpoints | None = None,
        photometry: Photometry | None = None,
        min_zoom: float = 0.5,
        max_zoom: float = 1.2,
    ) -> None:
        if not 0 < min_zoom <= max_zoom:
            raise OptionError(
                f"min_zoom is {min_zoom} and max_zoom {max_zoom}; "
                "use two values above 0, the smaller first"
            )
        self._paths = list_photos(folder) if isinstance(folder, str | Path) else list(folder)
        self._photos: Photos | None = None
        self._viewpoints = viewpoints or VIEWPOINTS
        self._change = PhotometricChange(photometry or Photometry())
        self._zooms = min_zoom, max_zoom

    def __len__(self) -> int:
        return len(self._paths)

    def pair(self, index: int, side: int, rng: np.random.Generator) -> DensePair:
        """Two views around the same point of a photo; a pixel beyond the photo has no target."""
        if self._photos is None:
            self._photos = Photos(self._paths)
        photo = self._photos[index]
        to_first = self._first_view(photo.shape[:2], side, rng)
        between = self._viewpoints.draw((side, side), rng)
        views = [
            warp_photo(photo, matrix, (side, side)) for matrix in (to_first, between @ to_first)
        ]
        image0, image1 = (self._change.colour(view, rng) for view in views)
        return DensePair(image0, image1, _flow(photo.shape[:2], to_first, between, side))

    def _first_view(self, size: tuple[int, int], side: int, rng: np.random.Generator) -> Homography:
        """Magnifies a part of the photo, all of it within the photo if that is large enough."""
        zoom = np.exp(rng.uniform(*np.log(self._zooms)))
        zoom = max(zoom, side / max(size))  # never much more border than photo
        corner = [
            rng.uniform(min(0.0, room), max(0.0, room))
            for room in (zoom * length - side for length in size[::-1])
        ]
        shift = 0.5 * zoom - 0.5  # the half-pixel rule
        return np.array([[zoom, 0, shift - corner[0]], [0, zoom, shift - corner[1]], [0, 0, 1.0]])


def _flow(
    size: tuple[int, int], to_first: Homography, between: Homography, side: int
) -> np.ndarray:
    x, y = np.meshgrid(np.arange(side, dtype=np.float64), np.arange(side, dtype=np.float64))
    grid = np.stack((x, y), axis=-1).reshape(-1, 2)
    moved = np.c_[grid, np.ones(len(grid))] @ between.T
    target = moved[:, :2] / moved[:, 2:]
    source = np.c_[grid, np.ones(len(grid))] @ np.linalg.inv(to_first).T
    source = source[:, :2] / source[:, 2:]
    known = (moved[:, 2] > 1e-3) & _within(target, (side, side)) & _within(source, size)
    flow = np.where(known[:, None], target - grid, np.nan)
    return flow.reshape(side, side, 2).astype(np.float32)


def _within(points: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    last = np.array([size[1] - 1, size[0] - 1])
    return np.asarray(((points >= 0) & (points <= last)).all(axis=1))
