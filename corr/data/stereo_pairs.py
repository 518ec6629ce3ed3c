"""Stereo pairs with ground truth, from a root laid out as a published set."""

from __future__ import annotations

from pathlib import Path

from corr.data.eth3d import read_eth3d
from corr.data.ground_truth import StereoPair, StereoTruth
from corr.data.kitti import read_kitti_stereo
from corr.data.layouts import refusal
from corr.data.middlebury_stereo import read_middlebury
from corr.data.sceneflow import read_sceneflow

__all__ = ["SETS", "StereoPair", "StereoTruth", "read_stereo"]

SETS = (
    "middlebury-stereo",
    "middlebury-2014",
    "middlebury-2021",
    "kitti-2012",
    "kitti-2015",
    "flyingthings3d",
    "monkaa",
    "driving",
    "eth3d",
)
"""Cards of the sets that are read."""


def read_stereo(root: Path) -> list[StereoPair]:
    """Every pair below the root, in a fixed order; the layout is recognised.

    Args:
        root: the folder of KITTI's `training`, that of one of SceneFlow's sets or of several, that
            of ETH3D's `two_view_training`, or one of Middlebury's scenes, of several, or of
            folders of several.

    Raises:
        DatasetError: no pair is there (the sentence says which set the root looks like), or a pair
            lacks a file or has an empty one.
    """
    readers = (read_kitti_stereo, read_sceneflow, read_eth3d, read_middlebury)
    found = (reader(root) for reader in readers) if root.is_dir() else iter(())
    pairs = next((pairs for pairs in found if pairs), [])
    if not pairs:
        raise refusal(
            root,
            SETS,
            "'training' with image_0 and disp_occ (KITTI), frames_cleanpass and disparity "
            "(SceneFlow), two_view_training and two_view_training_gt (ETH3D), or folders of scenes "
            "with im2, im6 and disp2, view1, view5 and disp1, or im0, im1, disp0.pfm and calib.txt "
            "(Middlebury)",
        )
    return pairs
