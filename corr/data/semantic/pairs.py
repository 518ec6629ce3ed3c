"""What every reader of semantic correspondence returns: two images and the points they share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Float

PAIRS_PER_CLASS = 20
SEED = 0
"""Of the pairs that are drawn where a set publishes none."""

Box = Float[np.ndarray, " 4"]
"""(x_min, y_min, x_max, y_max), px."""


@dataclass(frozen=True, eq=False)
class SemanticTruth:
    """The points that both images of a pair show, row by row, and where the things are."""

    points0: Float[np.ndarray, "N 2"]
    """(x, y), px of image 0."""
    points1: Float[np.ndarray, "N 2"]
    """The same parts, px of image 1."""
    box0: Box | None = None
    """Around the thing in image 0; None where the set has no boxes."""
    box1: Box | None = None


@dataclass(frozen=True)
class SemanticPair:
    """Two images of a published set; its truth is read when asked for."""

    name: str
    """Unique in its root, such as `duck(S)/060_0000-060_0002`."""
    group: str
    """The class of the things."""
    image0: Path
    image1: Path
    truth_files: tuple[Path, ...]
    """What the truth is read from."""
    read: Callable[[], SemanticTruth] = field(repr=False, compare=False)
    """How `truth` reads it."""
    flipped: bool | None = None
    """Whether the two things face opposite sides; None where the set does not tell."""
    has_boxes: bool = True

    def truth(self) -> SemanticTruth:
        """Its points.

        Raises:
            FormatError, ImageError: a file of it is damaged.
            DatasetError: the files do not go together.
        """
        return self.read()


@dataclass(frozen=True, eq=False)
class AnnotatedImage:
    """One image with the parts that are marked in it."""

    path: Path
    truth_file: Path
    keypoints: Float[np.ndarray, "K 2"]
    """(x, y) px of each part of the class; NaN where it is not seen."""
    box: Box


def pair_of(
    group: str, first: AnnotatedImage, second: AnnotatedImage, flipped: bool | None = None
) -> SemanticPair:
    """Two images of a class with the parts that are marked in both; perhaps none."""
    common = np.isfinite(first.keypoints).all(1) & np.isfinite(second.keypoints).all(1)
    truth = SemanticTruth(first.keypoints[common], second.keypoints[common], first.box, second.box)
    return SemanticPair(
        f"{group}/{first.path.stem}-{second.path.stem}",
        group,
        first.path,
        second.path,
        tuple(dict.fromkeys((first.truth_file, second.truth_file))),
        lambda: truth,
        flipped,
    )


def drawn_pairs(group: str, images: Sequence[AnnotatedImage]) -> list[SemanticPair]:
    """`PAIRS_PER_CLASS` different ordered pairs of a class, by a fixed seed."""
    rest = len(images) - 1
    total = len(images) * rest
    rng = np.random.default_rng(SEED)
    if total == 0:
        return []
    chosen = rng.choice(total, min(PAIRS_PER_CLASS, total), replace=False)
    places = [divmod(int(number), rest) for number in chosen]
    return [pair_of(group, images[i], images[j + (j >= i)]) for i, j in places]


def box_around(points: Float[np.ndarray, "N 2"]) -> Box:
    """The smallest box that holds the points that are known."""
    return np.concatenate((np.nanmin(points, axis=0), np.nanmax(points, axis=0)))
