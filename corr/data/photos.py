"""Photographs to train on: which files, and their pixels."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from corr.errors import DatasetError, ImageError, MissingExtraError
from corr.formats.images import read_image

Picture = UInt8[np.ndarray, "_ _ 3"]

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp")

INSTALLED_TRAIN = (
    "brick.png",
    "camera.png",
    "coffee.png",
    "coins.png",
    "grass.png",
    "gravel.png",
    "rocket.jpg",
)
"""Photographs in the wheel of scikit-image: too few and too small for more than a first try."""

INSTALLED_VAL = ("astronaut.png", "chelsea.png")
"""Those held out. The stereo pair of a motorcycle is left to evaluation alone."""


def find_photos(
    folder: str | Path | None = None, val_folder: str | Path | None = None
) -> tuple[list[Path], list[Path]]:
    """The photographs to train on, and those held out for validation.

    Args:
        folder: where to look, in folders below it too; those that scikit-image installs when not
            given.
        val_folder: those held out; when not given, every tenth photo of `folder` by name, from the
            first, and at least one.

    Raises:
        DatasetError: a folder is missing, or holds too few photographs.
    """
    if folder is None:
        if val_folder is not None:
            raise DatasetError(f"val_folder is '{val_folder}' without a folder; give both")
        return _installed(INSTALLED_TRAIN), _installed(INSTALLED_VAL)
    found = list_photos(folder)
    if val_folder is not None:
        return found, list_photos(val_folder)
    if len(found) < 2:
        raise DatasetError(f"folder '{folder}' holds 1 photo; 2 or more are needed to hold one out")
    held_out = found[::10]
    return [path for path in found if path not in set(held_out)], held_out


class Photos(Sequence[Picture]):
    """Photographs in memory, all read once, in RGB.

    Args:
        paths: files to read.
        max_side: larger ones are reduced to this length, px.

    Raises:
        DatasetError: a file is not a readable image.
    """

    def __init__(self, paths: Sequence[Path], max_side: int = 768) -> None:
        self.paths = tuple(paths)
        self._pixels = [read_photo(path, max_side) for path in paths]

    def __len__(self) -> int:
        return len(self._pixels)

    def __getitem__(self, index: int) -> UInt8[np.ndarray, "H W 3"]:  # type: ignore[override]  # no slices
        return self._pixels[index]


def read_photo(path: Path, max_side: int) -> UInt8[np.ndarray, "H W 3"]:
    """The photograph in a file, in RGB, reduced where it is longer than `max_side` px.

    Raises:
        DatasetError: the file is not a readable image.
    """
    try:
        photo = read_image(path)
    except ImageError as error:
        raise DatasetError(f"a photo to train on cannot be used: {error}") from error
    reduction = max_side / max(photo.shape[:2])
    if reduction >= 1:
        return photo
    height, width = (max(1, round(side * reduction)) for side in photo.shape[:2])
    reduced: UInt8[np.ndarray, "H W 3"] = cv2.resize(
        photo, (width, height), interpolation=cv2.INTER_AREA
    )
    return reduced


def list_photos(folder: str | Path) -> list[Path]:
    """The photographs of a folder and of those below it, by name.

    Raises:
        DatasetError: the folder is missing, or holds none.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise DatasetError(f"folder '{folder}' of photos does not exist")
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise DatasetError(f"folder '{folder}' holds no photo; accepted are {', '.join(SUFFIXES)}")
    return found


def _installed(names: Sequence[str]) -> list[Path]:
    package = importlib.util.find_spec("skimage")
    if package is None or package.origin is None:
        raise MissingExtraError("the default photos come with scikit-image, which is not installed")
    paths = [Path(package.origin).parent / "data" / name for name in names]
    missing = [path.name for path in paths if not path.is_file()]
    if missing:
        raise DatasetError(f"scikit-image has not installed {', '.join(missing)}; give a folder")
    return paths
