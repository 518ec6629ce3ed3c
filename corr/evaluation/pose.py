"""Relative pose from matches, on images with known cameras: Strecha's scenes, synthetic ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
import torch
from jaxtyping import Float64

from corr.classical.relative_pose import MIN_MATCHES, estimate_pose
from corr.data.camera_pairs import read_camera_pairs
from corr.data.ground_truth import CameraPair, Cameras
from corr.data.strecha import MAX_APART
from corr.drawing import draw_curves
from corr.evaluation.aggregation import mean_over_items, score_table
from corr.evaluation.benchmark import Benchmark, Column, ItemResult, Scores, ScoreTable, Totals
from corr.evaluation.matching import MatchingProtocol, orders, read_found, some_matches
from corr.formats import read_image
from corr.formats.suffixes import MATCHES
from corr.geometry import fundamental_matrix
from corr.metrics import (
    area_under_curve,
    epipolar_distance,
    rotation_error_deg,
    translation_error_deg,
)
from corr.results import Matches, Picture

AUC_DEG = (5, 10, 20)
EPIPOLAR_PX = (1, 3)
_ERRORS = ("rotation", "translation", "pose")


@dataclass(frozen=True)
class PoseProtocol(MatchingProtocol):
    """Everything that fixes the numbers; change one and the hash changes."""

    images: str = "original size; K of another size is brought to it"
    pairs: str = "views of one scene, at most so many apart in the order of their names"
    max_apart: int = MAX_APART
    epipolar_px: tuple[int, ...] = EPIPOLAR_PX
    """Thresholds of the distance, in image 1, of a match from its true epipolar line."""
    estimator: str = (
        "cv2.findEssentialMat on normalised points, USAC_MAGSAC, fixed seed; cv2.recoverPose of "
        "its inliers"
    )
    magsac_px: float = 1.0
    magsac_iterations: int = 10_000
    magsac_confidence: float = 0.9999
    magsac_orders: int = 5
    """Errors are those of so many orders of the matches, the model's own first: what MAGSAC draws
    moves that of one order."""
    rotation: str = "angle between the rotation found and the true one"
    translation: str = "angle between the direction found and the true one; the opposite is 180"
    pose: str = "the larger of the two, whose curve over all pairs and orders AUC is the area of"
    auc_deg: tuple[int, ...] = AUC_DEG
    min_matches: int = MIN_MATCHES
    """With fewer, a pair has no pose, and its errors are infinite; they count in the medians."""
    average: str = "mean over pairs, errors as medians; a pair that failed has no match, no pose"
    seconds: str = "a pair: extract both and match; reading images and the pose left out"
    opencv: str = cv2.__version__


@dataclass(frozen=True, eq=False)
class PoseInputs:
    """Both images and their cameras."""

    image0: Picture
    image1: Picture
    cameras: Cameras

    def fundamental(self) -> Float64[np.ndarray, "3 3"]:
        """The true one, 0 to 1."""
        known = self.cameras
        parts = known.intrinsics0, known.intrinsics1, known.pose_0to1
        return fundamental_matrix(*map(torch.from_numpy, parts)).numpy()


class PoseBenchmark(Benchmark[CameraPair, PoseInputs, Matches]):
    """Pose AUC, median errors and epipolar agreement of each model of `corr match`."""

    name: ClassVar[str] = "pose"
    task: ClassVar[str] = "match"
    defaults: ClassVar[tuple[str, ...]] = ("orb", "sift", "rootsift", "hardnet")
    baseline: ClassVar[str] = "rootsift"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("matches", ("num_matches",), decimals=0),
        Column("inliers", ("num_inliers",), decimals=0),
        Column("epipolar 1/3 px %", tuple(f"epipolar_{t}" for t in EPIPOLAR_PX), 100.0),
        Column("AUC@5/10/20 deg %", tuple(f"auc_{t}" for t in AUC_DEG), 100.0),
        Column("median rot./transl. deg", ("rotation_deg", "translation_deg"), decimals=2),
    )
    ranked_by: ClassVar[str] = "epipolar_3"
    higher_is_better: ClassVar[bool] = True
    drawn: ClassVar[str] = "Green matches are within 3 px of the true epipolar line, red ones off."
    suffixes: ClassVar[tuple[str, ...]] = MATCHES
    settings: PoseProtocol

    def __init__(self, settings: PoseProtocol | None = None) -> None:
        self.settings = settings or PoseProtocol()

    def items(self, root: Path) -> list[CameraPair]:
        """Every pair of every scene."""
        return read_camera_pairs(root)

    def label(self, item: CameraPair) -> str:
        """Such as `fountain-P11/0000-0001`."""
        return item.name

    def group(self, item: CameraPair) -> str:
        """Its scene, and how many views apart it is."""
        return item.group

    def files(self, item: CameraPair) -> Sequence[Path]:
        """Images and cameras."""
        return item.image0, item.image1, *item.truth_files

    def read(self, item: CameraPair) -> PoseInputs:
        """Both images and their cameras."""
        images = read_image(item.image0), read_image(item.image1)
        sizes = (image.shape[:2] for image in images)
        return PoseInputs(*images, item.cameras(*sizes))

    def run(self, model: str, inputs: PoseInputs) -> Matches:
        """All matches that its matcher accepts."""
        return self.settings.match(inputs.image0, inputs.image1, model)

    def read_output(self, path: Path, inputs: PoseInputs) -> Matches:
        """Matches that `corr match -o` or another program wrote."""
        return read_found(path, inputs.image0, inputs.image1)

    def score(self, item: CameraPair, inputs: PoseInputs, output: Matches) -> Scores:
        """Agreement with the true epipolar lines, and the errors of the pose of all matches."""
        settings, known = self.settings, inputs.cameras
        points = output.keypoints0, output.keypoints1
        distance = epipolar_distance(*points, inputs.fundamental())
        scores = {"num_matches": float(len(output)), "num_inliers": 0.0}
        for t in settings.epipolar_px:
            scores[f"epipolar_{t}"] = float(np.mean(distance <= t)) if len(output) else 0.0
        true_rotation, true_translation = known.pose_0to1[:3, :3], known.pose_0to1[:3, 3]
        for index, order in enumerate(orders(len(output), settings.magsac_orders)):
            found = estimate_pose(
                points[0][order],
                points[1][order],
                known.intrinsics0,
                known.intrinsics1,
                threshold_px=settings.magsac_px,
                max_iterations=settings.magsac_iterations,
                confidence=settings.magsac_confidence,
            )
            rotation = translation = np.inf
            if found is not None:
                rotation = rotation_error_deg(found.rotation, true_rotation)
                translation = translation_error_deg(found.translation, true_translation)
            errors = rotation, translation, max(rotation, translation)
            scores |= {f"{k}_deg_{index}": e for k, e in zip(_ERRORS, errors, strict=True)}
            if index == 0 and found is not None:
                scores["num_inliers"] = float(found.agrees.sum())
        return scores

    def worst(self, item: CameraPair) -> Scores:
        """No match and no pose."""
        count = range(self.settings.magsac_orders)
        return {
            "num_matches": 0.0,
            "num_inliers": 0.0,
            **{f"epipolar_{t}": 0.0 for t in self.settings.epipolar_px},
            **{f"{kind}_deg_{index}": float("inf") for index in count for kind in _ERRORS},
        }

    def aggregate(self, table: ScoreTable) -> Totals:
        """Means over pairs; medians of the errors, and the area under their curve."""
        errors = {
            kind: np.concatenate([v for k, v in table.items() if k.startswith(f"{kind}_deg")], -1)
            for kind in _ERRORS
        }
        areas = area_under_curve(errors["pose"], [float(t) for t in self.settings.auc_deg])
        averaged = [key for key in table if not key.startswith(_ERRORS)]
        return {
            **{key: mean_over_items(table[key]) for key in averaged},
            **{f"{kind}_deg": _median(values) for kind, values in errors.items()},
            **{f"auc_{t}": areas[..., i] for i, t in enumerate(self.settings.auc_deg)},
        }

    def draw(self, inputs: PoseInputs, output: Matches) -> Picture:
        """Matches near their epipolar line in green, over others in red; some of many."""
        few = some_matches(output)
        distance = epipolar_distance(few.keypoints0, few.keypoints1, inputs.fundamental())
        return few.draw(inputs.image0, inputs.image1, correct=distance <= EPIPOLAR_PX[-1])

    def overview(
        self, items: Sequence[CameraPair], results: Mapping[str, Sequence[ItemResult]]
    ) -> Mapping[str, Picture]:
        """The share of poses that are as good as each angle.

        Args:
            items: all of them.
            results: of each model, in the same order.
        """
        angles = np.linspace(0, AUC_DEG[-1], 101)
        curves = {}
        for model, found in results.items():
            table = score_table([result.scores for result in found])
            errors = np.concatenate([v for k, v in table.items() if k.startswith("pose_deg")])
            curves[model] = angles, 100 * (errors[:, None] <= angles).mean(0)
        title, label = "poses at least as good", "larger error of rotation and translation, degrees"
        return {title: draw_curves(curves, title, x_label=label, y_label="pairs, %", markers=False)}


def _median(values: Float64[np.ndarray, "*R N"]) -> Float64[np.ndarray, "*R"]:
    """Of an even number the greater of the middle two, since the errors may be infinite."""
    ordered = np.sort(values, axis=-1)
    middle: Float64[np.ndarray, "*R"] = ordered[..., ordered.shape[-1] // 2]
    return middle
