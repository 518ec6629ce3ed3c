"""MPI Sintel: flow between the frames of a rendered film, in a clean and a final pass.

Source: Butler et al. 2012, "A naturalistic open source movie for optical flow evaluation", ECCV,
http://sintel.is.tue.mpg.de
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from corr.data.ground_truth import FlowPair, FlowTruth
from corr.data.layouts import require
from corr.errors import DatasetError
from corr.formats import read_flo, read_image

PASSES = ("clean", "final")


def read_sintel(root: Path) -> list[FlowPair]:
    """Consecutive frames of each pass that is there; none if the root is not laid out so.

    Args:
        root: the folder that holds `training`, or `training` itself.

    Raises:
        DatasetError: a frame, a flow field or a mask is missing.
    """
    training = root / "training" if (root / "training").is_dir() else root
    passes = [name for name in PASSES if (training / name).is_dir()]
    if not passes or not any((training / name).is_dir() for name in ("flow", "occlusions")):
        return []
    return [pair for name in passes for pair in _read_pass(training, name)]


def _read_pass(training: Path, name: str) -> list[FlowPair]:
    pairs = []
    for scene in sorted(path.name for path in (training / name).iterdir() if path.is_dir()):
        frames = training / name / scene
        fields = training / "flow" / scene
        numbers = sorted(
            {_number(path) for path in frames.glob("frame_*.png")}
            | {_number(path) for path in fields.glob("frame_*.flo")}
        )
        for number in numbers:
            if number == numbers[-1] and not (fields / f"frame_{number:04d}.flo").is_file():
                continue  # the last frame moves nowhere
            stem = f"frame_{number:04d}"
            images = (
                require(frames, stem, (".png",)),
                require(frames, f"frame_{number + 1:04d}", (".png",)),
            )
            flow = require(fields, stem, (".flo",))
            masks = [
                require(training / kind / scene, stem, (".png",))
                if (training / kind).is_dir()
                else None
                for kind in ("occlusions", "invalid")
            ]
            files = (flow, *(mask for mask in masks if mask is not None))
            read = partial(_read_truth, flow, *masks)
            pairs.append(FlowPair(f"{name}/{scene}/{stem}", name, *images, files, read))
    return pairs


def _number(path: Path) -> int:
    digits = path.stem.removeprefix("frame_")
    if not digits.isdigit():
        raise DatasetError(f"'{path}' has no number; Sintel's frames are frame_0001, ...")
    return int(digits)


def _read_truth(path: Path, occlusions: Path | None, invalid: Path | None) -> FlowTruth:
    flow = read_flo(path)
    if invalid is not None:
        flow[_read_mask(invalid, path, flow)] = np.nan
    occluded = None
    if occlusions is not None:
        occluded = _read_mask(occlusions, path, flow) & np.isfinite(flow).all(axis=2)
    return FlowTruth(flow, occluded)


def _read_mask(path: Path, flow_path: Path, flow: np.ndarray) -> np.ndarray:
    mask = read_image(path)[..., 0] > 127
    if mask.shape != flow.shape[:2]:
        raise DatasetError(f"'{path}' and '{flow_path}' differ in size")
    return mask
