"""KITTI 2012 and 2015: stereo and flow of the training frames `*_10.png`.

Source: the development kits, https://www.cvlibs.net/datasets/kitti/eval_scene_flow.php
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np

from corr.data.ground_truth import FlowPair, FlowTruth, StereoPair, StereoTruth, search_bound
from corr.data.layouts import require
from corr.errors import DatasetError
from corr.formats import read_kitti_disparity, read_kitti_flow

_CAMERAS = (("colored_0", "colored_1"), ("image_0", "image_1"), ("image_2", "image_3"))
"""Folders of the left and right images: 2012 in colour and grey, 2015."""


def read_kitti_stereo(root: Path) -> list[StereoPair]:
    """The pairs of every frame, by name; none if the root is not laid out so.

    Args:
        root: the folder that holds `training`, or `training` itself.

    Raises:
        DatasetError: a frame lacks an image or its ground truth.
    """
    folder = _training(root)
    left, right = _cameras(folder)
    suffix = "_0" if _year(folder) == "kitti-2015" else ""
    occ, noc = folder / f"disp_occ{suffix}", folder / f"disp_noc{suffix}"
    if not (occ.is_dir() or noc.is_dir() or right.is_dir()):
        return []
    pairs = []
    for frame in _frames(left, right, occ, noc):
        images = require(left, frame, (".png",)), require(right, frame, (".png",))
        files = _truth_files(occ, noc, frame)
        read = partial(_read_disparity, *files)
        pairs.append(StereoPair(frame, _year(folder), *images, files, read))
    return pairs


def read_kitti_flow_pairs(root: Path) -> list[FlowPair]:
    """The pairs of frames `_10` and `_11` of the left camera; none if not laid out so.

    Args:
        root: the folder that holds `training`, or `training` itself.

    Raises:
        DatasetError: a frame lacks its successor or its ground truth.
    """
    folder = _training(root)
    left, _ = _cameras(folder)
    occ, noc = folder / "flow_occ", folder / "flow_noc"
    if not (occ.is_dir() or noc.is_dir()):
        return []
    pairs = []
    for frame in _frames(left, occ, noc):
        following = f"{frame.removesuffix('_10')}_11"
        images = require(left, frame, (".png",)), require(left, following, (".png",))
        files = _truth_files(occ, noc, frame)
        pairs.append(FlowPair(frame, _year(folder), *images, files, partial(_read_flow, *files)))
    return pairs


def _training(root: Path) -> Path:
    return root / "training" if (root / "training").is_dir() else root


def _year(folder: Path) -> str:
    later = ("image_2", "disp_occ_0", "disp_noc_0")
    return "kitti-2015" if any((folder / name).is_dir() for name in later) else "kitti-2012"


def _cameras(folder: Path) -> tuple[Path, Path]:
    """The folders of the images; where there are several, colour is read."""
    there = [pair for pair in _CAMERAS if any((folder / name).is_dir() for name in pair)]
    fallback = _CAMERAS[2] if _year(folder) == "kitti-2015" else _CAMERAS[1]
    left, right = there[0] if there else fallback
    return folder / left, folder / right


def _frames(*folders: Path) -> Iterable[str]:
    """Every frame that any of the folders has a file of."""
    return sorted({path.stem for folder in folders for path in folder.glob("*_10.png")})


def _truth_files(occ: Path, noc: Path, frame: str) -> tuple[Path, ...]:
    """The map with the occluded pixels, and the one without where the set was copied with it."""
    files = (require(occ, frame, (".png",)),)
    return (*files, require(noc, frame, (".png",))) if noc.is_dir() else files


def _read_disparity(occ: Path, noc: Path | None = None) -> StereoTruth:
    disparity = read_kitti_disparity(occ)
    occluded = None
    if noc is not None:
        occluded = _occluded(occ, disparity, noc, read_kitti_disparity(noc))
    return StereoTruth(disparity, occluded, search_bound(disparity))


def _read_flow(occ: Path, noc: Path | None = None) -> FlowTruth:
    flow = read_kitti_flow(occ)
    occluded = None
    if noc is not None:
        occluded = _occluded(occ, flow[..., 0], noc, read_kitti_flow(noc)[..., 0])
    return FlowTruth(flow, occluded)


def _occluded(occ: Path, everywhere: np.ndarray, noc: Path, seen: np.ndarray) -> np.ndarray:
    if everywhere.shape != seen.shape:
        raise DatasetError(f"'{occ}' and '{noc}' differ in size")
    occluded: np.ndarray = np.isfinite(everywhere) & ~np.isfinite(seen)
    return occluded
