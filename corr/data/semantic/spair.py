"""SPair-71k: eighteen classes, with changes of viewpoint, scale, truncation and occlusion.

Source: Min, Lee, Ponce, Cho 2019, "SPair-71k: A Large-scale Benchmark for Semantic
Correspondence", arXiv 1908.10543, https://cvlab.postech.ac.kr/research/SPair-71k/
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from corr.data.layouts import require
from corr.data.semantic.lists import read_json
from corr.data.semantic.pairs import SemanticPair, SemanticTruth
from corr.errors import DatasetError

_SPLITS = {"train": "trn", "val": "val", "test": "test"}
_KEYS = ("src_imname", "trg_imname", "category", "src_kps", "trg_kps", "src_bndbox", "trg_bndbox")
_PICTURES = (".jpg", ".jpeg", ".png")


def is_spair(root: Path) -> bool:
    """Whether it holds annotations of pairs."""
    return (root / "PairAnnotation").is_dir()


def read_spair(root: Path, split: str = "test") -> list[SemanticPair]:
    """The pairs that `Layout/large` lists, or all that are annotated where there is no list.

    Args:
        root: the folder that holds `PairAnnotation` and `JPEGImages`.
        split: `train`, `val` or `test`.

    Raises:
        DatasetError: an annotation or an image that is named is missing or damaged.
    """
    if split not in _SPLITS:
        raise DatasetError(f"SPair-71k has no part '{split}'; use {', '.join(_SPLITS)}")
    folder = root / "PairAnnotation" / _SPLITS[split]
    listed = root / "Layout" / "large" / f"{_SPLITS[split]}.txt"
    if listed.exists():
        require(listed.parent, listed.stem, (".txt",))
        names = listed.read_text(encoding="utf-8").split()
        paths = [_annotation(folder, name) for name in names]
    else:
        paths = sorted(folder.glob("*.json"))
    return [_pair(root, path) for path in paths]


def _annotation(folder: Path, name: str) -> Path:
    """The file of a line such as `000001-2007_000027-2007_000032:aeroplane`.

    Where a colon may not be in a name, unpackers write another sign.
    """
    other = folder / f"{name.replace(':', '_')}.json"
    return other if other.is_file() else folder / f"{name}.json"


def _pair(root: Path, path: Path) -> SemanticPair:
    content = read_json(path, _KEYS)
    group = str(content["category"])
    names = [Path(content[key]) for key in ("src_imname", "trg_imname")]
    image0, image1 = (require(root / "JPEGImages" / group, n.stem, _PICTURES) for n in names)
    try:
        points = [np.array(content[k], np.float64).reshape(-1, 2) for k in _KEYS[3:5]]
        boxes = [np.array(content[k], np.float64).reshape(4) for k in _KEYS[5:7]]
    except (ValueError, TypeError) as error:
        raise DatasetError(
            f"'{path}' holds keypoints or boxes that are not numbers (N x 2, 4)"
        ) from error
    if len(points[0]) != len(points[1]):
        raise DatasetError(
            f"'{path}' has {len(points[0])} keypoints in one image and {len(points[1])} in the "
            "other; they belong together row by row"
        )
    truth = SemanticTruth(points[0], points[1], boxes[0], boxes[1])
    mirror = content.get("mirror")
    return SemanticPair(
        f"{group}/{names[0].stem}-{names[1].stem}",
        group,
        image0,
        image1,
        (path,),
        lambda: truth,
        None if mirror is None else bool(mirror),
    )
