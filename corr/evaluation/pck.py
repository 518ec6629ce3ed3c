"""Percentage of correct keypoints of nearest neighbours, on frames with known optical flow."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from jaxtyping import Float32

from corr.data.flow_pairs import FlowPair, read_flow
from corr.drawing import draw_curves
from corr.errors import ModelError
from corr.evaluation.aggregation import mean_over_items, score_table
from corr.evaluation.benchmark import Benchmark, Column, ItemResult, Scores, ScoreTable, Totals
from corr.evaluation.candidates import Candidate, find_candidate
from corr.evaluation.flow_points import draw_points, move_points
from corr.evaluation.point_search import TASK, find_points
from corr.evaluation.stereo import check_size
from corr.extractors.keypoints import GIVEN_SCALE
from corr.formats import read_flow as read_flow_file
from corr.formats import read_image
from corr.formats.suffixes import FLOW
from corr.metrics import percentage_of_correct_keypoints
from corr.pipeline import catalog
from corr.pipeline.extraction import BINARY
from corr.pipeline.optical_flow import flow
from corr.results import Matches, Picture

CURVE_PX = tuple(range(1, 31))
TABLE_PX = (1, 3, 5, 10)
_DRAWN_PX = 10
_MOST_DRAWN = 200
_WARM_PX = 64


@dataclass(frozen=True)
class PckProtocol:
    """Everything that fixes the numbers; change one and the hash changes."""

    images: str = "original size"
    points: str = (
        "pixels of image 0 drawn at random among those whose motion is known and whose target "
        "image 1 shows, the same for every model; seeded by the pair's name"
    )
    max_points: int = 1000
    seed: int = 0
    candidates: str = (
        "image 1 whole: every cell of a dense network, at (cell + 0.5) * stride - 0.5, with the "
        "surroundings that `corr match --dense` looks at, if any; for others "
        "the centres of squares"
    )
    step_px: int = 4
    """Side of those squares."""
    keypoints: str = "upright, at one scale; SIFT by OpenCV, networks of patches by their own side"
    sigma: float = GIVEN_SCALE
    """That scale, px: as `corr.extract` describes points given without one."""
    answer: str = "place of the nearest descriptor, not refined, nothing smoothed or optimised"
    smooth: str = (
        "a method of optical flow has all pixels agree with their neighbours, and so answers "
        "another question: its flow is read at the points, and it is marked"
    )
    search: str = "auto"
    """Who finds nearest neighbours."""
    pck_px: tuple[int, ...] = CURVE_PX
    """A point is correct when it is at most so far from the truth."""
    average: str = "mean over pairs; a pair that failed has no correct point"
    seconds: str = "a pair: describe both and search; reading images left out"
    opencv: str = cv2.__version__


@dataclass(frozen=True, eq=False)
class PckInputs:
    """Both images, points of the first, and where they are in the second."""

    image0: Picture
    image1: Picture
    points0: Float32[np.ndarray, "N 2"]
    points1: Float32[np.ndarray, "N 2"]


@dataclass(frozen=True, eq=False)
class PointsFound:
    """Where a model puts the points; NaN where it does not know."""

    points1: Float32[np.ndarray, "N 2"]
    smooth: bool | None = None
    """Whether neighbours were made to agree; unknown of results computed elsewhere."""


class _Mark(Column):
    """A column that says yes, or nothing."""

    def show(self, scores: Scores) -> str:
        return "yes" if scores[self.keys[0]] == 1 else ""


class PckBenchmark(Benchmark[FlowPair, PckInputs, PointsFound]):
    """PCK of each model that describes given points, beside methods of optical flow."""

    name: ClassVar[str] = "pck"
    task: ClassVar[str] = TASK
    defaults: ClassVar[tuple[str, ...]] = ("sift", "rootsift", "hardnet")
    baseline: ClassVar[str] = "rootsift"
    columns: ClassVar[tuple[Column, ...]] = (
        _Mark("smooth", ("smooth",)),
        Column("points", ("num_points",), decimals=0),
        Column("PCK@1/3/5/10 %", tuple(f"pck_{t}" for t in TABLE_PX), 100.0),
    )
    ranked_by: ClassVar[str] = f"pck_{_DRAWN_PX}"
    higher_is_better: ClassVar[bool] = True
    drawn: ClassVar[str] = (
        f"Some points and where they were found: green within {_DRAWN_PX} px, red farther."
    )
    suffixes: ClassVar[tuple[str, ...]] = FLOW
    settings: PckProtocol

    def __init__(self, settings: PckProtocol | None = None) -> None:
        self.settings = settings or PckProtocol()

    def candidate(self, model: str) -> Candidate:
        """A model that describes given points, or a method of `corr flow`.

        Raises:
            ModelError: the model is unknown, or finds its own keypoints.
        """
        if model in catalog.names("flow"):
            return find_candidate(model, "flow")
        if model in BINARY:
            able = [name for name in catalog.names(self.task) if name not in BINARY]
            raise ModelError(
                f"model '{model}' finds its own keypoints; use {', '.join(able)}, "
                f"{', '.join(catalog.names('flow'))}, or a folder that training wrote"
            )
        return find_candidate(model, self.task, self.suffixes)

    def items(self, root: Path) -> list[FlowPair]:
        """Every pair of the set."""
        return read_flow(root)

    def label(self, item: FlowPair) -> str:
        """Such as `000027_10` or `clean/alley_1/frame_0002`."""
        return item.name

    def group(self, item: FlowPair) -> str:
        """Its part of the set."""
        return item.group

    def files(self, item: FlowPair) -> Sequence[Path]:
        """Images and truth."""
        return item.image0, item.image1, *item.truth_files

    def read(self, item: FlowPair) -> PckInputs:
        """Both images and the points."""
        image0, image1 = read_image(item.image0), read_image(item.image1)
        seed = self.settings.seed, zlib.crc32(item.name.encode())
        drawn = draw_points(item.truth(), image1.shape[:2], self.settings.max_points, seed)
        return PckInputs(image0, image1, *drawn)

    def run(self, model: str, inputs: PckInputs) -> PointsFound:
        """Where the model puts the points in image 1."""
        points0 = inputs.points0
        if model in catalog.names("flow"):
            field = flow(inputs.image0, inputs.image1, model=model).flow
            return PointsFound(move_points(points0, field), smooth=True)
        settings = self.settings
        found = find_points(
            model,
            inputs.image0,
            inputs.image1,
            points0,
            step_px=settings.step_px,
            sigma=settings.sigma,
            search=settings.search,
        )
        return PointsFound(found, smooth=False)

    def warm_up(self, model: str, inputs: PckInputs) -> None:
        """On a corner of the images."""
        corner = inputs.image0[:_WARM_PX, :_WARM_PX], inputs.image1[:_WARM_PX, :_WARM_PX]
        place = np.zeros((1, 2), np.float32)
        self.run(model, PckInputs(*corner, place, place))

    def read_output(self, path: Path, inputs: PckInputs) -> PointsFound:
        """The points moved by a field that `corr flow -o` or another program wrote.

        Raises:
            FormatError: it cannot be read, or has another size than the image.
        """
        field = read_flow_file(path)
        check_size(path, field, inputs.image0)
        return PointsFound(move_points(inputs.points0, field))

    def score(self, item: FlowPair, inputs: PckInputs, output: PointsFound) -> Scores:
        """PCK at every threshold; no number where no point is known."""
        thresholds = [float(t) for t in self.settings.pck_px]
        shares = percentage_of_correct_keypoints(output.points1, inputs.points1, thresholds)
        return {
            "num_points": float(len(inputs.points0)),
            "smooth": np.nan if output.smooth is None else float(output.smooth),
            **{f"pck_{t}": float(p) for t, p in zip(self.settings.pck_px, shares, strict=True)},
        }

    def worst(self, item: FlowPair) -> Scores:
        """No point is correct."""
        shares = {f"pck_{t}": 0.0 for t in self.settings.pck_px}
        return {"num_points": np.nan, "smooth": np.nan, **shares}

    def aggregate(self, table: ScoreTable) -> Totals:
        """Means over pairs."""
        return {key: mean_over_items(values) for key, values in table.items()}

    def draw(self, inputs: PckInputs, output: PointsFound) -> Picture:
        """Some of the points with a line to where they were found."""
        known = np.flatnonzero(np.isfinite(output.points1).all(1))
        rows = np.random.default_rng(0).permutation(known)[:_MOST_DRAWN]
        ends = inputs.points0[rows], output.points1[rows]
        error = np.hypot(*(output.points1 - inputs.points1)[rows].T)
        sizes = inputs.image0.shape[:2], inputs.image1.shape[:2]
        matches = Matches(*ends, np.ones(len(rows), np.float32), *sizes)
        return matches.draw(inputs.image0, inputs.image1, correct=error <= _DRAWN_PX)

    def overview(
        self, items: Sequence[FlowPair], results: Mapping[str, Sequence[ItemResult]]
    ) -> Mapping[str, Picture]:
        """PCK against the threshold: of each part of the set where there are several, and of all.

        Args:
            items: all of them.
            results: of each model, in the same order.
        """
        groups = list(dict.fromkeys(self.group(item) for item in items))
        parts = [*groups, "all"] if len(groups) > 1 else groups
        pictures = {}
        for part in parts:
            curves = {
                f"{model} (smooth)" if found[0].scores["smooth"] == 1 else model: self._curve(
                    [result for result in found if part in (result.group, "all")]
                )
                for model, found in results.items()
            }
            pictures[f"correct keypoints, {part}"] = draw_curves(
                curves,
                f"PCK, {part}",
                x_label="threshold, px",
                y_label="correct, %",
                from_zero=True,
                markers=False,
            )
        return pictures

    def _curve(self, results: Sequence[ItemResult]) -> tuple[list[float], list[float]]:
        totals = self.aggregate(score_table([result.scores for result in results]))
        thresholds = [float(t) for t in self.settings.pck_px]
        return thresholds, [100 * float(totals[f"pck_{t}"]) for t in self.settings.pck_px]
