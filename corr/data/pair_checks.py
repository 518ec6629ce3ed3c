"""What `corr datasets verify` does with the parts of a set: read them and judge ground truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from corr.data.brown import read_brown, read_brown_pairs
from corr.data.flow_pairs import read_flow
from corr.data.ground_truth import FlowPair, StereoPair
from corr.data.homographies import HomographyPair, read_sequences
from corr.data.hpatches_patches import PatchStrips, read_hpatches
from corr.data.identities import find_lfw_pairs, read_lfw_pairs
from corr.data.plausibility import disparity_fault, flow_fault, homography_fault
from corr.data.posed_pairs import PosedPair, read_posed
from corr.data.semantic.pairs import SemanticPair
from corr.data.semantic.reader import read_semantic
from corr.data.stereo_pairs import read_stereo
from corr.data.strecha import View, read_views
from corr.errors import DatasetError
from corr.formats import read_image


class PairCheck(NamedTuple):
    """One pair to check, or files that have to fit each other."""

    files: tuple[Path, ...]
    """What the check reads."""
    run: Callable[[], None]
    """Raises a CorrError, one sentence that names the file, when something is wrong."""
    num_pairs: int = 1
    """Image pairs that it judges; none where files are only held against each other."""


def _stereo_checks(root: Path) -> list[PairCheck]:
    return [
        PairCheck((pair.left, pair.right, *pair.truth_files), partial(_check_stereo, pair))
        for pair in read_stereo(root)
    ]


def _flow_checks(root: Path) -> list[PairCheck]:
    return [
        PairCheck((pair.image0, pair.image1, *pair.truth_files), partial(_check_flow, pair))
        for pair in read_flow(root)
    ]


def _posed_checks(root: Path) -> list[PairCheck]:
    return [
        PairCheck(tuple(sorted(pair.folder.iterdir())), partial(_check_posed, pair))
        for pair in read_posed(root)
    ]


def _camera_checks(root: Path) -> list[PairCheck]:
    return [
        PairCheck((view.image, view.camera.path), partial(_check_camera, view), num_pairs=0)
        for view in read_views(root)
    ]


def _homography_checks(root: Path) -> list[PairCheck]:
    return [
        PairCheck((pair.path0, pair.path1), partial(_check_homography, pair))
        for pair in read_sequences(root)
    ]


def _brown_checks(root: Path) -> list[PairCheck]:
    folders = sorted({sheet.parent for sheet in root.glob("*/patches*.bmp")})
    return [
        PairCheck(
            (*folder.glob("patches*.bmp"), folder / "info.txt", *folder.glob("m50_*.txt")),
            partial(_check_brown, folder),
            num_pairs=0,
        )
        for folder in folders
    ]


def _hpatches_checks(root: Path) -> list[PairCheck]:
    return [
        PairCheck(tuple(strips.files.values()), partial(_check_strips, strips), num_pairs=0)
        for strips in read_hpatches(root)
    ]


def _lfw_checks(root: Path) -> list[PairCheck]:
    return [
        PairCheck((path,), partial(_check_lfw_pairs, path, root), num_pairs=0)
        for path in find_lfw_pairs(root)
    ]


def _semantic_checks(root: Path) -> list[PairCheck]:
    return [
        PairCheck((pair.image0, pair.image1, *pair.truth_files), partial(_check_semantic, pair))
        for pair in read_semantic(root)
    ]


CHECKS: Mapping[str, Callable[[Path], list[PairCheck]]] = {
    "corr.data.brown.read_brown": _brown_checks,
    "corr.data.stereo_pairs.read_stereo": _stereo_checks,
    "corr.data.flow_pairs.read_flow": _flow_checks,
    "corr.data.homographies.read_sequences": _homography_checks,
    "corr.data.posed_pairs.read_posed": _posed_checks,
    "corr.data.strecha.read_strecha": _camera_checks,
    "corr.data.hpatches_patches.read_hpatches": _hpatches_checks,
    "corr.data.identities.read_lfw_pairs": _lfw_checks,
    "corr.data.semantic.reader.read_semantic": _semantic_checks,
}
"""Reader on a card -> the checks of every pair that it reads below a root."""


def _check_stereo(pair: StereoPair) -> None:
    left, right, truth = read_image(pair.left), read_image(pair.right), pair.truth()
    _check_size(pair.left, left, pair.right, right)
    _check_size(pair.left, left, pair.truth_files[0], truth.disparity)
    _refuse(pair.truth_files[0], disparity_fault(left, right, truth.disparity, truth.occluded))


def _check_flow(pair: FlowPair) -> None:
    image0, image1, truth = read_image(pair.image0), read_image(pair.image1), pair.truth()
    _check_size(pair.image0, image0, pair.image1, image1)
    _check_size(pair.image0, image0, pair.truth_files[0], truth.flow)
    _refuse(pair.truth_files[0], flow_fault(image0, image1, truth.flow, truth.occluded))


def _check_posed(pair: PosedPair) -> None:
    image0, image1, truth = read_image(pair.image0), read_image(pair.image1), pair.truth()
    _check_size(pair.image0, image0, pair.image1, image1)
    _check_size(pair.image0, image0, pair.folder / "depth0.pfm", truth.depth0)
    fault = flow_fault(image0, image1, truth.motion_0to1().flow_0to1, truth.masks0.occluded)
    _refuse(pair.folder / "depth0.pfm", fault)


def _check_camera(view: View) -> None:
    height, width = read_image(view.image).shape[:2]
    view.intrinsics_of((height, width))


def _check_homography(pair: HomographyPair) -> None:
    fault = homography_fault(read_image(pair.path0), read_image(pair.path1), pair.homography_0to1)
    _refuse(pair.truth_file or pair.path1, fault)


def _check_brown(folder: Path) -> None:
    found = read_brown(folder)
    for path in sorted(folder.glob("m50_*.txt")):
        read_brown_pairs(path, found.point_ids)


def _check_strips(strips: PatchStrips) -> None:
    for strip in strips.files:
        strips.read(strip)


def _check_lfw_pairs(path: Path, root: Path) -> None:
    read_lfw_pairs(path, root)


def _check_semantic(pair: SemanticPair) -> None:
    truth = pair.truth()
    views = (pair.image0, truth.points0), (pair.image1, truth.points1)
    for path, points in views:
        height, width = read_image(path).shape[:2]
        outside = ((points < -1) | (points > np.array([width, height]))).any(axis=1)
        if outside.any():
            x, y = points[outside][0]
            raise DatasetError(
                f"'{pair.truth_files[0]}' has a point at ({x:g}, {y:g}), which '{path}' of "
                f"{width} x {height} pixels does not hold"
            )


def _check_size(path: Path, image: np.ndarray, other: Path, values: np.ndarray) -> None:
    if image.shape[:2] != values.shape[:2]:
        sizes = [f"{array.shape[1]} x {array.shape[0]}" for array in (image, values)]
        raise DatasetError(f"'{other}' has {sizes[1]} pixels, '{path}' {sizes[0]}")


def _refuse(path: Path, fault: str | None) -> None:
    if fault is not None:
        raise DatasetError(f"'{path}' {fault}")
