"""PF-PASCAL: twenty classes of photographs with the parts that are seen in each.

Source: Ham, Cho, Schmid, Ponce 2018, "Proposal Flow: Semantic Correspondences from Object
Proposals", TPAMI 40, https://www.di.ens.fr/willow/research/proposalflow/
"""

from __future__ import annotations

from pathlib import Path

from corr.data.layouts import require
from corr.data.semantic.lists import read_rows
from corr.data.semantic.mat import FIRST_PIXEL, read_mat
from corr.data.semantic.pairs import AnnotatedImage, SemanticPair, drawn_pairs, pair_of
from corr.errors import DatasetError

_SPLITS = {"train": ("trn", "train"), "val": ("val",), "test": ("test",)}
_NAMES = ("{}_pairs_pf_pascal.csv", "{}_pairs.csv", "bbox_{}_pairs_pf_pascal.csv")
"""Lists of pairs, in the root: by Rocco 2017 and Han 2017, and others after them."""
_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow",
    "diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train",
    "tvmonitor",
)  # fmt: skip
"""By their number in the lists, from 1: the classes of PASCAL VOC."""
_PICTURES = (".jpg", ".jpeg", ".png")


def is_pf_pascal(root: Path) -> bool:
    """Whether annotations and images lie in folders so called."""
    return (root / "JPEGImages").is_dir() and any((root / "Annotations").glob("*/*.mat"))


def read_pf_pascal(root: Path, split: str = "test") -> list[SemanticPair]:
    """The pairs of a published list, or seeded ones of each class where there is none.

    Pairs that a list of the training part mirrors are left out: a mirrored copy is no new pair.

    Args:
        root: the folder that holds `Annotations` and `JPEGImages`.
        split: `train`, `val` or `test`.

    Raises:
        DatasetError: an annotation or an image that is named is missing or damaged.
    """
    if split not in _SPLITS:
        raise DatasetError(f"PF-PASCAL has no part '{split}'; use {', '.join(_SPLITS)}")
    names = [name.format(part) for part in _SPLITS[split] for name in _NAMES]
    listed = next((root / name for name in names if (root / name).is_file()), None)
    if listed is not None:
        return _listed_pairs(root, listed)
    if split != "test":
        raise DatasetError(f"'{root}' has no list of pairs such as '{names[0]}'")
    pairs = []
    for folder in sorted(path for path in (root / "Annotations").iterdir() if path.is_dir()):
        marks = sorted(folder.glob("*.mat"))
        images = [_image(root, folder.name, path.stem) for path in marks]
        pairs += drawn_pairs(folder.name, images)
    return pairs


def _listed_pairs(root: Path, path: Path) -> list[SemanticPair]:
    seen: dict[tuple[str, str], AnnotatedImage] = {}
    pairs = []
    for row in read_rows(path, ("source_image", "target_image", "class")):
        try:
            group = _CLASSES[int(float(row["class"])) - 1]
            mirrored = float(row.get("flip") or 0) == 1
        except (ValueError, IndexError) as error:
            raise DatasetError(
                f"'{path}' has class '{row['class']}' and flip '{row.get('flip')}'; "
                f"classes are 1 to {len(_CLASSES)}, flips 0 or 1"
            ) from error
        if mirrored:
            continue
        keys = [(group, Path(row[key]).stem) for key in ("source_image", "target_image")]
        for key in keys:
            if key not in seen:
                seen[key] = _image(root, *key)
        pairs.append(pair_of(group, seen[keys[0]], seen[keys[1]]))
    return pairs


def _image(root: Path, group: str, stem: str) -> AnnotatedImage:
    marks = require(root / "Annotations" / group, stem, (".mat",))
    points, box = read_mat(marks, ("kps", "bbox"))
    if points.ndim != 2 or points.shape[1] != 2 or box.size != 4:
        raise DatasetError(
            f"'{marks}' holds kps of shape {points.shape} and {box.size} numbers of bbox; "
            "PF-PASCAL has N x 2 and 4"
        )
    picture = require(root / "JPEGImages", stem, _PICTURES)
    return AnnotatedImage(picture, marks, points - FIRST_PIXEL, box.ravel() - FIRST_PIXEL)
