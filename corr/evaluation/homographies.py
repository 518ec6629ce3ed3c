"""Matches and homographies of planar scenes: Oxford affine, HPatches, EVD."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from jaxtyping import Float

from corr.classical.verification import fit_homography, verify_matches
from corr.data.homographies import HomographyPair
from corr.evaluation.aggregation import mean_over_items
from corr.evaluation.benchmark import Column, Scores, ScoreTable, Totals
from corr.evaluation.matching import MatchingProtocol, orders, read_found, some_matches
from corr.evaluation.sequences import SequenceBenchmark
from corr.formats import read_image
from corr.formats.suffixes import MATCHES
from corr.metrics import area_under_curve, homography_corner_error, reprojection_error
from corr.results import Matches, Picture

MMA_PX = tuple(range(1, 11))
AUC_PX = (1, 3, 5, 10)
ESTIMATORS = ("least_squares", "magsac")


@dataclass(frozen=True)
class HomographyProtocol(MatchingProtocol):
    """Everything that fixes the numbers; change one and the hash changes."""

    pairs: str = "image 1 with each of the others of its sequence"
    mma_px: tuple[int, ...] = MMA_PX
    """Thresholds of the mean matching accuracy; a pair without matches has 0."""
    correct_px: float = 3.0
    """A match is correct when its reprojection error in image 1 is at most this."""
    least_squares: str = "cv2.findHomography, all matches"
    magsac: str = "cv2.findHomography, USAC_MAGSAC, fixed seed"
    magsac_px: float = 3.0
    magsac_iterations: int = 10_000
    magsac_confidence: float = 0.9999
    magsac_orders: int = 5
    """AUC is the mean over so many orders of the matches, the model's own first: that of one order
    depends by a point or two on what MAGSAC draws."""
    corner_error: str = "mean distance of the four corner pixels' centres of image 0, in image 1"
    auc_px: tuple[int, ...] = AUC_PX
    average: str = "mean over pairs; a pair that failed has no match and no homography"
    seconds: str = "a pair: extract both and match; reading images and verification left out"
    opencv: str = cv2.__version__


@dataclass(frozen=True, eq=False)
class HomographyInputs:
    """Both images, and the homography that maps pixels of the first to the second."""

    image0: Picture
    image1: Picture
    homography_0to1: Float[np.ndarray, "3 3"]


class HomographyBenchmark(SequenceBenchmark[HomographyInputs, Matches]):
    """MMA, correct matches and homography AUC of each model of `corr match`."""

    name: ClassVar[str] = "homographies"
    task: ClassVar[str] = "match"
    defaults: ClassVar[tuple[str, ...]] = ("orb", "sift", "rootsift", "hardnet")
    baseline: ClassVar[str] = "rootsift"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("matches", ("num_matches",), decimals=0),
        Column("at 3 px", ("num_correct",), decimals=0),
        Column("MMA@1/3/5/10 %", tuple(f"mma_{t}" for t in AUC_PX), factor=100.0),
        *(
            Column(f"AUC@1/3/5/10 % {title}", tuple(f"auc_{name}_{t}" for t in AUC_PX), 100.0)
            for name, title in zip(ESTIMATORS, ("least sq.", "MAGSAC"), strict=True)
        ),
    )
    ranked_by: ClassVar[str] = "mma_3"
    higher_is_better: ClassVar[bool] = True
    drawn: ClassVar[str] = "Green matches are right within 3 px, red ones are wrong."
    suffixes: ClassVar[tuple[str, ...]] = MATCHES
    settings: HomographyProtocol

    def __init__(self, settings: HomographyProtocol | None = None) -> None:
        self.settings = settings or HomographyProtocol()

    def read(self, item: HomographyPair) -> HomographyInputs:
        """Both images."""
        return HomographyInputs(
            read_image(item.path0), read_image(item.path1), item.homography_0to1
        )

    def run(self, model: str, inputs: HomographyInputs) -> Matches:
        """All matches that its matcher accepts."""
        return self.settings.match(inputs.image0, inputs.image1, model)

    def read_output(self, path: Path, inputs: HomographyInputs) -> Matches:
        """Matches that `corr match -o` or another program wrote."""
        return read_found(path, inputs.image0, inputs.image1)

    def score(self, item: HomographyPair, inputs: HomographyInputs, output: Matches) -> Scores:
        """Accuracy before verification, and the corner errors of the homography of all matches."""
        truth, size = inputs.homography_0to1, inputs.image0.shape[:2]
        points = output.keypoints0, output.keypoints1
        error = reprojection_error(*points, truth)
        estimates = {"least_squares": fit_homography(*points)}
        for index, order in enumerate(orders(len(error), self.settings.magsac_orders)):
            estimates[_magsac(index)], _ = verify_matches(
                points[0][order],
                points[1][order],
                "homography",
                threshold_px=self.settings.magsac_px,
                max_iterations=self.settings.magsac_iterations,
                confidence=self.settings.magsac_confidence,
            )
        return {
            "num_matches": float(len(output)),
            "num_correct": float(np.sum(error <= self.settings.correct_px)),
            **{f"mma_{t}": _share(error <= t) for t in self.settings.mma_px},
            **{
                f"corner_error_{name}_px": homography_corner_error(estimate, truth, size)
                for name, estimate in estimates.items()
            },
        }

    def worst(self, item: HomographyPair) -> Scores:
        """No match and no homography."""
        return {
            "num_matches": 0.0,
            "num_correct": 0.0,
            **{f"mma_{t}": 0.0 for t in self.settings.mma_px},
            "corner_error_least_squares_px": float("inf"),
            **{
                f"corner_error_{_magsac(index)}_px": float("inf")
                for index in range(self.settings.magsac_orders)
            },
        }

    def aggregate(self, table: ScoreTable) -> Totals:
        """Means over pairs, and the area under the curve of all corner errors."""
        thresholds = [float(t) for t in self.settings.auc_px]
        areas = {
            name: np.mean(
                [
                    area_under_curve(errors, thresholds)
                    for key, errors in table.items()
                    if key.startswith(f"corner_error_{name}")
                ],
                axis=0,
            )
            for name in ESTIMATORS
        }
        averaged = [key for key in table if not key.startswith("corner_error")]
        return {
            **{key: mean_over_items(table[key]) for key in averaged},
            **{
                f"auc_{name}_{t}": areas[name][..., index]
                for name in ESTIMATORS
                for index, t in enumerate(self.settings.auc_px)
            },
        }

    def draw(self, inputs: HomographyInputs, output: Matches) -> Picture:
        """Right matches in green over wrong ones in red; some of them where there are many."""
        few = some_matches(output)
        points = few.keypoints0, few.keypoints1
        error = reprojection_error(*points, inputs.homography_0to1)
        return few.draw(inputs.image0, inputs.image1, correct=error <= self.settings.correct_px)


def _magsac(index: int) -> str:
    """Name of the estimate from one order; the first is that of the model."""
    return f"magsac_{index}" if index else "magsac"


def _share(right: np.ndarray) -> float:
    return float(right.mean()) if len(right) else 0.0
