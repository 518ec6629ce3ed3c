"""Pairs of frames with known optical flow, from a root laid out as one of five sets."""

from __future__ import annotations

from pathlib import Path

from corr.data.flying_chairs import read_flying_chairs
from corr.data.ground_truth import FlowPair, FlowTruth
from corr.data.kitti import read_kitti_flow_pairs
from corr.data.layouts import refusal
from corr.data.middlebury_flow import read_middlebury_flow
from corr.data.sceneflow_flow import read_sceneflow_flow
from corr.data.sintel import read_sintel

__all__ = ["SETS", "FlowPair", "FlowTruth", "read_flow"]

SETS = ("sintel", "kitti-2012", "kitti-2015", "middlebury-flow", "flying-chairs")
"""Cards of the sets of flow; SceneFlow's, which are of disparity too, are read where they have
`optical_flow`."""


def read_flow(root: Path) -> list[FlowPair]:
    """Every pair below the root, in a fixed order; the layout is recognised.

    Args:
        root: the folder of `training` (Sintel, KITTI), of `data` (FlyingChairs), of `optical_flow`
            (FlyingThings3D, Monkaa, Driving), or of Middlebury's scenes.

    Raises:
        DatasetError: no pair is there (the sentence says which set the root looks like), or a pair
            lacks a file or has an empty one.
    """
    readers = (
        read_sintel,
        read_kitti_flow_pairs,
        read_flying_chairs,
        read_sceneflow_flow,
        read_middlebury_flow,
    )
    found = (reader(root) for reader in readers) if root.is_dir() else iter(())
    pairs = next((pairs for pairs in found if pairs), [])
    if not pairs:
        raise refusal(
            root,
            SETS,
            "'training' with clean and flow (Sintel) or image_0 and flow_occ (KITTI), 'data' with "
            "00001_img1.ppm (FlyingChairs), 'optical_flow' beside 'frames_cleanpass' "
            "(FlyingThings3D), or scenes with frame10.png and flow10.flo (Middlebury)",
        )
    return pairs
