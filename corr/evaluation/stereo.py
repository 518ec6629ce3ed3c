"""Disparity of rectified pairs: Middlebury 2001 to 2021, KITTI, SceneFlow, ETH3D."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np
from jaxtyping import Bool, Float32

from corr.data.stereo_pairs import StereoPair, StereoTruth, read_stereo
from corr.drawing import draw_error
from corr.errors import CorrError, FormatError
from corr.evaluation.aggregation import mean_over_items
from corr.evaluation.benchmark import (
    Benchmark,
    Column,
    ItemResult,
    Scores,
    ScoreTable,
    Totals,
)
from corr.evaluation.candidates import Candidate, find_candidate
from corr.evaluation.confidence_curves import (
    KEPT_PERCENT,
    NUM_BINS,
    confidence_scores,
    draw_confidence_curves,
    draw_reliability,
    reliability_scores,
)
from corr.formats import read_disparity, read_image
from corr.formats.suffixes import DISPARITY
from corr.metrics import (
    bad_pixel_rate,
    d1_rate,
    density,
    mean_disparity_error,
    root_mean_square_error,
)
from corr.pipeline.stereo import OPENCV, disparity
from corr.pipeline.stereo_cost import cost_names
from corr.results import DisparityMap, Picture

BAD_PX = (0.5, 1.0, 2.0, 4.0)
REGIONS = ("all", "noc")
SCENEFLOW_PX = 192.0
"""Papers on SceneFlow count the pixels whose true disparity is below this."""
CONFIDENCE_BAD_PX = 2.0
RELIABLE_PX = 1.0
"""What a confidence is the probability of: an error of at most this."""


@dataclass(frozen=True)
class StereoProtocol:
    """Everything that fixes the numbers; change one and the hash changes."""

    images: str = "original size"
    max_disparity: str = "published with the set, else the multiple of 16 above the truth"
    search: str = "auto"
    """Who finds the disparities that a model chooses from, of the models that search."""
    fill: str = "models give every pixel a value; its confidence tells what was matched"
    bad_px: tuple[float, ...] = BAD_PX
    """A pixel is bad when its error is larger than this."""
    bad: str = "of the pixels with truth, a missing value counted as bad"
    bad_matched: str = "of the pixels with truth that were matched, neither missing nor filled"
    all: str = "every pixel with truth"
    noc: str = "those of them that the right image shows, where the set tells"
    epe: str = "mean error in px of the pixels with truth that have a value"
    rms: str = "root of the mean squared error, of the same pixels"
    epe_192: str = (
        f"epe of the pixels whose true disparity is below {SCENEFLOW_PX:g} px (SceneFlow)"
    )
    confidence: str = (
        f"bad-{CONFIDENCE_BAD_PX:g} of all pixels with truth, of the most confident of them; AUSE: "
        "the mean over the shares kept of what it is above that of an oracle"
    )
    kept_percent: tuple[int, ...] = KEPT_PERCENT
    calibration: str = (
        "ECE: of the pixels with truth that were matched, how far the confidence is from the share "
        f"right within {RELIABLE_PX:g} px, mean over {NUM_BINS} bins by their pixels"
    )
    density: str = "share of the pixels with truth that have a value; matched: that were matched"
    d1: str = "error above 3 px and 5 % of the truth, a missing value counted as such"
    average: str = "mean over pairs; a pair that failed has no value anywhere"
    seconds: str = "a pair; reading images left out"
    opencv: str = cv2.__version__


@dataclass(frozen=True, eq=False)
class StereoInputs:
    """Both images, and what is known of the left one."""

    left: Picture
    right: Picture
    truth: StereoTruth


class StereoBenchmark(Benchmark[StereoPair, StereoInputs, DisparityMap]):
    """Bad pixels, end-point error, density and D1 of each model of `corr disparity`."""

    name: ClassVar[str] = "stereo"
    task: ClassVar[str] = "disparity"
    defaults: ClassVar[tuple[str, ...]] = ("stereo", "census", "sgbm", "bm")
    baseline: ClassVar[str] = "sgbm"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("bad-0.5/1/2/4 %", tuple(f"bad_{t:g}_all" for t in BAD_PX), 100.0),
        Column("noc %", tuple(f"bad_{t:g}_noc" for t in BAD_PX), 100.0),
        Column("matched only %", tuple(f"bad_{t:g}_all_matched" for t in BAD_PX), 100.0),
        Column("D1 %", ("d1_all",), 100.0),
        Column("EPE px", ("epe_all",), decimals=2),
        Column("d<192", ("epe_192",), decimals=2),
        Column("RMS px", ("rms_all",), decimals=2),
        Column("AUSE %", ("ause",), 100.0),
        Column("ECE %", ("ece",), 100.0),
        Column("density %", ("density",), 100.0),
        Column("matched %", ("matched",), 100.0),
    )
    ranked_by: ClassVar[str] = "bad_2_all"
    higher_is_better: ClassVar[bool] = False
    drawn: ClassVar[str] = (
        "The left image; the disparity found; its error, blue within 2 px and red above, black "
        "where there is no truth."
    )
    suffixes: ClassVar[tuple[str, ...]] = DISPARITY
    settings: StereoProtocol

    def __init__(self, settings: StereoProtocol | None = None) -> None:
        self.settings = settings or StereoProtocol()

    def items(self, root: Path) -> list[StereoPair]:
        """Every pair of the set."""
        return read_stereo(root)

    def label(self, item: StereoPair) -> str:
        """Such as `teddy` or `000027_10`."""
        return item.name

    def group(self, item: StereoPair) -> str:
        """Its set and year."""
        return item.group

    def files(self, item: StereoPair) -> Sequence[Path]:
        """Images and truth."""
        return item.left, item.right, *item.truth_files

    def read(self, item: StereoPair) -> StereoInputs:
        """Both images and the truth."""
        return StereoInputs(read_image(item.left), read_image(item.right), item.truth())

    def candidate(self, model: str) -> Candidate:
        """A model, a folder of results, or several models whose costs are averaged.

        Raises:
            ModelError: one of them is unknown or does not do disparity.
        """
        parts = cost_names(model)
        if len(parts) == 1:
            return super().candidate(model)
        files = {
            f"{part}/{file}": checksum
            for part in parts
            for file, checksum in find_candidate(str(part), self.task).sha256.items()
        }
        return Candidate(model, files, variant=model)

    def run(self, model: str, inputs: StereoInputs) -> DisparityMap:
        """The map of the left image, filled."""
        bound = inputs.truth.max_disparity
        search = "auto" if model in OPENCV else self.settings.search
        return disparity(inputs.left, inputs.right, model=model, max_disparity=bound, search=search)

    def read_output(self, path: Path, inputs: StereoInputs) -> DisparityMap:
        """A map that `corr disparity -o` or another program wrote; what is known counts as matched.

        Raises:
            FormatError: it cannot be read, or has another size than the image.
        """
        found = read_disparity(path)
        check_size(path, found, inputs.left)
        return DisparityMap(found, np.isfinite(found).astype(np.float32))

    def score(self, item: StereoPair, inputs: StereoInputs, output: DisparityMap) -> Scores:
        """Every rate over all pixels, over the visible ones, and over the matched ones of each."""
        return _scores(output.disparity, output.confidence, inputs.truth)

    def worst(self, item: StereoPair) -> Scores:
        """No value anywhere; without truth to count, all is bad."""
        try:
            truth = item.truth()
            nothing = np.full(truth.disparity.shape, np.nan, np.float32)
            return _scores(nothing, np.zeros_like(nothing), truth)
        except CorrError:
            nothing = np.full((1, 1), np.nan, np.float32)
            known = StereoTruth(np.ones((1, 1), np.float32), np.zeros((1, 1), bool), 1)
            return _scores(nothing, np.zeros_like(nothing), known)

    def aggregate(self, table: ScoreTable) -> Totals:
        """Means over pairs."""
        return {key: mean_over_items(values) for key, values in table.items()}

    def overview(
        self, items: Sequence[StereoPair], results: Mapping[str, Sequence[ItemResult]]
    ) -> Mapping[str, Picture]:
        """Sparsification and reliability of every model's confidence."""
        return {
            "sparsification": draw_confidence_curves(results, CONFIDENCE_BAD_PX),
            "reliability": draw_reliability(results, RELIABLE_PX),
        }

    def draw(self, inputs: StereoInputs, output: DisparityMap) -> Picture:
        """The map, and where it is wrong by more than 2 px, side by side."""
        truth = inputs.truth.disparity
        highest = float(np.nanmax(truth, initial=1))
        pictures = output.draw(max_disparity=highest), draw_error(output.disparity, truth, 2.0)
        return beside(inputs.left, *pictures)


def _scores(
    found: Float32[np.ndarray, "H W"],
    confidence: Float32[np.ndarray, "H W"],
    truth: StereoTruth,
) -> dict[str, float]:
    known, matched = np.isfinite(truth.disparity), confidence > 0
    visible = np.zeros_like(known) if truth.occluded is None else known & ~truth.occluded
    scores: dict[str, float] = {}
    for region, pixels in zip(REGIONS, (known, visible), strict=True):
        for suffix, valid in (("", pixels), ("_matched", pixels & matched)):
            for t in BAD_PX:
                rate = _or_nan(bad_pixel_rate, found, truth.disparity, t, valid=valid)
                scores[f"bad_{t:g}_{region}{suffix}"] = rate
            for name, mean in (("epe", mean_disparity_error), ("rms", root_mean_square_error)):
                error = _or_nan(mean, found, truth.disparity, valid=valid)
                scores[f"{name}_{region}{suffix}"] = error
        scores[f"d1_{region}"] = _or_nan(d1_rate, found, truth.disparity, valid=pixels)
    near = known & (np.where(known, truth.disparity, 0) < SCENEFLOW_PX)
    scores["epe_192"] = _or_nan(mean_disparity_error, found, truth.disparity, valid=near)
    scores["density"] = _or_nan(density, found, valid=known)
    scores["matched"] = _or_nan(density, np.where(matched, found, np.nan), valid=known)
    error = np.abs(found[known] - truth.disparity[known])
    bad = ~(error <= CONFIDENCE_BAD_PX)  # a missing value too
    scores |= confidence_scores(bad, confidence[known])
    sure = matched[known]
    return scores | reliability_scores(error[sure] <= RELIABLE_PX, confidence[known][sure])


def _or_nan(metric: Any, *arrays: Any, valid: Bool[np.ndarray, "H W"]) -> float:
    """Of no pixels there is no number."""
    return float(metric(*arrays, valid=valid)) if valid.any() else float("nan")


def check_size(path: Path, found: np.ndarray, image: Picture) -> None:
    """Refuse a result that is not of the image's size.

    Raises:
        FormatError: says both sizes.
    """
    if found.shape[:2] != image.shape[:2]:
        sizes = [f"{shape[1]} x {shape[0]}" for shape in (found.shape, image.shape)]
        raise FormatError(f"'{path}' has {sizes[0]} pixels, and its image {sizes[1]}")


def beside(*pictures: Picture) -> Picture:
    """Pictures side by side, aligned at the top."""
    height = max(picture.shape[0] for picture in pictures)
    padded = [
        np.pad(p, ((0, height - p.shape[0]), (0, 0), (0, 0)), constant_values=255) for p in pictures
    ]
    return np.concatenate(padded, axis=1)
