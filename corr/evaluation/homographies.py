"""Matches and homographies of planar scenes: Oxford affine, HPatches sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np

from corr.classical.verification import verify_matches
from corr.data.homographies import HomographyPair, read_sequences
from corr.evaluation.benchmark import Benchmark, Column, Scores
from corr.formats import read_image
from corr.metrics import area_under_curve, homography_corner_error, reprojection_error
from corr.pipeline import catalog
from corr.pipeline.matching import RATIO, RATIO_BINARY, match
from corr.results import Matches, Picture

MMA_PX = tuple(range(1, 11))
AUC_PX = (1, 3, 5, 10)


@dataclass(frozen=True)
class HomographyProtocol:
    """Everything that fixes the numbers; change one and the hash changes."""

    images: str = "original size"
    pairs: str = "image 1 with each of the others, 1 to 2 .. 1 to 6"
    max_keypoints: int = 2048
    matcher: str = "mutual nearest neighbours and ratio test, without geometric verification"
    ratio: float = RATIO
    ratio_binary: float = RATIO_BINARY
    """Of binary descriptors."""
    mma_px: tuple[int, ...] = MMA_PX
    """Thresholds of the mean matching accuracy; a pair without matches has 0."""
    correct_px: float = 3.0
    """A match is correct when its reprojection error in image 1 is at most this."""
    estimator: str = "cv2.findHomography, USAC_MAGSAC, fixed seed"
    estimator_px: float = 3.0
    estimator_iterations: int = 10_000
    estimator_confidence: float = 0.9999
    corner_error: str = "mean distance of the four corner pixels' centres of image 0, in image 1"
    auc_px: tuple[int, ...] = AUC_PX
    average: str = "mean over pairs"
    seconds: str = "a pair: extract both and match; reading images and verification left out"
    opencv: str = cv2.__version__


class HomographyBenchmark(Benchmark[HomographyPair, tuple[Picture, Picture], Any, Matches]):
    """MMA, correct matches and homography AUC of each model of `corr match`."""

    name: ClassVar[str] = "homographies"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("matches", ("num_matches",), decimals=0),
        Column("at 3 px", ("num_correct",), decimals=0),
        Column("MMA@1/3/5/10 %", tuple(f"mma_{t}" for t in AUC_PX), factor=100.0),
        Column("AUC@1/3/5/10 %", tuple(f"auc_{t}" for t in AUC_PX), factor=100.0),
    )

    def __init__(self, settings: HomographyProtocol | None = None) -> None:
        self.settings = settings or HomographyProtocol()

    @property
    def protocol(self) -> Mapping[str, Any]:
        """The settings."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self.settings).items()}

    def items(self, root: Path) -> list[HomographyPair]:
        """Every pair of every sequence."""
        return read_sequences(root)

    def label(self, item: HomographyPair) -> str:
        """Such as `boat/1-4`."""
        return item.name

    def group(self, item: HomographyPair) -> str:
        """Its sequence."""
        return item.sequence

    def check(self, model: str) -> None:
        """Refuse what `corr match` does not know or cannot load."""
        catalog.resolve(model, "match")

    def prepare(self, model: str) -> Any:
        """Its name: `match` loads what it names once."""
        return model

    def read(self, item: HomographyPair) -> tuple[Picture, Picture]:
        """Both images."""
        return read_image(item.path0), read_image(item.path1)

    def run(self, model: Any, inputs: tuple[Picture, Picture]) -> Matches:
        """All matches that its matcher accepts."""
        return match(*inputs, model=model, max_keypoints=self.settings.max_keypoints, verify=None)

    def score(
        self, item: HomographyPair, inputs: tuple[Picture, Picture], output: Matches
    ) -> Scores:
        """Accuracy before verification, and the corner error of the homography of all matches."""
        truth = item.homography_0to1
        error = reprojection_error(output.keypoints0, output.keypoints1, truth)
        estimate, _ = verify_matches(
            output.keypoints0,
            output.keypoints1,
            "homography",
            threshold_px=self.settings.estimator_px,
            max_iterations=self.settings.estimator_iterations,
            confidence=self.settings.estimator_confidence,
        )
        size = (inputs[0].shape[0], inputs[0].shape[1])
        return {
            "num_matches": float(len(output)),
            "num_correct": float(np.sum(error <= self.settings.correct_px)),
            **{f"mma_{t}": _share(error <= t) for t in self.settings.mma_px},
            "corner_error_px": homography_corner_error(estimate, truth, size),
        }

    def worst(self) -> Scores:
        """No match and no homography."""
        accuracy = {f"mma_{t}": 0.0 for t in self.settings.mma_px}
        return {"num_matches": 0.0, "num_correct": 0.0, **accuracy, "corner_error_px": float("inf")}

    def aggregate(self, scores: Sequence[Scores]) -> Scores:
        """Means over pairs, and the area under the curve of all corner errors."""
        errors = np.array([entry["corner_error_px"] for entry in scores])
        thresholds = [float(t) for t in self.settings.auc_px]
        areas = area_under_curve(errors, thresholds)
        averaged = [key for key in scores[0] if key != "corner_error_px"]
        return {
            **{key: float(np.mean([entry[key] for entry in scores])) for key in averaged},
            **{f"auc_{t}": float(a) for t, a in zip(self.settings.auc_px, areas, strict=True)},
        }


def _share(right: np.ndarray) -> float:
    return float(right.mean()) if len(right) else 0.0
