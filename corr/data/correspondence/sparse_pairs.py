"""Pairs of photographs that structure from motion has placed, with a few known points."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

import cv2
import numpy as np
import scipy.sparse
from jaxtyping import Float32

from corr.data.cameras import Camera, motion_of_depth
from corr.data.colmap import PosedImage, SparseModel, read_colmap
from corr.data.correspondence.dense_pair import DensePair
from corr.data.correspondence.ground_truth_pairs import GroundTruthPairs
from corr.data.photometric import Photometry
from corr.data.photos import Picture
from corr.errors import DatasetError, OptionError
from corr.formats import read_image

IMAGES = "images"
"""Folder of the images below the root, where it is there; else they lie in the root."""


class SparsePointPairs(GroundTruthPairs[tuple[int, int]]):
    """Posed images with sparse points: a text model of COLMAP and its images.

    Two images are a pair where enough points have both in their track, which also says that both
    show them. Of image 0 the pixels that such points fall into have a target, all others have none:
    a pixel is taken to be at the depth of its point, and goes where the cameras say. Its centre is
    at most 0.71 px from the point, so that the target is off by at most 0.71 px times the tangent
    of the surface's slant times the sine of the angle between the lines of sight, in the scale of
    image 0: nothing where the surface faces the camera, 0.18 px at 45 and 15 degrees. The error of
    the reconstruction comes on top.

    Descriptors learn from it, but not keypoints: a pixel without a target may be one or not. Give
    it a network without `keypoints`, which then takes those of SIFT.

    Args:
        root: of the model, see `corr.data.colmap`, and of its images, in a folder `images` or
            beside it.
        min_points: that both images of a pair have to show.
        max_error: px; points whose mean reprojection error is larger are left out.
        max_side: px; larger images are reduced to it.
        photometry: how much the light and the camera of each image change; not at all when not
            given.

    Raises:
        OptionError: a number outside its range.
    """

    def __init__(
        self,
        root: str | Path,
        *,
        min_points: int = 32,
        max_error: float = 2.0,
        max_side: int = 1024,
        photometry: Photometry | None = None,
    ) -> None:
        super().__init__(root, photometry=photometry)
        if min_points < 2:
            raise OptionError(f"min_points is {min_points}; use 2 or more")
        if not max_error > 0:
            raise OptionError(f"max_error is {max_error}; use a value above 0")
        if max_side < 32:
            raise OptionError(f"max_side is {max_side}; use 32 or more")
        self._min_points = min_points
        self._max_error = max_error
        self._max_side = max_side

    @cached_property
    def model(self) -> SparseModel:
        """Cameras, images and points."""
        return read_colmap(self.root, max_error=self._max_error)

    def list_pairs(self) -> list[tuple[int, int]]:
        """The numbers of two images that share enough points, in both orders.

        Raises:
            DatasetError: the model cannot be read, or no two images share so many.
        """
        rows = [image.seen for image in self.model.images]
        ends = np.cumsum([0, *map(len, rows)])
        columns = np.concatenate([*rows, np.zeros(0, np.int64)])
        shape = len(rows), len(self.model.points)
        shows = scipy.sparse.csr_array((np.ones(len(columns)), columns, ends), shape=shape)
        shared = (shows @ shows.T).tocoo()
        enough = (shared.data >= self._min_points) & (shared.row != shared.col)
        found = sorted(zip(shared.row[enough].tolist(), shared.col[enough].tolist(), strict=True))
        if not found:
            raise DatasetError(
                f"'{self.root}': no two images share {self._min_points} points whose error is at "
                f"most {self._max_error:g} px; use a smaller min_points or a larger max_error"
            )
        return found

    def read(self, pair: tuple[int, int]) -> DensePair:
        """Both images; the pixels of points that both show have a target."""
        first, second = (self.model.images[number] for number in pair)
        image0, camera0 = self._picture(first)
        image1, camera1 = self._picture(second)
        points = self.model.points[np.intersect1d(first.seen, second.seen, assume_unique=True)]
        depth0 = _sparse_depth(points, first, camera0, image0.shape[:2])
        pose_0to1 = second.pose @ np.linalg.inv(first.pose)
        return DensePair(
            image0, image1, motion_of_depth(depth0, camera0, camera1, pose_0to1).flow_0to1
        )

    def _picture(self, image: PosedImage) -> tuple[Picture, Camera]:
        folder = self.root / IMAGES
        path = (folder if folder.is_dir() else self.root) / image.name
        picture = read_image(path)
        if picture.shape[:2] != image.size:
            height, width = image.size
            raise DatasetError(
                f"'{path}' has {picture.shape[1]} x {picture.shape[0]} pixels and its camera "
                f"{width} x {height}; use the images that the model was made of"
            )
        reduction = self._max_side / max(image.size)
        if reduction >= 1:
            return picture, image.camera
        height, width = (max(1, round(side * reduction)) for side in image.size)
        reduced = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
        return reduced, image.camera.resized(image.size, (height, width))


def _sparse_depth(
    points: np.ndarray, image: PosedImage, camera: Camera, size: tuple[int, ...]
) -> Float32[np.ndarray, "H W"]:
    """Of the pixels that the points fall into, the nearest point's where there are several."""
    placed = points @ image.pose[:3, :3].T + image.pose[:3, 3]
    places = camera.project(placed)
    with np.errstate(invalid="ignore"):
        inside = ((places >= -0.5) & (places < np.array(size[::-1]) - 0.5)).all(axis=1)
    x, y = np.floor(places[inside] + 0.5).astype(int).T
    depth = np.full(size, np.inf, np.float32)
    np.minimum.at(depth, (y, x), placed[inside, 2].astype(np.float32))
    depth[np.isinf(depth)] = np.nan
    return depth
