"""SceneFlow's three sets, FlyingThings3D, Monkaa and Driving: rendered pairs with disparity.

Source: Mayer et al. 2016, "A large dataset to train convolutional networks for disparity, optical
flow, and scene flow estimation", CVPR,
https://lmb.informatik.uni-freiburg.de/resources/datasets/SceneFlowDatasets.en.html
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Float32

from corr.data.ground_truth import StereoPair, StereoTruth, search_bound
from corr.data.layouts import require, sceneflow_set
from corr.data.middlebury_stereo import occluded_by_consistency
from corr.errors import DatasetError
from corr.formats import read_disparity

PASSES = ("frames_cleanpass", "frames_finalpass")
"""Folders of the pictures without and with the blur of lens and motion."""

IMAGES = (".png", ".webp")
SCENES = ("*", "*/*/*")
"""Where scenes are below a pass: Monkaa's, and those of the other two."""


def read_sceneflow(root: Path) -> list[StereoPair]:
    """Every pair of each pass that is there; none if the root is not laid out so.

    Args:
        root: the folder that holds `disparity` and `frames_cleanpass` or `frames_finalpass`, or
            one of such folders, as FlyingThings3D, Monkaa and Driving beside each other.

    Raises:
        DatasetError: a picture or the left disparity is missing.
    """
    return [pair for found in find_passes(root, "disparity") for pair in _read_pass(*found)]


def find_passes(root: Path, truth: str) -> list[tuple[Path, str, str]]:
    """The passes below a root whose truth is there; none if the root is not laid out so.

    Args:
        root: a folder with passes, or one of such folders.
        truth: name of the folder of the truth, beside the passes.

    Returns:
        Of each the folder that it is in, its name, and what the names of its items begin with.
    """

    def within(folder: Path) -> list[str]:
        known = (folder / truth).is_dir()
        return [name for name in PASSES if known and (folder / name).is_dir()]

    return [(root, name, "") for name in within(root)] or [
        (folder, name, f"{folder.name}/")
        for folder in sorted(root.glob("*/"))
        for name in within(folder)
    ]


def _read_pass(root: Path, name: str, prefix: str) -> list[StereoPair]:
    """The pairs of which this pass has a picture, or the truth is there."""
    frames, maps = root / name, root / "disparity"
    found = {
        (path.parents[1].relative_to(base), path.stem)
        for base, side in ((frames, "left"), (frames, "right"), (maps, "left"))
        for scenes in SCENES
        for path in base.glob(f"{scenes}/{side}/*")
        if path.suffix in (*IMAGES, ".pfm")
    }
    kind = name.removeprefix("frames_").removesuffix("pass")
    group = f"{sceneflow_set(root)}-{kind}"
    pairs = []
    for scene, frame in sorted(found):
        images = [require(frames / scene / side, frame, IMAGES) for side in ("left", "right")]
        truth = require(maps / scene / "left", frame, (".pfm",))
        back = maps / scene / "right" / f"{frame}.pfm"
        files = (truth, back) if back.is_file() else (truth,)
        title = f"{prefix}{kind}/{scene.as_posix()}/{frame}"
        read = partial(_read_truth, *files)
        pairs.append(StereoPair(title, group, images[0], images[1], files, read))
    return pairs


def _read_truth(path: Path, right: Path | None = None) -> StereoTruth:
    disparity = read_disparity(path)
    occluded = None
    if right is not None:
        back = _same_size(path, disparity, right)
        occluded = occluded_by_consistency(disparity, back)
    return StereoTruth(disparity, occluded, search_bound(disparity))


def _same_size(
    path: Path, disparity: Float32[np.ndarray, "H W"], right: Path
) -> Float32[np.ndarray, "H W"]:
    back = read_disparity(right)
    if back.shape != disparity.shape:
        raise DatasetError(f"'{path}' and '{right}' differ in size")
    return back
