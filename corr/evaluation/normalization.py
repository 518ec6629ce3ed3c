"""What descriptors bear with when nobody tells the orientation or the scale of a patch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar

import cv2
import numpy as np
import torch
from jaxtyping import Float

from corr.data.cutting import Placed, cut_patches, placed_frames
from corr.data.homographies import HomographyPair
from corr.data.patches import DetectorNoise
from corr.data.sequence_patches import (
    MIN_SCALE,
    NEAR_SIGMAS,
    SUPPORT,
    KeypointPairs,
    pair_keypoints,
)
from corr.drawing.curves import draw_curves
from corr.drawing.patches import draw_patches
from corr.errors import ModelError
from corr.evaluation.aggregation import mean_over_items, score_table
from corr.evaluation.benchmark import Column, ItemResult, Scores, ScoreTable, Totals
from corr.evaluation.candidates import Candidate
from corr.evaluation.frames import describe_frames, find_describer, normalized_frames
from corr.evaluation.sequences import SequenceBenchmark
from corr.geometry import PATCH_SIGMAS, PATCH_SIZE
from corr.losses.distances import pairwise_distances
from corr.metrics import fpr95
from corr.models.hardnet_stn import CLASSICAL, build_normalization
from corr.models.normalization import PatchNormalization
from corr.pipeline import catalog
from corr.results import Picture

ANGLES_DEG = (0, 15, 30, 45, 90, 135, 180)
SCALES = (0.5, 0.71, 1.0, 1.41, 2.0)
RANDOM = "random"
"""Every patch turned by an angle of its own."""

_NUM_DRAWN = 14

Output = Mapping[str, Float[np.ndarray, "N ..."]]
"""Descriptors of image 0 by the name `first`, of image 1 by the name of each change; and by the
names `frames0` and `frames1` the frames of both where the second are turned at random."""


@dataclass(frozen=True)
class NormalizationProtocol:
    """Everything that fixes the numbers; change one and the hash changes."""

    keypoints: str = "places of SIFT keypoints of image 1 of each sequence, without orientation"
    max_keypoints: int = 200
    patches: str = f"{PATCH_SIZE} x {PATCH_SIZE} px of 8 bits, upright in image 1"
    angles_deg: tuple[int, ...] = ANGLES_DEG
    """By which all frames are turned in the second image, as if it were turned back."""
    scales: tuple[float, ...] = SCALES
    """By which the second image seems larger, its keypoints' sigma unchanged."""
    random: str = "each frame of the second image at an angle of its own"
    sigmas: float = PATCH_SIGMAS
    support: float = SUPPORT
    min_scale: float = MIN_SCALE
    noise: Mapping[str, float] = field(default_factory=lambda: asdict(DetectorNoise()))
    """How far the second keypoint is off, as a detector's would be; seeded by the pair."""
    negatives: str = "each patch of image 1 with the second patches of all others not near it"
    near_sigmas: float = NEAR_SIGMAS
    matching_score: str = "share of patches of image 1 whose nearest neighbour is right, or near it"
    average: str = "mean over pairs of images; a pair that failed has the worst scores"
    opencv: str = cv2.__version__


class NormalizationBenchmark(SequenceBenchmark[KeypointPairs, Output]):
    """FPR95 and matching score of upright patches against rotation and scale.

    A model may be followed by a normalisation that needs no training, such as
    `hardnet+dominant-orientation`.
    """

    name: ClassVar[str] = "normalization"
    task: ClassVar[str] = "extract"
    defaults: ClassVar[tuple[str, ...]] = (
        "rootsift",
        "rootsift+dominant-orientation",
        "hardnet",
        "hardnet+dominant-orientation",
        "hardnet-stn",
    )
    baseline: ClassVar[str] = "rootsift"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("FPR95 %, turned at random", (f"fpr95_{RANDOM}",), 100.0),
        Column("by 0/45/90/180 deg", tuple(f"fpr95_turn_{a}" for a in (0, 45, 90, 180)), 100.0),
        Column("scaled by 0.5/2", ("fpr95_scale_0.5", "fpr95_scale_2.0"), 100.0),
        Column("matching score %, at random", (f"score_{RANDOM}",), 100.0),
        Column("by 0/45/90/180 deg ", tuple(f"score_turn_{a}" for a in (0, 45, 90, 180)), 100.0),
        Column("scaled by 0.5/2 ", ("score_scale_0.5", "score_scale_2.0"), 100.0),
    )
    ranked_by: ClassVar[str] = f"fpr95_{RANDOM}"
    higher_is_better: ClassVar[bool] = False
    drawn: ClassVar[str] = (
        "Patches of the same points, turned at random in the other image, from those whose "
        "descriptors agree best (left) to those that differ most (right)."
    )
    settings: NormalizationProtocol

    def __init__(self, settings: NormalizationProtocol | None = None) -> None:
        self.settings = settings or NormalizationProtocol()

    def candidate(self, model: str) -> Candidate:
        """A model that describes patches, alone or with a normalisation after a plus.

        Raises:
            ModelError: the model or the normalisation is unknown, or it describes no patches.
        """
        name, _, normalization = model.partition("+")
        found = find_describer(name, self.task)
        if not normalization:
            return found
        if normalization not in CLASSICAL:
            known = ", ".join(CLASSICAL)
            raise ModelError(f"model '{model}' asks for '{normalization}' after the +; use {known}")
        return replace(found, name=model, variant=normalization)

    def read(self, item: HomographyPair) -> KeypointPairs:
        """Both images and the keypoints in them."""
        noise, settings = DetectorNoise(**self.settings.noise), self.settings
        return pair_keypoints(
            item, settings.max_keypoints, noise, sigmas=settings.sigmas, oriented=False
        )

    def run(self, model: str, inputs: KeypointPairs) -> Output:
        """The descriptors of image 0, and of image 1 after each change."""
        found = {"first": self._describe(model, inputs.view0, _upright(inputs.placed0))}
        changed = self._changed(inputs)
        for name, placed in changed.items():
            found[name] = self._describe(model, inputs.view1, placed)
        found["frames0"] = self._normalized(model, inputs.view0, _upright(inputs.placed0))
        found["frames1"] = self._normalized(model, inputs.view1, changed[RANDOM])
        return found

    def score(self, item: HomographyPair, inputs: KeypointPairs, output: Output) -> Scores:
        """FPR95 and matching score for each change."""
        scores = {}
        for name in self._names():
            sides = torch.from_numpy(output["first"]), torch.from_numpy(output[name])
            distance = pairwise_distances(*sides).numpy()
            scores[f"fpr95_{name}"] = fpr95(distance.diagonal(), distance[inputs.negative])
            nearest = distance.argmin(axis=1)
            right = ~inputs.negative[np.arange(len(nearest)), nearest]
            scores[f"score_{name}"] = float(right.mean())
        return scores

    def worst(self, item: HomographyPair) -> Scores:
        """Everything is accepted, nothing found."""
        names = self._names()
        return {f"fpr95_{n}": 1.0 for n in names} | {f"score_{n}": 0.0 for n in names}

    def aggregate(self, table: ScoreTable) -> Totals:
        """Means over pairs."""
        return {key: mean_over_items(values) for key, values in table.items()}

    def draw(self, inputs: KeypointPairs, output: Output) -> Picture:
        """Some points, from the one whose descriptors agree best to the one where least."""
        off = np.linalg.norm(output["first"] - output[RANDOM], axis=1)
        few = np.linspace(0, len(off) - 1, min(_NUM_DRAWN, len(off))).round().astype(np.int64)
        rows = np.argsort(off, kind="stable")[few]
        sides = (inputs.view0, output["frames0"]), (inputs.view1, output["frames1"])
        given = (
            (inputs.view0, self._frames(_upright(inputs.placed0)).numpy()),
            (inputs.view1, self._frames(self._changed(inputs)[RANDOM]).numpy()),
        )
        names = "image 1, as given", "the other image, as given"
        shown = dict(zip(names, given, strict=True))
        if not all(np.array_equal(a[1], b[1]) for a, b in zip(sides, given, strict=True)):
            names = "image 1, normalised", "the other image, normalised"
            shown |= dict(zip(names, sides, strict=True))
        return draw_patches(
            {
                name: cut_patches(view, torch.from_numpy(frames[rows]))
                for name, (view, frames) in shown.items()
            }
        )

    def overview(
        self, items: Sequence[HomographyPair], results: Mapping[str, Sequence[ItemResult]]
    ) -> Mapping[str, Picture]:
        """FPR95 and matching score against rotation and scale, four diagrams."""
        settings = self.settings
        totals = {
            model: self.aggregate(score_table([item.scores for item in found]))
            for model, found in results.items()
        }
        rows = []
        for kind, title in (("fpr95", "FPR95, %"), ("score", "matching score, %")):
            turned = _curves(totals, settings.angles_deg, f"{kind}_turn")
            scaled = _curves(totals, settings.scales, f"{kind}_scale")
            rows.append(
                np.hstack(
                    (
                        draw_curves(turned, title, x_label="rotation, degrees"),
                        draw_curves(scaled, title, x_label="scale"),
                    )
                )
            )
        return {"against rotation and scale": np.vstack(rows)}

    def _names(self) -> list[str]:
        turned = [f"turn_{angle}" for angle in self.settings.angles_deg]
        return [*turned, *(f"scale_{scale}" for scale in self.settings.scales), RANDOM]

    def _changed(self, inputs: KeypointPairs) -> Mapping[str, Placed]:
        """The keypoints of image 1 after each change."""
        points, scale, _ = inputs.placed1
        angles = np.random.default_rng(len(points)).uniform(0, 360, len(points))
        turned = [Placed(points, scale, np.full_like(scale, a)) for a in self.settings.angles_deg]
        scaled = [Placed(points, scale / s, np.zeros_like(scale)) for s in self.settings.scales]
        placed = [*turned, *scaled, Placed(points, scale, angles)]
        return dict(zip(self._names(), placed, strict=True))

    def _frames(self, placed: Placed) -> Any:
        return placed_frames(placed, self.settings.sigmas)

    def _describe(self, model: str, view: Any, placed: Placed) -> Float[np.ndarray, "N D"]:
        chosen, normalization = self._resolve(model)
        return describe_frames(
            chosen,
            view,
            self._frames(placed),
            normalization=normalization,
            sigmas=self.settings.sigmas,
        )

    def _normalized(self, model: str, view: Any, placed: Placed) -> Float[np.ndarray, "N 2 3"]:
        chosen, normalization = self._resolve(model)
        frames = normalized_frames(chosen, view, self._frames(placed), normalization=normalization)
        return frames.numpy()

    def _resolve(self, model: str) -> tuple[object, PatchNormalization | None]:
        name, _, after = model.partition("+")
        return catalog.resolve(name, self.task), build_normalization(after or "none")


def _upright(placed: Placed) -> Placed:
    return placed._replace(angle_deg=np.zeros_like(placed.scale))


def _curves(
    totals: Mapping[str, Totals], steps: Sequence[int] | Sequence[float], key: str
) -> Mapping[str, tuple[Sequence[float], Sequence[float]]]:
    return {
        model: (
            [float(step) for step in steps],
            [100 * float(scores[f"{key}_{step}"]) for step in steps],
        )
        for model, scores in totals.items()
    }
