"""What matching bears: photographs turned by all angles and zoomed by known factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np

from corr.data.photos import read_photo
from corr.data.turned_views import View, turned_view, zoomed_view
from corr.drawing import draw_curves
from corr.evaluation.aggregation import mean_over_items, score_table
from corr.evaluation.benchmark import Benchmark, Column, ItemResult, Scores, ScoreTable, Totals
from corr.evaluation.matching import MatchingProtocol, some_matches
from corr.evaluation.photographs import Photograph, find_photographs, installed_folder
from corr.metrics import reprojection_error
from corr.pipeline.extraction import extract
from corr.results import Matches, Picture

ANGLES_DEG = tuple(range(0, 181, 15))
ZOOMS = (0.35, 0.5, 0.71, 1.41, 2.0, 2.8)
_TABLE_DEG = (0, 15, 30, 45, 90, 180)
_WARM_PX = 96

Output = Mapping[str, Matches]
"""Matches of the photograph with its view after each change, by its name."""


@dataclass(frozen=True)
class InvarianceProtocol(MatchingProtocol):
    """Everything that fixes the numbers; change one and the hash changes."""

    images: str = "photographs; image 0 as it is, image 1 the same turned or zoomed, no more"
    max_side: int = 640
    """Larger photographs are reduced to it, px."""
    angles_deg: tuple[int, ...] = ANGLES_DEG
    """Clockwise, on a canvas that holds the whole photograph and repeats its border."""
    zooms: tuple[float, ...] = ZOOMS
    """Of both sides, rounded to whole pixels; bilinear, anti-aliased where smaller."""
    truth: str = "the exact homography, by p' = (p + 0.5) * s - 0.5 and about the image's centre"
    correct_px: float = 3.0
    """A match is correct when its reprojection error in image 1 is at most this; MMA is the share
    of those, 0 without matches."""
    average: str = "mean over photographs; one that failed has no match anywhere"
    seconds: str = "all changes of a photograph, its own keypoints found once"
    opencv: str = cv2.__version__


@dataclass(frozen=True, eq=False)
class InvarianceInputs:
    """A photograph and its views, by the name of the change."""

    photo: Picture
    views: Mapping[str, View]


class InvarianceBenchmark(Benchmark[Photograph, InvarianceInputs, Output]):
    """MMA and correct matches of each model of `corr match` against rotation and scale."""

    name: ClassVar[str] = "invariance"
    task: ClassVar[str] = "match"
    defaults: ClassVar[tuple[str, ...]] = ("orb", "sift", "rootsift", "hardnet")
    baseline: ClassVar[str] = "rootsift"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("MMA@3 %, all angles", ("mma_turn",), 100.0),
        Column("turned by 0/15/30/45/90/180", tuple(f"mma_turn_{a}" for a in _TABLE_DEG), 100.0),
        Column("MMA@3 %, all zooms", ("mma_zoom",), 100.0),
        Column(
            f"by {'/'.join(f'{z:g}' for z in ZOOMS)}", tuple(f"mma_zoom_{z}" for z in ZOOMS), 100.0
        ),
        Column("correct, angles/zooms", ("correct_turn", "correct_zoom"), decimals=0),
    )
    ranked_by: ClassVar[str] = "mma_turn"
    higher_is_better: ClassVar[bool] = True
    drawn: ClassVar[str] = (
        "The change with the fewest correct matches: green ones are right within 3 px, red wrong."
    )
    settings: InvarianceProtocol

    def __init__(self, settings: InvarianceProtocol | None = None) -> None:
        self.settings = settings or InvarianceProtocol()

    def own_root(self) -> Path:
        """Photographs of scikit-image."""
        return installed_folder()

    def items(self, root: Path) -> list[Photograph]:
        """The photographs."""
        return find_photographs(root)

    def label(self, item: Photograph) -> str:
        """Its file below the root."""
        return item.name

    def group(self, item: Photograph) -> str:
        """Its folder."""
        return item.folder

    def files(self, item: Photograph) -> Sequence[Path]:
        """The photograph."""
        return (item.path,)

    def read(self, item: Photograph) -> InvarianceInputs:
        """The photograph and all its views."""
        photo = read_photo(item.path, self.settings.max_side)
        turned = {f"turn_{a}": turned_view(photo, a) for a in self.settings.angles_deg}
        zoomed = {f"zoom_{z}": zoomed_view(photo, z) for z in self.settings.zooms}
        return InvarianceInputs(photo, turned | zoomed)

    def run(self, model: str, inputs: InvarianceInputs) -> Output:
        """All matches that its matcher accepts, with each view."""
        described = extract(inputs.photo, model=model, max_keypoints=self.settings.max_keypoints)
        return {
            name: self.settings.match(described, view, model)
            for name, (view, _) in inputs.views.items()
        }

    def warm_up(self, model: str, inputs: InvarianceInputs) -> None:
        """On a corner of the photograph."""
        corner = inputs.photo[:_WARM_PX, :_WARM_PX]
        self.run(model, InvarianceInputs(corner, {"turn_0": (corner, np.eye(3))}))

    def score(self, item: Photograph, inputs: InvarianceInputs, output: Output) -> Scores:
        """MMA and correct matches after each change, and their means over angles and zooms."""
        scores = {}
        for name, (_, homography) in inputs.views.items():
            found = output[name]
            right = self._right(found, homography)
            scores[f"mma_{name}"] = float(right.mean()) if len(found) else 0.0
            scores[f"correct_{name}"] = float(right.sum())
        return scores | self._means(scores)

    def worst(self, item: Photograph) -> Scores:
        """No match anywhere."""
        settings = self.settings
        names = [f"turn_{a}" for a in settings.angles_deg]
        names += [f"zoom_{z}" for z in settings.zooms]
        scores = {f"{kind}_{name}": 0.0 for name in names for kind in ("mma", "correct")}
        return scores | self._means(scores)

    def aggregate(self, table: ScoreTable) -> Totals:
        """Means over photographs."""
        return {key: mean_over_items(values) for key, values in table.items()}

    def draw(self, inputs: InvarianceInputs, output: Output) -> Picture:
        """Matches after the change that leaves the fewest correct ones."""
        count = {n: self._right(output[n], h).sum() for n, (_, h) in inputs.views.items()}
        name = min(count, key=lambda change: count[change])
        view, homography = inputs.views[name]
        few = some_matches(output[name])
        return few.draw(inputs.photo, view, correct=self._right(few, homography))

    def overview(
        self, items: Sequence[Photograph], results: Mapping[str, Sequence[ItemResult]]
    ) -> Mapping[str, Picture]:
        """MMA and correct matches against rotation and scale, four diagrams.

        Args:
            items: all of them.
            results: of each model, in the same order.
        """
        totals = {
            model: self.aggregate(score_table([item.scores for item in found]))
            for model, found in results.items()
        }
        steps: Mapping[str, tuple[Sequence[int] | Sequence[float], str]] = {
            "turn": (self.settings.angles_deg, "rotation, degrees"),
            "zoom": (sorted({*self.settings.zooms, 1.0}), "scale"),
        }
        rows = []
        for kind, factor, title in (("mma", 100, "MMA@3, %"), ("correct", 1, "correct matches")):
            diagrams = []
            for change, (values, label) in steps.items():
                curves = {
                    model: (
                        [float(value) for value in values],
                        [factor * float(scores[_key(kind, change, v)]) for v in values],
                    )
                    for model, scores in totals.items()
                }
                diagrams.append(
                    draw_curves(
                        curves, title, x_label=label, log_x=change == "zoom", from_zero=True
                    )
                )
            rows.append(np.hstack(diagrams))
        return {"against rotation and scale": np.vstack(rows)}

    def _right(self, found: Matches, homography: np.ndarray) -> np.ndarray:
        error = reprojection_error(found.keypoints0, found.keypoints1, homography)
        right: np.ndarray = error <= self.settings.correct_px
        return right

    def _means(self, scores: Scores) -> dict[str, float]:
        """Over all angles, and over all zooms."""
        return {
            f"{kind}_{change}": float(
                np.mean([v for k, v in scores.items() if k.startswith(f"{kind}_{change}_")])
            )
            for kind in ("mma", "correct")
            for change in ("turn", "zoom")
        }


def _key(kind: str, change: str, value: int | float) -> str:
    """The score of a step; unzoomed is the same as unturned."""
    return f"{kind}_turn_0" if change == "zoom" and value == 1 else f"{kind}_{change}_{value}"
