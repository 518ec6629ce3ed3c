"""FlyingChairs: rendered chairs that fly over photographs.

Source: Dosovitskiy et al. 2015, "FlowNet: Learning optical flow with convolutional networks", ICCV,
https://lmb.informatik.uni-freiburg.de/resources/datasets/FlyingChairs.en.html
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from corr.data.ground_truth import FlowPair, FlowTruth
from corr.data.layouts import require
from corr.errors import DatasetError
from corr.formats import read_flo

SPLIT_FILES = ("FlyingChairs_train_val.txt", "chairs_split.txt")
"""Names of the published list: line n is 1 where pair n is for training, 2 for validation."""

_IMAGES = (".ppm", ".png")
_PARTS = ("_img1.ppm", "_img1.png", "_img2.ppm", "_img2.png", "_flow.flo")


def read_flying_chairs(root: Path) -> list[FlowPair]:
    """Every pair, by number; none if the root is not laid out so.

    Their group is `train` or `val` where a list of the split lies in the root or beside the files,
    else `flying-chairs`.

    Args:
        root: the folder that holds `data`, or the one with the files.

    Raises:
        DatasetError: a pair lacks an image or its flow, or the list does not fit.
    """
    folder = root / "data" if (root / "data").is_dir() else root
    names = {path.name for path in folder.iterdir()}
    numbers = sorted({name.rpartition("_")[0] for name in names if name.endswith(_PARTS)})
    if not numbers:
        return []
    groups = _groups(root, folder)
    pairs = []
    for number in numbers:
        images = (
            require(folder, f"{number}_img1", _IMAGES),
            require(folder, f"{number}_img2", _IMAGES),
        )
        flow = require(folder, f"{number}_flow", (".flo",))
        group = _group(groups, number) if groups is not None else "flying-chairs"
        read = partial(_read_truth, flow)
        pairs.append(FlowPair(number, group, *images, (flow,), read))
    return pairs


def _groups(root: Path, folder: Path) -> tuple[Path, list[str]] | None:
    paths = (base / name for base in (root, folder) for name in SPLIT_FILES)
    path = next((path for path in paths if path.is_file()), None)
    if path is None:
        return None
    words = path.read_text(errors="replace").split()
    if not words or set(words) - {"1", "2"}:
        raise DatasetError(f"'{path}' is not a list of 1 (train) and 2 (val), one a line")
    return path, words


def _group(groups: tuple[Path, list[str]], number: str) -> str:
    path, words = groups
    if not number.isdigit() or not 1 <= int(number) <= len(words):
        raise DatasetError(f"'{path}' has {len(words)} lines, none for pair '{number}'")
    return "train" if words[int(number) - 1] == "1" else "val"


def _read_truth(path: Path) -> FlowTruth:
    return FlowTruth(read_flo(path), None)
