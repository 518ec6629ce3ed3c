"""Middlebury's optical flow: frames 10 and 11 of the scenes whose ground truth is published.

Source: Baker et al. 2011, "A database and evaluation methodology for optical flow", IJCV 92,
https://vision.middlebury.edu/flow/data/
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from corr.data.ground_truth import FlowPair, FlowTruth
from corr.data.layouts import find, require, scene_folders
from corr.errors import DatasetError
from corr.formats import read_flo

_WITHOUT_TRUTH = ("Beanbags", "DogDance", "MiniCooper", "Walking")
"""Scenes of `other-data` whose ground truth is not published."""


def read_middlebury_flow(root: Path) -> list[FlowPair]:
    """The pairs of every scene at most two folders below the root; none if none is.

    The flow lies beside the frames, or in a folder of the scene's name in `other-gt-flow` or
    `flow`, beside or above the scenes' folder.

    Raises:
        DatasetError: a scene lacks a frame or its flow.
    """
    pairs = []
    for folder in scene_folders(root):
        if not (find(folder, "frame10") or find(folder, "frame11")):
            if find(folder, "flow10", (".flo",)):
                _check_frames(root, folder)
            continue
        scene = folder.resolve().name
        flow_folder = _flow_folder(folder, scene)
        if flow_folder is None:
            if scene in _WITHOUT_TRUTH or folder.parent.name.startswith("eval-"):
                continue
            raise DatasetError(
                f"'{folder}' has frames without ground truth: there is no 'flow10.flo' in it, in "
                f"'other-gt-flow/{scene}' or in 'flow/{scene}'"
            )
        images = require(folder, "frame10"), require(folder, "frame11")
        flow = require(flow_folder, "flow10", (".flo",))
        name = folder.relative_to(root).as_posix() if folder.parent != root.parent else scene
        name = name.removeprefix("other-data/")
        read = partial(_read_truth, flow)
        pairs.append(FlowPair(name, "middlebury-flow", *images, (flow,), read))
    return pairs


def _flow_folder(folder: Path, scene: str) -> Path | None:
    above = [folder.parent, folder.parent.parent]
    others = [base / name / scene for base in above for name in ("other-gt-flow", "flow")]
    return next((path for path in (folder, *others) if find(path, "flow10", (".flo",))), None)


def _check_frames(root: Path, folder: Path) -> None:
    """Refuse a flow field whose scene has no frames."""
    scene = folder.name
    for base in (root, root / "other-data", folder.parent.parent):
        if find(base / scene, "frame10") or find(base / scene, "frame11"):
            return
    raise DatasetError(f"'{folder}' has 'flow10.flo', but no folder '{scene}' has 'frame10.png'")


def _read_truth(path: Path) -> FlowTruth:
    return FlowTruth(read_flo(path), None)
