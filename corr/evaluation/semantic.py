"""Points carried over between different things of one kind: PCK of `corr transfer`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from jaxtyping import Float

from corr.data.semantic.pairs import PAIRS_PER_CLASS, SEED, SemanticPair
from corr.data.semantic.reader import read_semantic
from corr.drawing import draw_transfer
from corr.errors import FormatError
from corr.evaluation.aggregation import mean_over_items
from corr.evaluation.benchmark import Benchmark, Column, Scores, ScoreTable, Totals
from corr.evaluation.candidates import Candidate
from corr.formats import read_image, read_transferred
from corr.formats.suffixes import POINTS
from corr.pipeline.dense_view import SIFT_BINS_PX, SIFT_STRIDE
from corr.pipeline.readout import SOFT_PX, TEMPERATURE
from corr.pipeline.transfer import PRIOR, SIZE, SUPPORT, resolve_transfer, transfer
from corr.results import Picture

ALPHAS = (0.05, 0.1, 0.15)
SIDES = ("box", "image")
FACING = {"same": False, "opposite": True}
"""The sides that the two things face, and what `SemanticPair.flipped` is then."""
FACING_ALPHA = 0.1
_MOST_DRAWN = 60


@dataclass(frozen=True)
class SemanticProtocol:
    """Everything that fixes the numbers; change one and the hash changes."""

    pairs: str = (
        f"as published; where a set publishes none, {PAIRS_PER_CLASS} ordered pairs of each class "
        f"by numpy's default_rng({SEED})"
    )
    points: str = (
        "those that both images of a pair show, px with the top-left centre (0, 0); a point "
        "outside its image is left out; of TSS the foreground pixels with known flow, both "
        "directions"
    )
    right: str = "error at most alpha times a side, which is in the column's name"
    alphas: tuple[float, ...] = ALPHAS
    box: str = (
        "longer side of the box in image 1: the published one, of PF-WILLOW that of the keypoints; "
        "TSS has none"
    )
    image: str = "longer side of image 1"
    seen_px: int = SIZE
    """Longer side of both images as models see them that have none of their own."""
    readout: str = f"soft: mean within {SOFT_PX:g} px of the best, temperature {TEMPERATURE:g}"
    support: float = SUPPORT
    """Of points by their surroundings, as a share of the image; of `dense-sift-nn` 0."""
    prior: float = PRIOR
    """How far a thing is expected from where it is in image 0, likewise, where there is support."""
    flips: str = "none"
    """Whether image 1 is also seen mirrored (`auto`)."""
    facing: str = "pairs whose things face the same or opposite sides, where the set tells"
    dense_sift: str = (
        f"every {SIFT_STRIDE} px, bins of {', '.join(f'{b:g}' for b in SIFT_BINS_PX)} px joined"
    )
    search: str = "auto"
    """Who finds nearest neighbours."""
    average: str = (
        "mean over pairs; a pair that failed has 0; one without a shared point is left out"
    )
    seconds: str = "a pair: describe both images and seek all points; reading left out"
    opencv: str = cv2.__version__


@dataclass(frozen=True, eq=False)
class SemanticInputs:
    """A pair in memory."""

    image0: Picture
    image1: Picture
    points0: Float[np.ndarray, "N 2"]
    points1: Float[np.ndarray, "N 2"]
    sides: Mapping[str, float]
    """What an error is compared with, px, by the names of `SIDES`; NaN where there is none."""


class SemanticBenchmark(Benchmark[SemanticPair, SemanticInputs, Float[np.ndarray, "N 2"]]):
    """PCK of each model of `corr transfer`."""

    name: ClassVar[str] = "semantic"
    task: ClassVar[str] = "transfer"
    defaults: ClassVar[tuple[str, ...]] = (
        "identity",
        "dense-sift-nn",
        "dense-sift",
        "ucn",
        "ucn-semantic",
    )
    baseline: ClassVar[str] = "dense-sift-nn"
    columns: ClassVar[tuple[Column, ...]] = (
        *(
            Column(f"PCK@0.05/0.1/0.15 {side} %", tuple(f"pck_{side}_{a}" for a in ALPHAS), 100.0)
            for side in SIDES
        ),
        Column(
            f"PCK@{FACING_ALPHA} image, same/opposite sides %",
            tuple(f"pck_image_{FACING_ALPHA}_{facing}" for facing in FACING),
            100.0,
        ),
        Column("left out", ("num_left_out",), decimals=0),
    )
    ranked_by: ClassVar[str] = "pck_image_0.1"
    higher_is_better: ClassVar[bool] = True
    drawn: ClassVar[str] = (
        "Green points are right within 0.1 of the box (of TSS within 0.05 of the image), red ones "
        "are wrong, with a line to the truth."
    )
    suffixes: ClassVar[tuple[str, ...]] = POINTS
    settings: SemanticProtocol

    def __init__(self, settings: SemanticProtocol | None = None) -> None:
        self.settings = settings or SemanticProtocol()

    def items(self, root: Path) -> list[SemanticPair]:
        """Every pair of the test part."""
        return read_semantic(root)

    def candidate(self, model: str) -> Candidate:
        """A model that describes whole images, or a folder of points found elsewhere."""
        found = super().candidate(model)
        if found.results is None:
            resolve_transfer(model)
        return found

    def label(self, item: SemanticPair) -> str:
        """Such as `duck(S)/060_0000-060_0002`."""
        return item.name

    def group(self, item: SemanticPair) -> str:
        """Its class."""
        return item.group

    def files(self, item: SemanticPair) -> Sequence[Path]:
        """Both images and what its points are read from."""
        return item.image0, item.image1, *item.truth_files

    def read(self, item: SemanticPair) -> SemanticInputs:
        """Both images, the points and the sides."""
        images = read_image(item.image0), read_image(item.image1)
        truth = item.truth()
        points = truth.points0, truth.points1
        kept = _inside(points[0], images[0]) & _inside(points[1], images[1])
        box = np.nan if truth.box1 is None else float(np.max(truth.box1[2:] - truth.box1[:2]))
        sides = {"box": box, "image": float(max(images[1].shape[:2]))}
        return SemanticInputs(*images, points[0][kept], points[1][kept], sides)

    def run(self, model: str, inputs: SemanticInputs) -> Float[np.ndarray, "N 2"]:
        """Where the points are in image 1."""
        return transfer(
            inputs.image0,
            inputs.image1,
            inputs.points0,
            model=model,
            search=self.settings.search,
            flips=None if self.settings.flips == "none" else self.settings.flips,
        )

    def read_output(self, path: Path, inputs: SemanticInputs) -> Float[np.ndarray, "N 2"]:
        """Points that `corr transfer -o` or another program wrote.

        Raises:
            FormatError: it cannot be read, or holds another number of points than the pair.
        """
        found = read_transferred(path)
        if len(found) != len(inputs.points0):
            raise FormatError(
                f"'{path}' holds {len(found)} points; the pair has {len(inputs.points0)}"
            )
        return found

    def score(
        self, item: SemanticPair, inputs: SemanticInputs, output: Float[np.ndarray, "N 2"]
    ) -> Scores:
        """Shares of right points; NaN where there is no point or no side."""
        error = np.linalg.norm(output - inputs.points1, axis=1)
        shares = {
            f"pck_{side}_{alpha}": _share(error, alpha * inputs.sides[side])
            for side in SIDES
            for alpha in self.settings.alphas
        }
        counts = {"num_points": float(len(error)), "num_left_out": float(len(error) == 0)}
        return {**shares, **_by_facing(item, shares), **counts}

    def worst(self, item: SemanticPair) -> Scores:
        """No point is right."""
        none = {"box": 0.0 if item.has_boxes else np.nan, "image": 0.0}
        shares = {f"pck_{side}_{a}": none[side] for side in SIDES for a in self.settings.alphas}
        return {**shares, **_by_facing(item, shares), "num_points": np.nan, "num_left_out": 0.0}

    def aggregate(self, table: ScoreTable) -> Totals:
        """Means over the pairs that count, and how many do not."""
        counted = {key: np.sum(table[key], axis=-1) for key in ("num_left_out",)}
        return {**{key: mean_over_items(table[key]) for key in table}, **counted}

    def draw(self, inputs: SemanticInputs, output: Float[np.ndarray, "N 2"]) -> Picture:
        """Both images with the points, right ones green; some of them where there are many."""
        side, alpha = inputs.sides["box"], 0.1
        if np.isnan(side):
            side, alpha = inputs.sides["image"], 0.05
        chosen = np.random.default_rng(0).permutation(len(output))[:_MOST_DRAWN]
        truth = inputs.points1[chosen]
        error = np.linalg.norm(output[chosen] - truth, axis=1)
        return draw_transfer(
            inputs.image0,
            inputs.image1,
            inputs.points0[chosen],
            output[chosen],
            truth=truth,
            correct=error <= alpha * side,
        )


def _by_facing(item: SemanticPair, shares: Scores) -> Scores:
    """A pair's shares under the name of the sides that its things face, NaN under the other's."""
    return {
        f"pck_{side}_{FACING_ALPHA}_{facing}": shares[f"pck_{side}_{FACING_ALPHA}"]
        if item.flipped is flipped
        else float("nan")
        for side in SIDES
        for facing, flipped in FACING.items()
    }


def _share(error: Float[np.ndarray, " N"], limit: float) -> float:
    return float(np.mean(error <= limit)) if len(error) and not np.isnan(limit) else float("nan")


def _inside(points: Float[np.ndarray, "N 2"], image: Picture) -> np.ndarray:
    last = np.array(image.shape[1::-1]) - 0.5
    return np.asarray(((points >= -0.5) & (points <= last)).all(axis=1))
