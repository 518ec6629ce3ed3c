"""COLMAP's text model: cameras, images with their poses, and sparse points with their tracks.

COLMAP puts the centre of the top-left pixel at (0.5, 0.5); here it is at (0, 0), as everywhere.

Source: https://colmap.github.io/format.html#text-format and, for the cameras' parameters,
`src/colmap/sensor/models.h`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import Float64, Int64

from corr.data.cameras import Camera
from corr.errors import DatasetError

FILES = ("cameras.txt", "images.txt", "points3D.txt")
MODEL_FOLDERS = (".", "sparse", "sparse/0")
"""Where the model lies below its root; the first one that holds it is read."""

_PARAMETERS = {
    "SIMPLE_PINHOLE": ("f", "cx", "cy"),
    "PINHOLE": ("fx", "fy", "cx", "cy"),
    "SIMPLE_RADIAL": ("f", "cx", "cy", "k1"),
    "RADIAL": ("f", "cx", "cy", "k1", "k2"),
    "OPENCV": ("fx", "fy", "cx", "cy", "k1", "k2", "p1", "p2"),
}


@dataclass(frozen=True, eq=False)
class PosedImage:
    """One image of a model."""

    name: str
    """Of its file, below the folder of the images."""
    size: tuple[int, int]
    """(height, width)."""
    camera: Camera
    pose: Float64[np.ndarray, "4 4"]
    """Takes points from the frame of the model to that of the camera."""
    seen: Int64[np.ndarray, " N"]
    """The rows of the model's points that were found in it, rising."""


@dataclass(frozen=True, eq=False)
class SparseModel:
    """What structure from motion makes of photographs."""

    images: list[PosedImage]
    """By name."""
    points: Float64[np.ndarray, "P 3"]


def read_colmap(root: Path, *, max_error: float) -> SparseModel:
    """The model below a root.

    Args:
        root: a folder of `cameras.txt`, `images.txt` and `points3D.txt`, or of `sparse` or
            `sparse/0` with them.
        max_error: px; points whose mean reprojection error is larger are left out.

    Raises:
        DatasetError: a file is missing, or a line cannot be understood.
    """
    folder = _model_folder(root)
    cameras = dict(_camera(*line) for line in _lines(folder / FILES[0]))
    points: list[list[float]] = []
    seen: dict[int, list[int]] = {}
    for path, number, words in _lines(folder / FILES[2]):
        try:
            place, error = [float(word) for word in words[1:4]], float(words[7])
            track = [int(word) for word in words[8::2]]
        except (ValueError, IndexError) as fault:
            raise _damaged(path, number, "ID, X, Y, Z, R, G, B, ERROR and a track") from fault
        if error > max_error:
            continue
        for image in track:
            seen.setdefault(image, []).append(len(points))
        points.append(place)
    images = []
    for path, number, words in _every_other(_lines(folder / FILES[1], keep_empty=True)):
        try:
            image, camera = int(words[0]), cameras[int(words[8])]
            pose = _pose(np.array(words[1:8], float))
            name = " ".join(words[9:])
        except (ValueError, IndexError) as fault:
            raise _damaged(path, number, "ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA, NAME") from fault
        except KeyError as fault:
            raise DatasetError(f"'{path}', line {number}: there is no camera {fault}") from fault
        rows = np.unique(np.array(seen.get(image, []), np.int64))
        images.append(PosedImage(name, camera[0], camera[1], pose, rows))
    images.sort(key=lambda image: image.name)
    return SparseModel(images, np.array(points, float).reshape(-1, 3))


def _model_folder(root: Path) -> Path:
    for name in MODEL_FOLDERS:
        folder = root / name
        there = [file for file in FILES if (folder / file).is_file()]
        if len(there) == len(FILES):
            return folder
        if there:
            missing = next(file for file in FILES if file not in there)
            raise DatasetError(f"'{folder}' is a model of COLMAP without '{missing}'")
        if (folder / "points3D.bin").is_file():
            raise DatasetError(
                f"'{folder}' holds a binary model of COLMAP; convert it by "
                "'colmap model_converter --output_type TXT'"
            )
    raise DatasetError(
        f"'{root}' holds no model of COLMAP; expected {', '.join(FILES)} in it, or in "
        "'sparse' or 'sparse/0' below it"
    )


def _lines(path: Path, *, keep_empty: bool = False) -> Iterator[tuple[Path, int, list[str]]]:
    """The path, and the number and the words of each line that is no comment."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            words = line.split()
            if (words or keep_empty) and not line.startswith("#"):
                yield path, number, words


def _every_other(
    lines: Iterator[tuple[Path, int, list[str]]],
) -> Iterator[tuple[Path, int, list[str]]]:
    """The first line of each image; the second lists its keypoints, and may be empty."""
    for line in lines:
        if line[2]:
            yield line
            next(lines, None)


def _camera(
    path: Path, number: int, words: list[str]
) -> tuple[int, tuple[tuple[int, int], Camera]]:
    try:
        camera, model, size = int(words[0]), words[1], (int(words[3]), int(words[2]))
        values = [float(word) for word in words[4:]]
    except (ValueError, IndexError) as fault:
        raise _damaged(path, number, "ID, MODEL, WIDTH, HEIGHT and parameters") from fault
    if model not in _PARAMETERS:
        raise DatasetError(
            f"'{path}', line {number}: camera model {model} is not read; use "
            f"{', '.join(_PARAMETERS)}, or the images that 'colmap image_undistorter' makes"
        )
    if len(values) != len(_PARAMETERS[model]):
        raise _damaged(path, number, f"the parameters {', '.join(_PARAMETERS[model])}")
    given = dict(zip(_PARAMETERS[model], values, strict=True))
    fx, fy = given.get("fx", given.get("f", 0.0)), given.get("fy", given.get("f", 0.0))
    intrinsics = np.array([[fx, 0, given["cx"] - 0.5], [0, fy, given["cy"] - 0.5], [0, 0, 1]])
    bent = np.array([given.get(name, 0.0) for name in ("k1", "k2", "p1", "p2")])
    return camera, (size, Camera(intrinsics, bent if bent.any() else None))


def _pose(values: Float64[np.ndarray, " 7"]) -> Float64[np.ndarray, "4 4"]:
    """From a quaternion, its real part first, and a translation."""
    w, axis = values[0], values[1:4]
    angle = 2 * np.arctan2(np.linalg.norm(axis), w)
    length = max(float(np.linalg.norm(axis)), 1e-300)
    pose = np.eye(4)
    pose[:3, :3] = cv2.Rodrigues(axis / length * angle)[0]
    pose[:3, 3] = values[4:]
    return pose


def _damaged(path: Path, number: int, wanted: str) -> DatasetError:
    return DatasetError(f"'{path}', line {number} cannot be understood; it has to hold {wanted}")
