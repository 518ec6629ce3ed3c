"""Views of a building with a file for each camera, as Strecha's outdoor scenes are passed on.

A folder for each scene, in it `images/NAME` and `gt_dense_cameras/NAME.camera`, a text of 26
numbers: K row by row; three of radial distortion, 0 since the images are free of it; R, from the
frame of the camera to the world, row by row; the centre of the camera in the world; width and
height of the image that K is of. Images may be smaller than that: K is brought to their size.

Source: Strecha et al. 2008, "On benchmarking camera calibration and multi-view stereo for high
resolution imagery", CVPR; laid out as https://github.com/openMVG/SfM_quality_evaluation
"""

from __future__ import annotations

from functools import partial
from itertools import combinations
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float64

from corr.data.ground_truth import CameraPair, Cameras
from corr.data.layouts import refusal, require, scene_folders
from corr.errors import DatasetError
from corr.geometry import resize_intrinsics

SETS = ("strecha",)
"""Cards of the sets that are read."""

MAX_APART = 3
"""Views of a pair are at most so many apart, in the order of their names."""

_IMAGES, _CAMERAS, _SUFFIX = "images", "gt_dense_cameras", ".camera"
_PICTURES = (".jpg", ".png", ".ppm")
_EXPECTED = f"scenes with {_IMAGES}/NAME.jpg and {_CAMERAS}/NAME.jpg.camera"
_NUM_NUMBERS = 26
_CLOSE = 1e-3
"""How far a published rotation is from orthonormal at most."""


class Camera(NamedTuple):
    """What one file says."""

    path: Path
    intrinsics: Float64[np.ndarray, "3 3"]
    to_world: Float64[np.ndarray, "4 4"]
    """Takes points from the frame of the camera to the world."""
    size: tuple[int, int]
    """(height, width) of the image that the intrinsics are of."""


class View(NamedTuple):
    """A picture and the camera that took it."""

    image: Path
    camera: Camera

    def intrinsics_of(self, size: tuple[int, int]) -> Float64[np.ndarray, "3 3"]:
        """K of the picture, which is the camera's image resized to (height, width).

        Raises:
            DatasetError: a picture of that size has other proportions.
        """
        camera = self.camera
        (height, width), (of_height, of_width) = size, camera.size
        off = abs(height - width * of_height / of_width), abs(width - height * of_width / of_height)
        if min(off) >= 1:  # more than whole pixels make necessary
            raise DatasetError(
                f"'{self.image}' has {width} x {height} pixels, and '{camera.path}' is of an "
                f"image of {of_width} x {of_height}; use that image, or one resized "
                "in its proportions"
            )
        return resize_intrinsics(torch.from_numpy(camera.intrinsics), camera.size, size).numpy()


def read_strecha(root: Path) -> list[CameraPair]:
    """All pairs of views of each scene that are at most `MAX_APART` apart, nearest ones first.

    Args:
        root: one scene, or a folder that holds scenes.

    Raises:
        DatasetError: no scene is there (the sentence says which set the root looks like), or one
            lacks a file or has a damaged one.
    """
    pairs = find_strecha(root)
    if not pairs:
        raise refusal(root, SETS, _EXPECTED)
    return pairs


def read_views(root: Path) -> list[View]:
    """Every picture of every scene with its camera, in the order of their names.

    Args:
        root: as `read_strecha` takes it.

    Raises:
        DatasetError: no scene is there, a picture lacks its camera or a camera its picture, or a
            camera is damaged.
    """
    folders = scene_folders(root) if root.is_dir() else []
    views = [view for folder in folders for view in _scene_views(folder)]
    if not views:
        raise refusal(root, SETS, _EXPECTED)
    return views


def find_strecha(root: Path) -> list[CameraPair]:
    """As `read_strecha`; none if the root is not laid out so."""
    folders = scene_folders(root) if root.is_dir() else []
    return [
        pair for folder in folders if (folder / _CAMERAS).is_dir() for pair in _scene_pairs(folder)
    ]


def read_camera(path: Path) -> Camera:
    """The camera in a file.

    Raises:
        DatasetError: the file is not 26 finite numbers of a camera.
    """
    try:
        numbers = [float(word) for word in path.read_text(encoding="utf-8").split()]
    except (OSError, ValueError) as error:
        raise DatasetError(f"'{path}' is not a text file of numbers: {error}") from error
    if len(numbers) != _NUM_NUMBERS or not np.isfinite(numbers).all():
        raise DatasetError(
            f"'{path}' holds {len(numbers)} numbers; a camera is {_NUM_NUMBERS} finite ones"
        )
    table = np.array(numbers)
    intrinsics, rotation = table[:9].reshape(3, 3), table[12:21].reshape(3, 3)
    width, height = (int(side) for side in table[24:])
    if min(width, height, intrinsics[0, 0], intrinsics[1, 1]) <= 0:
        raise DatasetError(f"'{path}' has a focal length or an image side that is not above 0")
    turns = np.abs(rotation @ rotation.T - np.eye(3)).max() < _CLOSE
    if not turns or np.linalg.det(rotation) < 0:
        raise DatasetError(f"'{path}' has an R that is not a rotation")
    to_world = np.eye(4)
    to_world[:3, :3], to_world[:3, 3] = rotation, table[21:24]
    return Camera(path, intrinsics, to_world, (height, width))


def _scene_pairs(folder: Path) -> list[CameraPair]:
    views, scene = _scene_views(folder), folder.resolve().name
    pairs = []
    for apart in range(1, MAX_APART + 1):
        for (i, first), (j, second) in combinations(enumerate(views), 2):
            if j - i != apart:
                continue
            name = f"{scene}/{first.image.stem}-{second.image.stem}"
            read = partial(_cameras, first, second)
            files = first.camera.path, second.camera.path
            group = f"{scene}, {apart} apart"
            pairs.append(CameraPair(name, group, first.image, second.image, files, read))
    return pairs


def _scene_views(folder: Path) -> list[View]:
    images, cameras = folder / _IMAGES, folder / _CAMERAS
    names = {path.stem for path in images.glob("*") if path.suffix.lower() in _PICTURES}
    names |= {Path(path.stem).stem for path in cameras.glob(f"*{_SUFFIX}")}
    return [_view(images, cameras, name) for name in sorted(names)]


def _view(images: Path, cameras: Path, name: str) -> View:
    """The image of a stem and its camera, whose file also names the image's published suffix."""
    image = require(images, name, _PICTURES)
    suffixes = dict.fromkeys((image.suffix, *_PICTURES))
    return View(
        image, read_camera(require(cameras, name, tuple(f"{s}{_SUFFIX}" for s in suffixes)))
    )


def _cameras(view0: View, view1: View, size0: tuple[int, int], size1: tuple[int, int]) -> Cameras:
    return Cameras(
        view0.intrinsics_of(size0),
        view1.intrinsics_of(size1),
        np.linalg.inv(view1.camera.to_world) @ view0.camera.to_world,
    )
