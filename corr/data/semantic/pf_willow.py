"""PF-WILLOW: ten classes of photographs with ten keypoints each.

Source: Ham, Cho, Schmid, Ponce 2016, "Proposal Flow", CVPR,
https://www.di.ens.fr/willow/research/proposalflow/
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from corr.data.layouts import require
from corr.data.semantic.lists import read_rows
from corr.data.semantic.mat import FIRST_PIXEL, read_mat
from corr.data.semantic.pairs import (
    AnnotatedImage,
    SemanticPair,
    box_around,
    drawn_pairs,
    pair_of,
)
from corr.errors import DatasetError

NUM_KEYPOINTS = 10
LISTS = ("test_pairs_pf.csv", "test_pairs.csv")
"""Published pairs, in the root: by Rocco 2017 and others after them."""
_PICTURES = (".png", ".jpg", ".jpeg")
_KEY = "pts_coord"


def is_pf_willow(root: Path) -> bool:
    """Whether folders in it hold `.mat` files beside images."""
    return any(_marks(folder) for folder in root.iterdir() if folder.is_dir())


def read_pf_willow(root: Path, split: str = "test") -> list[SemanticPair]:
    """The pairs of the published list, or seeded ones of each class where there is none.

    Args:
        root: the folder of the classes.
        split: `test`; the set has no other.

    Raises:
        DatasetError: an annotation or an image that it names is missing or damaged.
    """
    if split != "test":
        raise DatasetError(f"PF-WILLOW has no part '{split}'; it is all for 'test'")
    listed = next((root / name for name in LISTS if (root / name).is_file()), None)
    if listed is not None:
        return _listed_pairs(root, listed)
    folders = sorted(folder for folder in root.iterdir() if folder.is_dir() and _marks(folder))
    return [pair for folder in folders for pair in drawn_pairs(folder.name, _images(folder))]


def _marks(folder: Path) -> list[Path]:
    """Annotations of a folder that holds images too; PF-PASCAL keeps them apart."""
    if not any(path.suffix in _PICTURES for path in folder.iterdir()):
        return []
    return sorted(folder.glob("*.mat"))


def _images(folder: Path) -> list[AnnotatedImage]:
    return [_image(folder, path.stem) for path in _marks(folder)]


def _image(folder: Path, stem: str) -> AnnotatedImage:
    marks = require(folder, stem, (".mat",))
    (points,) = read_mat(marks, [_KEY])
    if points.shape != (2, NUM_KEYPOINTS) or not np.isfinite(points).all():
        raise DatasetError(
            f"'{marks}' holds {_KEY} of shape {points.shape}; PF-WILLOW has 2 x 10 finite numbers"
        )
    keypoints = points.T - FIRST_PIXEL
    return AnnotatedImage(require(folder, stem, _PICTURES), marks, keypoints, box_around(keypoints))


def _listed_pairs(root: Path, path: Path) -> list[SemanticPair]:
    """Pairs of images by their names; their keypoints are those of the `.mat` files."""
    seen: dict[str, AnnotatedImage] = {}

    def find(row: Mapping[str, str], key: str) -> tuple[str, AnnotatedImage]:
        *_, group, name = ("", *Path(row[key]).parts)
        if row[key] not in seen:
            seen[row[key]] = _image(root / group, Path(name).stem)
        return group, seen[row[key]]

    pairs = []
    for row in read_rows(path, ("imageA", "imageB")):
        (group, first), (_, second) = find(row, "imageA"), find(row, "imageB")
        pairs.append(pair_of(group, first, second))
    return pairs
