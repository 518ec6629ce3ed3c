"""Readers of images related by known homographies: Oxford affine, HPatches and EVD."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from corr.data.layouts import PICTURES, refusal, require, scene_folders
from corr.errors import DatasetError

SETS = ("oxford-affine", "hpatches-sequences", "evd")
"""Cards of the sets that are read."""

NUM_IMAGES = 6
"""Images of a sequence of Oxford affine and HPatches."""


@dataclass(frozen=True, eq=False)
class HomographyPair:
    """Two photographs of one scene, and the homography that maps the first to the second."""

    sequence: str
    """Name of the sequence, which is that of its folder; `evd` for all pairs of EVD."""
    path0: Path
    path1: Path
    homography_0to1: Float[np.ndarray, "3 3"]
    """Maps pixels of image 0 to image 1; the centre of the top-left pixel is (0, 0)."""
    truth_file: Path | None = None
    """Where the homography was read."""

    @property
    def name(self) -> str:
        """Such as `boat/1-4` or `evd/graf`."""
        first, second = (path.stem.removeprefix("img") for path in (self.path0, self.path1))
        both = first if first == second else f"{first}-{second}"
        return f"{self.sequence}/{both}"


@dataclass(frozen=True)
class _Layout:
    """How the files of a sequence are called; `{k}` is the number of the second image."""

    image: str
    homography: str
    suffixes: tuple[str, ...]
    """Of the homographies."""

    def pairs(self, folder: Path) -> list[HomographyPair]:
        """Those of one folder; none when it has no homography so called."""
        if not any(folder.glob(self.homography.format(k="[2-6]") + "*")):
            return []
        return [self._pair(folder, k) for k in range(2, NUM_IMAGES + 1)]

    def _pair(self, folder: Path, number: int) -> HomographyPair:
        path0, path1 = (require(folder, self.image.format(k=k)) for k in (1, number))
        file = require(folder, self.homography.format(k=number), self.suffixes)
        return HomographyPair(folder.resolve().name, path0, path1, read_homography(file), file)


_LAYOUTS = (
    _Layout("img{k}", "H1to{k}p", ("", ".txt")),  # Oxford affine, Mikolajczyk et al. 2005
    _Layout("{k}", "H_1_{k}", ("",)),  # HPatches full sequences, Balntas et al. 2017
)


def read_sequences(root: Path) -> list[HomographyPair]:
    """The pairs (1, 2) .. (1, 6) of every sequence found, sorted by folder, and those of EVD.

    Args:
        root: one sequence, the folder of a set, or a folder that holds such folders.

    Raises:
        DatasetError: no sequence is there (the sentence says which set the root looks like), a file
            of one is missing or empty, or a matrix is damaged.
    """
    folders = scene_folders(root) if root.is_dir() else []
    pairs = [pair for folder in folders for pair in _read_folder(folder)]
    if not pairs:
        raise refusal(
            root,
            SETS,
            "folders of img1.png .. img6.png with H1to2p .. H1to6p (Oxford affine), of 1.png .. "
            "6.png with H_1_2 .. H_1_6 (HPatches), or 1/NAME.png, 2/NAME.png and h/NAME.txt (EVD); "
            "png, ppm or pgm",
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


def _read_folder(folder: Path) -> list[HomographyPair]:
    """The pairs of one folder; none when it is not laid out as a sequence or as EVD."""
    found = (layout.pairs(folder) for layout in _LAYOUTS)
    return next((pairs for pairs in found if pairs), None) or _read_evd(folder)


def _read_evd(folder: Path) -> list[HomographyPair]:
    """The pairs of EVD, Mishkin et al. 2015; none when the folder is not laid out so."""
    first, second, matrices = (folder / name for name in ("1", "2", "h"))
    if not (matrices.is_dir() and (first.is_dir() or second.is_dir())):
        return []
    images = [path for base in (first, second) for path in base.glob("*")]
    names = {path.stem for path in images if path.suffix in PICTURES}
    names |= {path.stem for path in matrices.glob("*.txt")}
    pairs = []
    for name in sorted(names):
        path0, path1 = require(first, name), require(second, name)
        file = require(matrices, name, (".txt",))
        pairs.append(HomographyPair("evd", path0, path1, read_homography(file), file))
    return pairs
