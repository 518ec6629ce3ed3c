"""Optical flow: Sintel, KITTI, Middlebury, FlyingChairs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, cast

import cv2
import numpy as np
from jaxtyping import Float32

from corr.data.flow_pairs import FlowPair, FlowTruth, read_flow
from corr.drawing import draw_flow
from corr.errors import CorrError
from corr.evaluation.aggregation import pooled_mean
from corr.evaluation.benchmark import Benchmark, Column, Scores, ScoreTable, Totals
from corr.evaluation.stereo import beside, check_size
from corr.formats import read_flow as read_flow_file
from corr.formats import read_image
from corr.formats.suffixes import FLOW
from corr.metrics import endpoint_error, flow_outlier_rate
from corr.metrics.flow import SPEED_PX, speed_classes
from corr.models.flow_network import Refinement
from corr.pipeline.optical_flow import flow
from corr.results import FlowField, Picture

CLASSES = ("all", "s0_10", "s10_40", "s40", "matched", "unmatched")


@dataclass(frozen=True)
class FlowProtocol:
    """Everything that fixes the numbers; change one and the hash changes."""

    images: str = "original size"
    epe: str = "mean length of the error in px; a missing vector counts as no motion"
    speed_px: tuple[float, ...] = SPEED_PX
    """Bounds of the classes s0-10, s10-40 and s40+, by the length of the true flow."""
    matched: str = "pixels with truth that the second image shows; unmatched: the others"
    fl_all: str = "share of the pixels with truth wrong by more than 3 px and 5 % of the truth"
    average: str = "mean over the pixels of all pairs; a pair that failed has no motion"
    seconds: str = "a pair; reading images left out"
    refine: str = "own"
    """How a flow that a model found is refined; one that was computed elsewhere stays as it is."""
    opencv: str = cv2.__version__


@dataclass(frozen=True, eq=False)
class FlowInputs:
    """Both images, and the motion of the first one."""

    image0: Picture
    image1: Picture
    truth: FlowTruth


class FlowBenchmark(Benchmark[FlowPair, FlowInputs, FlowField]):
    """End-point error, by length and visibility, and outliers of each model of `corr flow`."""

    name: ClassVar[str] = "flow"
    task: ClassVar[str] = "flow"
    defaults: ClassVar[tuple[str, ...]] = ("dis", "dis-varref", "flownetc")
    baseline: ClassVar[str] = "dis"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("EPE px", ("epe_all",), decimals=2),
        Column("s0-10/10-40/40+", ("epe_s0_10", "epe_s10_40", "epe_s40"), decimals=2),
        Column("matched/unmatched", ("epe_matched", "epe_unmatched"), decimals=2),
        Column("Fl-all %", ("fl_all",), 100.0),
    )
    ranked_by: ClassVar[str] = "epe_all"
    higher_is_better: ClassVar[bool] = False
    drawn: ClassVar[str] = (
        "The first image; the true flow, black where it is not known; the flow found, on the same "
        "colour wheel."
    )
    suffixes: ClassVar[tuple[str, ...]] = FLOW
    settings: FlowProtocol

    def __init__(self, settings: FlowProtocol | None = None) -> None:
        self.settings = settings or FlowProtocol()

    def items(self, root: Path) -> list[FlowPair]:
        """Every pair of the set."""
        return read_flow(root)

    def label(self, item: FlowPair) -> str:
        """Such as `RubberWhale` or `clean/alley_1/frame_0002`."""
        return item.name

    def group(self, item: FlowPair) -> str:
        """Its part of the set."""
        return item.group

    def files(self, item: FlowPair) -> Sequence[Path]:
        """Images and truth."""
        return item.image0, item.image1, *item.truth_files

    def read(self, item: FlowPair) -> FlowInputs:
        """Both images and the truth."""
        return FlowInputs(read_image(item.image0), read_image(item.image1), item.truth())

    def run(self, model: str, inputs: FlowInputs) -> FlowField:
        """The flow from image 0 to image 1."""
        refine = None if self.settings.refine == "own" else cast("Refinement", self.settings.refine)
        return flow(inputs.image0, inputs.image1, model=model, refine=refine)

    def read_output(self, path: Path, inputs: FlowInputs) -> FlowField:
        """A field that `corr flow -o` or another program wrote.

        Raises:
            FormatError: it cannot be read, or has another size than the image.
        """
        found = read_flow_file(path)
        check_size(path, found, inputs.image0)
        known = np.isfinite(found).all(axis=2)
        return FlowField(found, ~known, known.astype(np.float32))

    def score(self, item: FlowPair, inputs: FlowInputs, output: FlowField) -> Scores:
        """The error of each class of pixels, and how many pixels it has."""
        return _scores(output.flow, inputs.truth)

    def worst(self, item: FlowPair) -> Scores:
        """No motion anywhere; without truth to compare with, no pixels either."""
        try:
            truth = item.truth()
        except CorrError:
            truth = FlowTruth(np.full((1, 1, 2), np.nan, np.float32), None)
        return _scores(np.zeros_like(truth.flow), truth)

    def aggregate(self, table: ScoreTable) -> Totals:
        """Means over the pixels of all pairs."""
        totals = {
            f"epe_{name}": pooled_mean(table[f"epe_{name}"], table[f"pixels_{name}"])
            for name in CLASSES
        }
        return {**totals, "fl_all": pooled_mean(table["fl_all"], table["pixels_all"])}

    def draw(self, inputs: FlowInputs, output: FlowField) -> Picture:
        """The true flow and the one found, on the same colour wheel, side by side."""
        truth = inputs.truth.flow
        length = np.hypot(truth[..., 0], truth[..., 1])
        longest = float(np.nanmax(length, initial=1))
        pictures = draw_flow(truth, longest), draw_flow(output.flow, longest)
        return beside(inputs.image0, *pictures)


def _scores(found: Float32[np.ndarray, "H W 2"], truth: FlowTruth) -> dict[str, float]:
    known = np.isfinite(truth.flow).all(axis=2)
    unseen = truth.occluded
    nowhere = np.zeros_like(known)
    masks = (
        known,
        *speed_classes(truth.flow).values(),
        nowhere if unseen is None else known & ~unseen,
        nowhere if unseen is None else known & unseen,
    )
    scores: dict[str, float] = {}
    for name, valid in zip(CLASSES, masks, strict=True):
        there = bool(valid.any())
        error = endpoint_error(found, truth.flow, valid=valid) if there else float("nan")
        scores[f"epe_{name}"] = error
        scores[f"pixels_{name}"] = float(valid.sum())
    has_truth = bool(known.any())
    scores["fl_all"] = flow_outlier_rate(found, truth.flow) if has_truth else float("nan")
    return scores
