"""HPatches' patch benchmark: verification, matching and retrieval, easy, hard and tough."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import cv2
import numpy as np

from corr.data import hpatches_tasks
from corr.data.hpatches_patches import LEVELS, REFERENCE
from corr.data.hpatches_set import TEXTURED, HPatchesInputs, HPatchesSet, find_set, read_set
from corr.data.sequence_strips import JITTERS, MAX_OVERLAP, MIN_SCALE
from corr.drawing.patches import draw_patches
from corr.evaluation.aggregation import mean_over_items
from corr.evaluation.benchmark import Benchmark, Column, Scores, ScoreTable, Totals
from corr.evaluation.candidates import Candidate
from corr.evaluation.hpatches_scores import (
    KINDS,
    POOLS,
    UNBALANCED,
    Descriptors,
    matching,
    retrieval,
    verification,
)
from corr.evaluation.patch_models import COVERED_SIGMAS, TASK, describe_patches, find_patch_model
from corr.geometry import PATCH_SIGMAS, PATCH_SIZE
from corr.results import Picture

TASKS = ("verification", "matching", "retrieval")
ENDS = (*LEVELS, "mean")
"""Of the keys of their scores."""
NAMES = {"e": "easy, in the second image", "h": "hard", "t": "tough"}
"""Of the levels, in a picture."""
_DRAWN_ROWS = 14
_WARM_UP = 8

Output = list[Descriptors]
"""By sequence."""


@dataclass(frozen=True)
class HPatchesProtocol:
    """Everything that fixes the numbers; change one and the hash changes."""

    patches: str = f"{PATCH_SIZE} x {PATCH_SIZE} px of 8 bits, reduced from 65 px by area"
    sift_sigmas: float = COVERED_SIGMAS
    """Side of a patch for SIFT, so that its cells cover the patch."""
    verification: str = (
        "average precision of one positive to five negatives (balanced: area under ROC), mean of "
        "negatives of the same and of another sequence"
    )
    unbalanced: float = UNBALANCED
    matching: str = (
        "average precision of the nearest neighbours of all reference patches; mean over images, "
        "then sequences, then their kinds (i_, v_, other)"
    )
    retrieval: str = (
        "average precision of five matches among the first distractors of other sequences, mean "
        "over queries and pools; pools that a set cannot fill are all it has, once"
    )
    pools: tuple[int, ...] = POOLS
    average_precision: str = "by trapezoids; equal distances count against the model"
    tasks: str = "of the published files, split full, a, b, c, view or illum; else drawn"
    drawn: Mapping[str, float] = field(
        default_factory=lambda: {
            "pairs": hpatches_tasks.NUM_PAIRS,
            "query_share": hpatches_tasks.QUERY_SHARE,
            "max_queries": hpatches_tasks.MAX_QUERIES,
            "max_distractors": hpatches_tasks.MAX_DISTRACTORS,
            "min_deviation": TEXTURED,
            "seed": hpatches_tasks.SEED,
        }
    )
    search: str = "auto"
    """Who finds the nearest neighbours."""
    cut: str = "of image sequences: at the strongest SIFT keypoints that all six images show"
    max_points: int = 500
    """Of a sequence that is cut."""
    cut_sigmas: float = PATCH_SIGMAS
    cut_min_scale: float = MIN_SCALE
    cut_max_overlap: float = MAX_OVERLAP
    cut_noise: Mapping[str, Any] = field(
        default_factory=lambda: {level: asdict(jitter) for level, jitter in JITTERS.items()}
    )
    """Standard deviations; seeded by the sequence."""
    failed: str = "a set that failed has scores of 0"
    seconds: str = "describing all patches of the set; reading published strips is in them"
    opencv: str = cv2.__version__


class HPatchesBenchmark(Benchmark[HPatchesSet, HPatchesInputs, Output]):
    """Mean average precision of the three tasks for each model that describes patches."""

    name: ClassVar[str] = "hpatches"
    task: ClassVar[str] = TASK
    defaults: ClassVar[tuple[str, ...]] = ("sift", "rootsift", "hardnet")
    baseline: ClassVar[str] = "rootsift"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("points", ("num_points",), decimals=0),
        *(
            Column(
                f"{task} e/h/t/mean %", tuple(f"{task}_{end}" for end in (*LEVELS, "mean")), 100.0
            )
            for task in TASKS
        ),
        Column("balanced %", ("balanced_mean",), 100.0),
    )
    ranked_by: ClassVar[str] = "matching_mean"
    higher_is_better: ClassVar[bool] = True
    drawn: ClassVar[str] = (
        "Points of the first sequence whose descriptors differ most: reference patch, then easy, "
        "hard and tough in the second image."
    )
    settings: HPatchesProtocol

    def __init__(self, settings: HPatchesProtocol | None = None) -> None:
        self.settings = settings or HPatchesProtocol()

    def items(self, root: Path) -> list[HPatchesSet]:
        """The set: its tasks compare patches of different sequences, so that it is one item."""
        return [find_set(root)]

    def label(self, item: HPatchesSet) -> str:
        """Such as `published/full`."""
        return item.name

    def group(self, item: HPatchesSet) -> str:
        """The split."""
        return item.split

    def files(self, item: HPatchesSet) -> Sequence[Path]:
        """Strips and task files, or images and homographies."""
        return item.files

    def candidate(self, model: str) -> Candidate:
        """As elsewhere; what finds its own keypoints cannot describe given patches.

        Raises:
            ModelError: the model is unknown or does not describe patches.
        """
        return find_patch_model(model)

    def read(self, item: HPatchesSet) -> HPatchesInputs:
        """The tasks; patches that have to be cut are cut."""
        return read_set(item, max_points=self.settings.max_points, sigmas=self.settings.cut_sigmas)

    def warm_up(self, model: str, inputs: HPatchesInputs) -> None:
        """A few patches are enough."""
        describe_patches(model, inputs.strips(0)[REFERENCE][:_WARM_UP])

    def run(self, model: str, inputs: HPatchesInputs) -> Output:
        """The descriptors of every strip: 8 KB a point for 128 numbers."""
        return [
            {
                strip: describe_patches(model, patches)
                for strip, patches in inputs.strips(row).items()
            }
            for row in range(len(inputs.names))
        ]

    def score(self, item: HPatchesSet, inputs: HPatchesInputs, output: Output) -> Scores:
        """The mean average precision of each task and level, and what verification is made of."""
        verified = verification(output, inputs.tasks)
        matched = [matching(described, search=self.settings.search) for described in output]
        kinds = [_kind(name) for name in inputs.names]
        retrieved = retrieval(output, inputs.tasks)
        scores = {"num_points": float(sum(len(described[REFERENCE]) for described in output))}
        scores |= verified
        for level in LEVELS:
            of_level = [values[level] for values in matched]
            scores[f"verification_{level}"] = _mean(
                verified[f"unbalanced_{kind}_{level}"] for kind in KINDS
            )
            for kind in ("i", "v", "other"):
                part = [value for value, k in zip(of_level, kinds, strict=True) if k == kind]
                scores[f"matching_{kind}_{level}"] = _mean(part)
            scores[f"matching_{level}"] = _mean(
                scores[f"matching_{kind}_{level}"] for kind in ("i", "v", "other")
            )
            scores[f"retrieval_{level}"] = retrieved[level]
        for task in TASKS:
            scores[f"{task}_mean"] = _mean(scores[f"{task}_{level}"] for level in LEVELS)
        balanced = [value for key, value in verified.items() if key.startswith("balanced")]
        return {**scores, "balanced_mean": _mean(balanced)}

    def worst(self, item: HPatchesSet) -> Scores:
        """Nothing is found."""
        keys = [f"{task}_{end}" for task in TASKS for end in ENDS]
        keys += [f"matching_{kind}_{level}" for kind in ("i", "v", "other") for level in LEVELS]
        sides = [f"{kind}_{level}" for kind in KINDS for level in LEVELS]
        keys += [f"{balance}_{side}" for balance in ("balanced", "unbalanced") for side in sides]
        return dict.fromkeys((*keys, "balanced_mean", "num_points"), 0.0)

    def aggregate(self, table: ScoreTable) -> Totals:
        """Those of the set."""
        return {key: mean_over_items(values) for key, values in table.items()}

    def draw(self, inputs: HPatchesInputs, output: Output) -> Picture:
        """Points whose tough patch is described most unlike the reference patch."""
        strips, described = inputs.strips(0), output[0]
        distance = np.linalg.norm(described[REFERENCE] - described[f"{LEVELS[-1]}1"], axis=1)
        rows = np.argsort(-distance, kind="stable")[:_DRAWN_ROWS]
        shown = {"reference": REFERENCE, **{NAMES[level]: f"{level}1" for level in LEVELS}}
        return draw_patches({name: strips[strip][rows] for name, strip in shown.items()})


def _kind(name: str) -> str:
    """Illumination, viewpoint, or neither by its name."""
    return name[0] if name.startswith(("i_", "v_")) else "other"


def _mean(values: Any) -> float:
    """Of those that are a number; NaN where none is."""
    return float(mean_over_items(np.array(list(values), float)))
