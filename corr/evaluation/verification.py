"""Verification: do two images show the same identity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from corr.data.identities import (
    VerificationPair,
    draw_verification_pairs,
    find_lfw_pairs,
    read_identities,
    read_lfw_pairs,
)
from corr.drawing.curves import draw_curves
from corr.errors import ShapeError
from corr.evaluation.benchmark import Benchmark, Column, ItemResult, Scores, ScoreTable, Totals
from corr.formats import read_image
from corr.metrics import equal_error_rate, roc_curve, verification_accuracy
from corr.pipeline import catalog
from corr.pipeline.embedding import describe, place_embedding
from corr.results import Picture, Ranking

PAIRS_FILE = "pairs.txt"
"""LFW's ten folds, which come before its two other files."""


@dataclass(frozen=True)
class VerificationProtocol:
    """Everything that fixes the numbers; change one and the hash changes."""

    pairs: str = (
        "those of LFW's pairs.txt, else of its pairsDevTest.txt, where either lies in the folder "
        "or beside it; else drawn: each image with the next of its identity, and as many of two"
    )
    pairs_per_identity: int = 6
    """Drawn of one identity at most."""
    num_folds: int = 10
    """Of the drawn pairs, and of LFW's pairs without folds."""
    seed: int = 20_261_125
    distance: str = "Euclidean, of unit-length descriptors"
    accuracy: str = "mean over folds; each is told by the threshold that is best on all others"
    eer: str = "the ROC curve of all pairs, straight between its points"
    failed: str = "a pair that failed is told wrong at every threshold"


@dataclass(frozen=True)
class NumberedPair:
    """A pair, and which one of its fold it is."""

    pair: VerificationPair
    number: int


class PairInputs(NamedTuple):
    """Both images in memory."""

    image0: Picture
    image1: Picture
    same: bool


class VerificationBenchmark(Benchmark[NumberedPair, PairInputs, float]):
    """Accuracy and equal error rate over pairs of images; what a model gives is a distance."""

    name: ClassVar[str] = "verification"
    task: ClassVar[str] = "embed"
    defaults: ClassVar[tuple[str, ...]] = (
        "colour-histogram", "gemnet-untrained", "gemnet-siamese", "gemnet-triplet",
    )  # fmt: skip
    baseline: ClassVar[str] = "colour-histogram"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("accuracy %", ("accuracy",), 100.0),
        Column("EER %", ("eer",), 100.0),
    )
    ranked_by: ClassVar[str] = "doubt"
    higher_is_better: ClassVar[bool] = False
    drawn: ClassVar[str] = "The pair that was told with the least right, and its similarity."
    settings: VerificationProtocol

    def __init__(self, settings: VerificationProtocol | None = None) -> None:
        self.settings = settings or VerificationProtocol()

    def items(self, root: Path) -> list[NumberedPair]:
        """The pairs, fold by fold.

        Raises:
            DatasetError: a folder with fewer than two identities, or a damaged file of pairs.
        """
        files = {path.name: path for path in find_lfw_pairs(root)}
        chosen = files.get(PAIRS_FILE) or files.get("pairsDevTest.txt")
        identities = read_identities(root)
        if chosen is not None:
            pairs = read_lfw_pairs(chosen, root)
        else:
            pairs = draw_verification_pairs(
                identities, self.settings.pairs_per_identity, self.settings.seed
            )
        folds = [pair.fold for pair in pairs]
        if len(set(folds)) == 1:
            folds = _dealt([pair.same for pair in pairs], self.settings.num_folds)
        order = np.argsort(folds, kind="stable")
        return [
            NumberedPair(VerificationPair(p.path0, p.path1, p.same, folds[row]), int(row))
            for row, p in ((row, pairs[row]) for row in order)
        ]

    def label(self, item: NumberedPair) -> str:
        """Such as `fold-3/0812 Ada_0001 Bob_0002`."""
        pair = item.pair
        return f"{self.group(item)}/{item.number:04d} {pair.path0.stem} {pair.path1.stem}"

    def group(self, item: NumberedPair) -> str:
        """Its fold."""
        return f"fold-{item.pair.fold}"

    def files(self, item: NumberedPair) -> Sequence[Path]:
        """Both images."""
        return item.pair.path0, item.pair.path1

    def identity(self, item: NumberedPair, root: Path) -> list[Any]:
        """Its images, and whether they are the same."""
        return [*super().identity(item, root), item.pair.same]

    def read(self, item: NumberedPair) -> PairInputs:
        """Both images."""
        image0, image1 = map(read_image, self.files(item))
        return PairInputs(image0, image1, same=item.pair.same)

    def run(self, model: str, inputs: PairInputs) -> float:
        """The distance of the two descriptors."""
        chosen = place_embedding(catalog.resolve(model, self.task))
        descriptors = describe([inputs.image0, inputs.image1], chosen)
        return float(np.linalg.norm(descriptors[0] - descriptors[1]))

    def score(self, item: NumberedPair, inputs: PairInputs, output: float) -> Scores:
        """The distance, with what is needed to judge it among all."""
        return _scores(item, output)

    def worst(self, item: NumberedPair) -> Scores:
        """Beyond any other distance, on the wrong side."""
        return _scores(item, np.inf if item.pair.same else -np.inf)

    def aggregate(self, table: ScoreTable) -> Totals:
        """Accuracy and error rate of all pairs together; NaN where they are of one kind."""
        shape = table["distance"].shape[:-1]
        columns = [table[key].reshape(-1, table[key].shape[-1]) for key in _JUDGED]
        found = np.array([_figures(*row) for row in zip(*columns, strict=True)])
        return {
            "accuracy": found[:, 0].reshape(shape),
            "eer": found[:, 1].reshape(shape),
            "doubt": table["doubt"].max(-1),
        }

    def draw(self, inputs: PairInputs, output: float) -> Picture:
        """Both images, framed green if they are the same and red if not."""
        score = np.array([[1 - output**2 / 2]])
        ranking = Ranking(np.zeros((1, 1), int), score, ("",), ("",))
        correct = np.array([[inputs.same]])
        return ranking.draw([inputs.image0], [[inputs.image1]], correct=correct)

    def overview(
        self, items: Sequence[NumberedPair], results: Mapping[str, Sequence[ItemResult]]
    ) -> dict[str, Picture]:
        """The ROC curve of every model."""
        curves = {}
        for model, found in results.items():
            distance, same = (np.array([one.scores[key] for one in found]) for key in _JUDGED[:2])
            false, true = roc_curve(distance[same > 0], distance[same == 0])
            curves[model] = (100 * false, 100 * true)
        picture = draw_curves(
            curves, "ROC", x_label="others accepted, %", y_label="same accepted, %", markers=False
        )
        return {"ROC of all pairs": picture}


_JUDGED = ("distance", "same", "fold")


def _scores(item: NumberedPair, distance: float) -> dict[str, float]:
    same = item.pair.same
    judged = {"distance": distance, "same": float(same), "fold": float(item.pair.fold)}
    return {**judged, "doubt": distance if same else -distance}


def _figures(
    distance: Float[np.ndarray, " N"], same: Float[np.ndarray, " N"], fold: Float[np.ndarray, " N"]
) -> tuple[float, float]:
    truth: Bool[np.ndarray, " N"] = same > 0
    try:
        eer = equal_error_rate(distance[truth], distance[~truth])
        return verification_accuracy(distance, truth, fold.astype(int)), eer
    except ShapeError:  # a single pair, a single fold
        return np.nan, np.nan


def _dealt(same: Sequence[bool], num_folds: int) -> list[int]:
    """A fold for each pair, both kinds spread evenly."""
    seen = {True: 0, False: 0}
    folds = []
    for kind in same:
        folds.append(seen[kind] % num_folds)
        seen[kind] += 1
    return folds
