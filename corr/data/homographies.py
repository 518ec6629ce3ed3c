"""Readers of image sequences related by known homographies: Oxford affine and HPatches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from corr.errors import DatasetError

NUM_IMAGES = 6
"""Images of a sequence, in both layouts."""

SUFFIXES = (".png", ".ppm", ".pgm")
"""Accepted image formats; the first one found is read."""


@dataclass(frozen=True, eq=False)
class HomographyPair:
    """Two photographs of one scene, and the homography that maps the first to the second."""

    sequence: str
    """Name of the sequence, which is that of its folder."""
    path0: Path
    path1: Path
    homography_0to1: Float[np.ndarray, "3 3"]
    """Maps pixels of image 0 to image 1; the centre of the top-left pixel is (0, 0)."""

    @property
    def name(self) -> str:
        """Such as `boat/1-4`."""
        first, second = (path.stem.removeprefix("img") for path in (self.path0, self.path1))
        return f"{self.sequence}/{first}-{second}"


@dataclass(frozen=True)
class _Layout:
    """How the files of a sequence are called; `{k}` is the number of the second image."""

    image: str
    homographies: tuple[str, ...]

    def find_image(self, folder: Path, number: int) -> Path | None:
        names = (self.image.format(k=number) + suffix for suffix in SUFFIXES)
        return next((folder / name for name in names if (folder / name).is_file()), None)

    def find_homography(self, folder: Path, number: int) -> Path | None:
        names = (name.format(k=number) for name in self.homographies)
        return next((folder / name for name in names if (folder / name).is_file()), None)


_LAYOUTS = (
    _Layout("img{k}", ("H1to{k}p", "H1to{k}p.txt")),  # Oxford affine, Mikolajczyk et al. 2005
    _Layout("{k}", ("H_1_{k}",)),  # HPatches full sequences, Balntas et al. 2017
)


def read_sequences(root: Path) -> list[HomographyPair]:
    """The pairs (1, 2) .. (1, 6) of every sequence found, sequences sorted by folder.

    Args:
        root: one sequence, the folder of a set, or a folder that holds such folders.

    Raises:
        DatasetError: no sequence is there, a file of one is missing, or a matrix is damaged.
    """
    if not root.is_dir():
        raise DatasetError(f"'{root}' is not a folder; give the folder of the sequences")
    candidates = [root]
    for pattern in ("*", "*/*"):
        candidates += sorted(path for path in root.glob(pattern) if path.is_dir())
    pairs = [pair for folder in candidates for pair in _read_sequence(folder)]
    if not pairs:
        raise DatasetError(
            f"'{root}' holds no sequence; expected folders of img1.png .. img6.png with H1to2p .. "
            "H1to6p (Oxford affine), or of 1.png .. 6.png with H_1_2 .. H_1_6 (HPatches), as "
            "png, ppm or pgm"
        )
    return pairs


def read_homography(path: Path) -> Float[np.ndarray, "3 3"]:
    """The 3 x 3 matrix in a text file, signed so that the point (0, 0) lies before its horizon.

    A published matrix has any scale, and sometimes a negative one: leuven's 1 to 5 does.

    Raises:
        DatasetError: the file is not nine finite numbers of an invertible matrix.
    """
    try:
        values = np.array([float(word) for word in path.read_text().split()])
    except (OSError, ValueError) as error:
        raise DatasetError(f"'{path}' is not a text file of numbers: {error}") from error
    if values.shape != (9,) or not np.isfinite(values).all():
        raise DatasetError(f"'{path}' holds {values.size} numbers; a homography is 9 finite ones")
    matrix = values.reshape(3, 3)
    if np.linalg.matrix_rank(matrix) < 3:
        raise DatasetError(f"'{path}' holds a matrix that cannot be inverted")
    return -matrix if matrix[2, 2] < 0 else matrix


def _read_sequence(folder: Path) -> list[HomographyPair]:
    """The pairs of one folder; none when it is not a sequence."""
    for layout in _LAYOUTS:
        path0 = layout.find_image(folder, 1)
        if path0 is not None and layout.find_homography(folder, 2) is not None:
            return [_read_pair(folder, layout, path0, k) for k in range(2, NUM_IMAGES + 1)]
    return []


def _read_pair(folder: Path, layout: _Layout, path0: Path, number: int) -> HomographyPair:
    path1, matrix = layout.find_image(folder, number), layout.find_homography(folder, number)
    if path1 is None or matrix is None:
        missing = layout.image if path1 is None else layout.homographies[0]
        raise DatasetError(
            f"sequence '{folder}' lacks '{missing.format(k=number)}'; a sequence has "
            f"{NUM_IMAGES} images and {NUM_IMAGES - 1} homographies"
        )
    return HomographyPair(folder.name, path0, path1, read_homography(matrix))
