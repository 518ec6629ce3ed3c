"""Descriptors of patches alone: cut from image sequences through their homographies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import ClassVar

import cv2
import numpy as np
import torch
from jaxtyping import Float

from corr.data.cutting import Placed, placed_frames
from corr.data.homographies import HomographyPair
from corr.data.patches import DetectorNoise
from corr.data.sequence_patches import (
    MIN_SCALE,
    NEAR_SIGMAS,
    SUPPORT,
    PatchPairs,
    cut_patch_pairs,
)
from corr.drawing.patches import draw_patches
from corr.evaluation.aggregation import mean_over_items
from corr.evaluation.benchmark import Column, Scores, ScoreTable, Totals
from corr.evaluation.candidates import Candidate
from corr.evaluation.frames import describe_cut, describe_frames, find_describer, sees_frames
from corr.evaluation.pooled import count_distances, no_distances, pooled_fpr95
from corr.evaluation.sequences import SequenceBenchmark
from corr.geometry import PATCH_SIGMAS, PATCH_SIZE
from corr.losses.distances import pairwise_distances
from corr.metrics import fpr95
from corr.pipeline import catalog
from corr.results import Picture

_NUM_DRAWN = 14

Descriptors = tuple[Float[np.ndarray, "N D"], Float[np.ndarray, "N D"]]


@dataclass(frozen=True)
class PatchProtocol:
    """Everything that fixes the numbers; change one and the hash changes."""

    keypoints: str = "SIFT of image 1 of each sequence, the strongest; then those both images show"
    max_keypoints: int = 1000
    patches: str = (
        f"{PATCH_SIZE} x {PATCH_SIZE} px of 8 bits, the same for every model but those that "
        "normalise frames, which get the images and the frames, upright where they ask for it"
    )
    sigmas: float = PATCH_SIGMAS
    """Side of a patch in sigmas of its keypoint."""
    support: float = SUPPORT
    min_scale: float = MIN_SCALE
    noise: Mapping[str, float] = field(default_factory=lambda: asdict(DetectorNoise()))
    """How far the second patch is off, as a detector's keypoint would be; seeded by the pair."""
    negatives: str = "each patch of image 1 with the second patches of all others not near it"
    near_sigmas: float = NEAR_SIGMAS
    distance: str = "Euclidean, of unit-length descriptors"
    average: str = "mean over pairs of images; a pair that failed has an FPR95 of 1"
    pooled: str = "one threshold for the patches of all pairs, each with as many negatives"
    seconds: str = "describing the patches of both images; cutting them left out"
    opencv: str = cv2.__version__


class PatchBenchmark(SequenceBenchmark[PatchPairs, Descriptors]):
    """FPR95 of each model that describes patches, or whole images."""

    name: ClassVar[str] = "patches"
    task: ClassVar[str] = "extract"
    defaults: ClassVar[tuple[str, ...]] = ("sift", "rootsift", "hardnet")
    baseline: ClassVar[str] = "rootsift"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("patches", ("num_patches",), decimals=0),
        Column("FPR95 %", ("fpr95",), 100.0, decimals=2),
        Column("of all patches %", ("fpr95_pooled",), 100.0, decimals=2),
    )
    ranked_by: ClassVar[str] = "fpr95"
    higher_is_better: ClassVar[bool] = False
    drawn: ClassVar[str] = (
        "Patches of the same points in both images, whose descriptors differ most."
    )
    settings: PatchProtocol

    def __init__(self, settings: PatchProtocol | None = None) -> None:
        self.settings = settings or PatchProtocol()

    def candidate(self, model: str) -> Candidate:
        """As elsewhere; a classical method that finds its own keypoints cannot describe patches.

        Raises:
            ModelError: the model is unknown or does not describe patches.
        """
        return find_describer(model, self.task, dense=True)

    def read(self, item: HomographyPair) -> PatchPairs:
        """The patches, cut from both images."""
        noise = DetectorNoise(**self.settings.noise)
        return cut_patch_pairs(
            item, self.settings.max_keypoints, noise, sigmas=self.settings.sigmas
        )

    def run(self, model: str, inputs: PatchPairs) -> Descriptors:
        """The descriptors of both sides."""
        chosen, sigmas = catalog.resolve(model, self.task), self.settings.sigmas
        if not sees_frames(chosen):
            first, second = (
                describe_cut(chosen, side, sigmas=sigmas)
                for side in (inputs.patches0, inputs.patches1)
            )
            return first, second
        upright, found = getattr(chosen, "upright", False), inputs.keypoints
        first, second = (
            describe_frames(chosen, view, placed_frames(_turned(placed, upright), sigmas))
            for view, placed in ((found.view0, found.placed0), (found.view1, found.placed1))
        )
        return first, second

    def score(self, item: HomographyPair, inputs: PatchPairs, output: Descriptors) -> Scores:
        """Share of the negative pairs accepted with 95 % of the positive ones."""
        distance = _distances(output)
        both = distance.diagonal(), distance[inputs.negative]
        rate = fpr95(*both)
        scores = {"num_patches": float(len(distance)), "fpr95": rate, "fpr95_pooled": rate}
        return scores | count_distances(*both)

    def worst(self, item: HomographyPair) -> Scores:
        """Everything is accepted."""
        return {"num_patches": 0.0, "fpr95": 1.0, "fpr95_pooled": 1.0, **no_distances()}

    def aggregate(self, table: ScoreTable) -> Totals:
        """Means over pairs, and the rate of the patches of all pairs together."""
        means = {key: mean_over_items(table[key]) for key in ("num_patches", "fpr95")}
        return means | {"fpr95_pooled": pooled_fpr95(table)}

    def draw(self, inputs: PatchPairs, output: Descriptors) -> Picture:
        """The points whose descriptors differ most: above in image 0, below in image 1."""
        rows = np.argsort(-_distances(output).diagonal(), kind="stable")[:_NUM_DRAWN]
        return draw_patches(
            {"image 1": inputs.patches0[rows], "the other image": inputs.patches1[rows]}
        )


def _turned(placed: Placed, upright: bool) -> Placed:
    return placed._replace(angle_deg=np.zeros_like(placed.scale)) if upright else placed


def _distances(descriptors: Descriptors) -> Float[np.ndarray, "N N"]:
    return pairwise_distances(*map(torch.from_numpy, descriptors)).numpy()
