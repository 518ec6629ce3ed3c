"""FPR95 on Brown's PhotoTour patches, by the pairs that come with each set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Int64, UInt8

from corr.data.brown import read_brown, read_brown_pairs
from corr.data.layouts import refusal, scene_folders
from corr.drawing.patches import draw_patches
from corr.errors import DatasetError
from corr.evaluation.aggregation import mean_over_items
from corr.evaluation.benchmark import Benchmark, Column, Scores, ScoreTable, Totals
from corr.evaluation.candidates import Candidate
from corr.evaluation.patch_models import COVERED_SIGMAS, TASK, describe_patches, find_patch_model
from corr.geometry import PATCH_SIZE
from corr.metrics import fpr95
from corr.results import Picture

STANDARD = "m50_100000_100000_0.txt"
"""The pairs that published figures are of; a set that lacks them is judged by all that it has."""
_SHOWN, _WARM_UP = 14, 8

Output = Float32[np.ndarray, "N D"]


@dataclass(frozen=True)
class BrownProtocol:
    """Everything that fixes the numbers; change one and the hash changes."""

    patches: str = f"{PATCH_SIZE} x {PATCH_SIZE} px of 8 bits, reduced from 64 px by area"
    sift_sigmas: float = COVERED_SIGMAS
    """Side of a patch for SIFT, so that its cells cover the patch."""
    pairs: str = f"{STANDARD}, else every m50_*.txt of the set"
    distance: str = "Euclidean, of unit-length descriptors"
    average: str = "mean over files of pairs; one that failed has an FPR95 of 1"
    seconds: str = "describing the patches of the pairs, each once"
    opencv: str = cv2.__version__


@dataclass(frozen=True)
class BrownItem:
    """A set and a file of its pairs."""

    folder: Path
    pairs: Path


@dataclass(frozen=True, eq=False)
class BrownInputs:
    """The patches of the pairs, and which rows of them are compared."""

    patches: UInt8[np.ndarray, "N 32 32"]
    first: Int64[np.ndarray, " K"]
    second: Int64[np.ndarray, " K"]
    matching: Bool[np.ndarray, " K"]


class BrownBenchmark(Benchmark[BrownItem, BrownInputs, Output]):
    """FPR95 of each model that describes patches."""

    name: ClassVar[str] = "brown"
    task: ClassVar[str] = TASK
    defaults: ClassVar[tuple[str, ...]] = ("sift", "rootsift", "hardnet")
    baseline: ClassVar[str] = "rootsift"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("pairs", ("num_pairs",), decimals=0),
        Column("FPR95 %", ("fpr95",), 100.0, decimals=2),
    )
    ranked_by: ClassVar[str] = "fpr95"
    higher_is_better: ClassVar[bool] = False
    drawn: ClassVar[str] = "Matching pairs, one above the other, whose descriptors differ most."
    settings: BrownProtocol

    def __init__(self, settings: BrownProtocol | None = None) -> None:
        self.settings = settings or BrownProtocol()

    def items(self, root: Path) -> list[BrownItem]:
        """The files of pairs of every set below the root, which may be a set itself.

        Raises:
            DatasetError: there is no set, or one without pairs.
        """
        folders = scene_folders(root) if root.is_dir() else []
        sets = [folder for folder in folders if (folder / "patches0000.bmp").is_file()]
        if not sets:
            raise refusal(root, ("brown",), f"files such as patches0000.bmp and {STANDARD}")
        items = []
        for folder in sets:
            standard = folder / STANDARD
            files = [standard] if standard.is_file() else sorted(folder.glob("m50_*.txt"))
            if not files:
                raise DatasetError(f"'{folder}' has no pairs to judge by, such as '{STANDARD}'")
            items += [BrownItem(folder, path) for path in files]
        return items

    def label(self, item: BrownItem) -> str:
        """Such as `liberty/m50_100000_100000_0`."""
        return f"{self.group(item)}/{item.pairs.stem}"

    def group(self, item: BrownItem) -> str:
        """The set."""
        return item.folder.resolve().name

    def files(self, item: BrownItem) -> Sequence[Path]:
        """Sheets, points and pairs."""
        sheets = sorted(item.folder.glob("patches*.bmp"))
        return *sheets, item.folder / "info.txt", item.pairs

    def candidate(self, model: str) -> Candidate:
        """As elsewhere; what finds its own keypoints cannot describe given patches.

        Raises:
            ModelError: the model is unknown or does not describe patches.
        """
        return find_patch_model(model)

    def read(self, item: BrownItem) -> BrownInputs:
        """The patches that the pairs name."""
        found = read_brown(item.folder)
        pairs = read_brown_pairs(item.pairs, found.point_ids)
        rows, places = np.unique(np.stack((pairs.first, pairs.second)), return_inverse=True)
        first, second = places.reshape(2, -1)
        return BrownInputs(found.patches[rows], first, second, pairs.matching)

    def warm_up(self, model: str, inputs: BrownInputs) -> None:
        """A few patches are enough."""
        describe_patches(model, inputs.patches[:_WARM_UP])

    def run(self, model: str, inputs: BrownInputs) -> Output:
        """The descriptors of the patches."""
        return describe_patches(model, inputs.patches)

    def score(self, item: BrownItem, inputs: BrownInputs, output: Output) -> Scores:
        """Share of the pairs of different points accepted with 95 % of the matching ones."""
        distance = _distances(inputs, output)
        rate = fpr95(distance[inputs.matching], distance[~inputs.matching])
        return {"num_pairs": float(len(distance)), "fpr95": rate}

    def worst(self, item: BrownItem) -> Scores:
        """Everything is accepted."""
        return {"num_pairs": 0.0, "fpr95": 1.0}

    def aggregate(self, table: ScoreTable) -> Totals:
        """Means over files of pairs."""
        return {key: mean_over_items(values) for key, values in table.items()}

    def draw(self, inputs: BrownInputs, output: Output) -> Picture:
        """The matching pairs that are farthest apart."""
        distance = np.where(inputs.matching, _distances(inputs, output), -1)
        rows = np.argsort(-distance, kind="stable")[:_SHOWN]
        sides = {"a patch": inputs.first, "and its match": inputs.second}
        return draw_patches({name: inputs.patches[side[rows]] for name, side in sides.items()})


def _distances(inputs: BrownInputs, output: Output) -> Float[np.ndarray, " K"]:
    difference = output[inputs.first] - output[inputs.second]
    distance: Float[np.ndarray, " K"] = np.linalg.norm(difference, axis=1)
    return distance
