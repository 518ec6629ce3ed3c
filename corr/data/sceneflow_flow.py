"""SceneFlow's three sets, FlyingThings3D, Monkaa and Driving: optical flow between their frames.

Source: Mayer et al. 2016, "A large dataset to train convolutional networks for disparity, optical
flow, and scene flow estimation", CVPR,
https://lmb.informatik.uni-freiburg.de/resources/datasets/SceneFlowDatasets.en.html
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from corr.data.ground_truth import FlowPair, FlowTruth
from corr.data.layouts import require, sceneflow_set
from corr.data.sceneflow import IMAGES, SCENES, find_passes
from corr.errors import DatasetError
from corr.formats.pfm import read_colour_pfm

FLOW = "optical_flow"
_DIRECTIONS = (("into_future", "Future", 1), ("into_past", "Past", -1))
_CAMERAS = ("left", "right")


def read_sceneflow_flow(root: Path) -> list[FlowPair]:
    """Consecutive frames of each pass, camera and direction; none if the root is not laid out so.

    Args:
        root: the folder that holds `optical_flow` and `frames_cleanpass` or `frames_finalpass`, or
            one of such folders, as FlyingThings3D, Monkaa and Driving beside each other.

    Raises:
        DatasetError: a frame is missing, or a file of flow is not named as published.
    """
    return [pair for found in find_passes(root, FLOW) for pair in _read_pass(*found)]


def _read_pass(root: Path, name: str, prefix: str) -> Iterator[FlowPair]:
    kind = name.removeprefix("frames_").removesuffix("pass")
    group = f"{sceneflow_set(root)}-{kind}"
    for folder, word, step in _DIRECTIONS:
        for camera in _CAMERAS:
            for scene in _scenes(root / FLOW, f"{folder}/{camera}"):
                frames = root / name / scene / camera
                fields = root / FLOW / scene / folder / camera
                last = {path.stem for path in frames.glob("*") if path.suffix in IMAGES}
                for path in sorted(fields.glob("*.pfm")):
                    number = _number(path, word, camera)
                    following = f"{int(number) + step:0{len(number)}d}"
                    if following not in last and number in (min(last, default=""), max(last)):
                        continue  # the film begins or ends here
                    images = (require(frames, number, IMAGES), require(frames, following, IMAGES))
                    title = f"{prefix}{kind}/{scene.as_posix()}/{folder}/{camera}/{number}"
                    read = partial(_read_truth, path)
                    yield FlowPair(title, group, *images, (path,), read)


def _scenes(fields: Path, below: str) -> list[Path]:
    found = {path.parents[1] for scenes in SCENES for path in fields.glob(f"{scenes}/{below}/")}
    return sorted(path.relative_to(fields) for path in found)


def _number(path: Path, word: str, camera: str) -> str:
    """Such as 0006 of `OpticalFlowIntoFuture_0006_L.pfm`."""
    start, end = f"OpticalFlowInto{word}_", f"_{camera[0].upper()}"
    number = path.stem.removeprefix(start).removesuffix(end)
    if path.stem != f"{start}{number}{end}" or not number.isdigit():
        raise DatasetError(f"'{path}' has no number; SceneFlow's flow is {start}0006{end}.pfm, ...")
    return number


def _read_truth(path: Path) -> FlowTruth:
    flow = read_colour_pfm(path)[..., :2]
    known = np.isfinite(flow).all(-1, keepdims=True)
    return FlowTruth(np.where(known, flow, np.float32(np.nan)), None)
