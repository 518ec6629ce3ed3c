"""False confidence: how much of two photographs matches that have nothing in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

import cv2
import numpy as np

from corr.evaluation.aggregation import mean_over_items
from corr.evaluation.benchmark import Benchmark, Column, Scores, ScoreTable, Totals
from corr.evaluation.matching import MatchingProtocol, some_matches
from corr.evaluation.photographs import Photograph, find_photographs, installed_folder
from corr.formats import read_image
from corr.pipeline.extraction import extract
from corr.results import Matches, Picture


class UnrelatedPair(NamedTuple):
    """Two photographs of different things."""

    photo0: Photograph
    photo1: Photograph


@dataclass(frozen=True)
class UnrelatedProtocol(MatchingProtocol):
    """Everything that fixes the numbers; change one and the hash changes."""

    pairs: str = (
        "photographs in a random order, each with the next one, the last with the first; that "
        "none show the same thing is taken for granted"
    )
    seed: int = 0
    matcher: str = "as `corr match` by default: mutual nearest neighbours and ratio test"
    matched: str = "share of the keypoints of image 0 that have a match, all of which are false"
    average: str = "mean over pairs; in a pair that failed all keypoints are matched"
    seconds: str = "a pair: extract both and match; reading images left out"
    opencv: str = cv2.__version__


@dataclass(frozen=True, eq=False)
class FalseMatches:
    """Matches that are all wrong, and how many there might have been."""

    matches: Matches
    num_keypoints0: int


class UnrelatedBenchmark(Benchmark[UnrelatedPair, tuple[Picture, Picture], FalseMatches]):
    """False matches of each model of `corr match`."""

    name: ClassVar[str] = "unrelated"
    task: ClassVar[str] = "match"
    defaults: ClassVar[tuple[str, ...]] = ("orb", "sift", "rootsift", "hardnet")
    baseline: ClassVar[str] = "rootsift"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("keypoints", ("num_keypoints",), decimals=0),
        Column("false matches", ("num_matches",)),
        Column("% of keypoints", ("matched",), 100.0, decimals=2),
    )
    ranked_by: ClassVar[str] = "matched"
    higher_is_better: ClassVar[bool] = False
    drawn: ClassVar[str] = "Every match is false."
    settings: UnrelatedProtocol

    def __init__(self, settings: UnrelatedProtocol | None = None) -> None:
        self.settings = settings or UnrelatedProtocol()

    def own_root(self) -> Path:
        """Photographs of scikit-image."""
        return installed_folder()

    def items(self, root: Path) -> list[UnrelatedPair]:
        """Every photograph once as image 0 and once as image 1."""
        found = find_photographs(root, at_least=2)
        order = np.random.default_rng(self.settings.seed).permutation(len(found))
        return [
            UnrelatedPair(found[i], found[j])
            for i, j in zip(order, np.roll(order, -1), strict=True)
        ]

    def label(self, item: UnrelatedPair) -> str:
        """Names of both files."""
        return f"{item.photo0.name} - {item.photo1.name}"

    def group(self, item: UnrelatedPair) -> str:
        """The folder of the first."""
        return item.photo0.folder

    def files(self, item: UnrelatedPair) -> Sequence[Path]:
        """Both photographs."""
        return item.photo0.path, item.photo1.path

    def read(self, item: UnrelatedPair) -> tuple[Picture, Picture]:
        """Both photographs."""
        return read_image(item.photo0.path), read_image(item.photo1.path)

    def run(self, model: str, inputs: tuple[Picture, Picture]) -> FalseMatches:
        """All matches that its matcher accepts."""
        settings = self.settings
        described = extract(inputs[0], model=model, max_keypoints=settings.max_keypoints)
        return FalseMatches(settings.match(described, inputs[1], model), len(described))

    def score(
        self, item: UnrelatedPair, inputs: tuple[Picture, Picture], output: FalseMatches
    ) -> Scores:
        """How many matches, and of which share of the keypoints; of none there is no share."""
        count, total = float(len(output.matches)), float(output.num_keypoints0)
        return {
            "num_keypoints": total,
            "num_matches": count,
            "matched": count / total if total else np.nan,
        }

    def worst(self, item: UnrelatedPair) -> Scores:
        """Everything matches."""
        most = float(self.settings.max_keypoints)
        return {"num_keypoints": most, "num_matches": most, "matched": 1.0}

    def aggregate(self, table: ScoreTable) -> Totals:
        """Means over pairs."""
        return {key: mean_over_items(values) for key, values in table.items()}

    def draw(self, inputs: tuple[Picture, Picture], output: FalseMatches) -> Picture:
        """The false matches; some of many."""
        few = some_matches(output.matches)
        return few.draw(*inputs, correct=np.zeros(len(few), bool))
