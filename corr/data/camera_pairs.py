"""Pairs of views with known cameras, from a root laid out as one of two sets."""

from __future__ import annotations

from pathlib import Path

from corr.data import posed_pairs, strecha
from corr.data.ground_truth import CameraPair, Cameras
from corr.data.layouts import recognise_all, refusal

SETS = (*strecha.SETS, *posed_pairs.SETS)
"""Cards of the sets that are read."""


def read_camera_pairs(root: Path) -> list[CameraPair]:
    """Every pair below the root, in a fixed order; the layout is recognised.

    Args:
        root: one scene of Strecha's or a folder of them, or what `corr datasets synth posed` wrote.

    Raises:
        DatasetError: no pair is there (the sentence says which set the root looks like), or one
            lacks a file or has a damaged one.
    """
    pairs = strecha.find_strecha(root)
    if not pairs and posed_pairs.SETS[0] in recognise_all(root):
        return [_posed(pair) for pair in posed_pairs.read_posed(root)]
    if not pairs:
        raise refusal(
            root,
            SETS,
            "scenes with images/NAME.jpg and gt_dense_cameras/NAME.jpg.camera (Strecha), or "
            "folders of image0.png, image1.png and cameras.json (corr datasets synth posed)",
        )
    return pairs


def _posed(pair: posed_pairs.PosedPair) -> CameraPair:
    def read(_size0: tuple[int, int], _size1: tuple[int, int]) -> Cameras:
        truth = pair.truth()
        return Cameras(truth.intrinsics, truth.intrinsics, truth.pose_0to1)

    files = (pair.folder / posed_pairs.CAMERAS,)
    name, group = pair.folder.name, posed_pairs.SETS[0]
    return CameraPair(f"{group}/{name}", group, pair.image0, pair.image1, files, read)
