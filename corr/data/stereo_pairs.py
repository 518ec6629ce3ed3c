"""Stereo pairs with ground truth, from a root laid out as Middlebury or KITTI published it."""

from __future__ import annotations

from pathlib import Path

from corr.data.ground_truth import StereoPair, StereoTruth
from corr.data.kitti import read_kitti_stereo
from corr.data.layouts import refusal
from corr.data.middlebury_stereo import read_middlebury

__all__ = ["SETS", "StereoPair", "StereoTruth", "read_stereo"]

SETS = ("middlebury-stereo", "middlebury-2014", "middlebury-2021", "kitti-2012", "kitti-2015")
"""Cards of the sets that are read."""


def read_stereo(root: Path) -> list[StereoPair]:
    """Every pair below the root, in a fixed order; the layout is recognised.

    Args:
        root: the folder of KITTI's `training`, or one of Middlebury's scenes, of several, or of
            folders of several.

    Raises:
        DatasetError: no pair is there (the sentence says which set the root looks like), or a pair
            lacks a file or has an empty one.
    """
    pairs = (read_kitti_stereo(root) or read_middlebury(root)) if root.is_dir() else []
    if not pairs:
        raise refusal(
            root,
            SETS,
            "'training' with image_0 and disp_occ (KITTI), or folders of scenes with im2, im6 and "
            "disp2, view1, view5 and disp1, or im0, im1, disp0.pfm and calib.txt (Middlebury)",
        )
    return pairs
