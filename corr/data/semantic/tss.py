"""TSS: dense flow between the foregrounds of two photographs, of three sources.

Source: Taniai, Sinha, Sato 2016, "Joint Recovery of Dense Correspondence and Cosegmentation in Two
Images", CVPR, https://taniai.space/projects/cvpr16_dccs/
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from corr.data.layouts import require
from corr.data.semantic.pairs import SemanticPair, SemanticTruth
from corr.errors import DatasetError
from corr.formats import read_flo, read_image

GROUPS = ("FG3DCar", "JODS", "PASCAL")


def is_tss(root: Path) -> bool:
    """Whether it holds one of the set's three parts."""
    return any((root / group).is_dir() and any((root / group).glob("*/flow*")) for group in GROUPS)


def read_tss(root: Path, split: str = "test") -> list[SemanticPair]:
    """Each pair in both directions, as its authors evaluate it.

    The points are the foreground pixels with known flow. Where `flip_gt.txt` is 1, the published
    flow leads into the mirrored other image; here it leads into the image as it is.

    Args:
        root: the folder that holds `FG3DCar`, `JODS` and `PASCAL`.
        split: `test`; the set has no other.

    Raises:
        DatasetError: a file of a pair is missing or damaged.
    """
    if split != "test":
        raise DatasetError(f"TSS has no part '{split}'; it is all for 'test'")
    folders = [
        folder
        for group in GROUPS
        if (root / group).is_dir()
        for folder in sorted((root / group).iterdir())
        if folder.is_dir()
    ]
    return [pair for folder in folders for pair in _pairs(folder)]


def _pairs(folder: Path) -> list[SemanticPair]:
    images = [require(folder, f"image{k}", (".png",)) for k in (1, 2)]
    masks = [require(folder, f"mask{k}", (".png",)) for k in (1, 2)]
    flows = [require(folder, f"flow{k}", (".flo",)) for k in (1, 2)]
    flip = require(folder, "flip_gt", (".txt",))
    said = flip.read_text(encoding="utf-8", errors="replace").strip()
    if said not in ("0", "1"):
        raise DatasetError(f"'{flip}' says '{said}'; TSS has 0 or 1 there")
    flipped = said == "1"
    group = folder.parent.name
    return [
        SemanticPair(
            f"{group}/{folder.name}-{first + 1}to{2 - first}",
            group,
            images[first],
            images[1 - first],
            (flows[first], masks[first], flip),
            partial(_read_truth, flows[first], masks[first], images[1 - first], flipped),
            flipped,
            has_boxes=False,
        )
        for first in (0, 1)
    ]


def _read_truth(flow_path: Path, mask_path: Path, image1: Path, flipped: bool) -> SemanticTruth:
    flow = read_flo(flow_path)
    mask = read_image(mask_path)[..., 0] > 127
    if mask.shape != flow.shape[:2]:
        raise DatasetError(f"'{mask_path}' and '{flow_path}' differ in size")
    y, x = np.nonzero(mask & np.isfinite(flow).all(axis=2))
    points0 = np.stack((x, y), axis=1).astype(np.float64)
    points1 = points0 + flow[y, x]
    if flipped:
        points1[:, 0] = read_image(image1).shape[1] - 1 - points1[:, 0]
    return SemanticTruth(points0, points1)
