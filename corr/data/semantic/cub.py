"""CUB-200-2011: photographs of birds of 200 species with fifteen parts.

Source: Wah, Branson, Welinder, Perona, Belongie 2011, "The Caltech-UCSD Birds-200-2011 Dataset",
https://www.vision.caltech.edu/datasets/cub_200_2011/
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from corr.data.layouts import require
from corr.data.semantic.lists import read_names, read_numbers
from corr.data.semantic.pairs import AnnotatedImage, SemanticPair, drawn_pairs
from corr.errors import DatasetError

NUM_PARTS = 15
_SPLITS = {"train": 1, "test": 0}
"""What `train_test_split.txt` says of an image of that part."""
_PICTURES = (".jpg", ".jpeg", ".png")


def is_cub(root: Path) -> bool:
    """Whether it holds the tables of the set."""
    return (root / "images.txt").is_file() and (root / "parts").is_dir()


def read_cub(root: Path, split: str = "test") -> list[SemanticPair]:
    """Seeded pairs of each species; the set publishes none.

    Args:
        root: the folder that holds `images.txt` and `images`.
        split: `train` or `test`, by the published split of the images.

    Raises:
        DatasetError: a table or an image that is listed is missing or damaged.
    """
    if split not in _SPLITS:
        raise DatasetError(f"CUB-200-2011 has no part '{split}'; use {' or '.join(_SPLITS)}")
    names = read_names(root / "images.txt")
    in_train = dict(read_numbers(root / "train_test_split.txt", 2))
    labels = dict(read_numbers(root / "image_class_labels.txt", 2))
    boxes = {int(row[0]): row[1:] for row in read_numbers(root / "bounding_boxes.txt", 5)}
    parts = {number: np.full((NUM_PARTS, 2), np.nan) for number in names}
    for number, part, x, y, visible in read_numbers(root / "parts" / "part_locs.txt", 5):
        if visible and number in parts and 1 <= part <= NUM_PARTS:
            parts[int(number)][int(part) - 1] = x, y
    species: dict[int, list[AnnotatedImage]] = {}
    for number, name in names.items():
        if not all(number in table for table in (in_train, labels, boxes)):
            raise DatasetError(f"'{root}' has image {number} in images.txt but not in every table")
        if in_train[number] != _SPLITS[split]:
            continue
        folder = (root / "images" / name).parent
        x, y, width, height = boxes[number]
        image = AnnotatedImage(
            require(folder, Path(name).stem, _PICTURES),
            root / "parts" / "part_locs.txt",
            parts[number],
            np.array([x, y, x + width, y + height]),
        )
        species.setdefault(int(labels[number]), []).append(image)
    return [
        pair
        for label in sorted(species)
        for pair in drawn_pairs(species[label][0].path.parent.name, species[label])
    ]
