"""A set to run HPatches' tasks on: its published strips, or strips cut from image sequences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from corr.data.homographies import HomographyPair, read_sequences
from corr.data.hpatches_patches import REFERENCE, STRIPS, PatchStrips, read_hpatches, reduce_patches
from corr.data.hpatches_tasks import (
    HPatchesTasks,
    draw_tasks,
    named_sequences,
    read_tasks,
    task_files,
)
from corr.data.layouts import recognise_all, refusal
from corr.data.sequence_strips import cut_strips, sequences_of
from corr.errors import DatasetError
from corr.geometry import PATCH_SIZE

PUBLISHED, SEQUENCES = "hpatches-patches", ("hpatches-sequences", "oxford-affine")

TEXTURED = 10.0
"""Smallest standard deviation of a patch that may be a query or a distractor, in grey levels."""

Strips = Mapping[str, UInt8[np.ndarray, "_ _ _"]]


@dataclass(frozen=True)
class HPatchesSet:
    """Sequences, either as published strips or as images to cut, and the split of its tasks."""

    split: str
    """Such as `full`; `drawn` without published task files."""
    task_paths: tuple[Path, ...]
    published: tuple[PatchStrips, ...]
    images: tuple[tuple[HomographyPair, ...], ...]
    """Empty where strips are published."""

    @property
    def name(self) -> str:
        """Such as `published/full` or `cut/drawn`."""
        return f"{'published' if self.published else 'cut'}/{self.split}"

    @property
    def files(self) -> tuple[Path, ...]:
        """All that it is read from."""
        strips = [path for strips in self.published for path in strips.files.values()]
        pairs = [pair for sequence in self.images for pair in sequence]
        truth = [pair.truth_file for pair in pairs if pair.truth_file is not None]
        images = [path for pair in pairs for path in (pair.path0, pair.path1)]
        return tuple(dict.fromkeys((*strips, *images, *truth, *self.task_paths)))


@dataclass(frozen=True, eq=False)
class HPatchesInputs:
    """A set with its tasks. What was cut is in memory; published strips are read in turn."""

    names: tuple[str, ...]
    tasks: HPatchesTasks
    published: tuple[PatchStrips, ...]
    cut: tuple[Strips, ...]

    def strips(self, row: int) -> Strips:
        """Those of a sequence, at 32 px."""
        if self.cut:
            return self.cut[row]
        return {strip: self.published[row].read(strip) for strip in STRIPS}


def find_set(root: Path) -> HPatchesSet:
    """The set below a folder.

    Args:
        root: of HPatches' patches, with the benchmark's task files in it or in its `tasks` where
            they are to be used; or of image sequences with homographies.

    Raises:
        DatasetError: there is neither, or a part of it is missing or damaged.
    """
    kinds = recognise_all(root)
    if PUBLISHED in kinds:
        published, tasks = read_hpatches(root), task_files(root)
        if tasks is None:
            return HPatchesSet("drawn", (), tuple(published), ())
        split, paths = tasks
        named = named_sequences(paths[0])
        there = tuple(strips for strips in published if strips.name in named)
        return HPatchesSet(split, paths, there or tuple(published), ())
    if set(kinds).isdisjoint(SEQUENCES):
        raise refusal(
            root,
            (PUBLISHED, *SEQUENCES),
            "folders of ref.png, e1.png .. t5.png, or of images with homographies to cut",
        )
    sequences = sequences_of(read_sequences(root))
    return HPatchesSet("drawn", (), (), tuple(map(tuple, sequences)))


def read_set(found: HPatchesSet, *, max_points: int, sigmas: float) -> HPatchesInputs:
    """The tasks of a set, and what they are about.

    Args:
        found: the set.
        max_points: of a sequence that is cut.
        sigmas: side of a patch that is cut, in sigmas of its keypoint.

    Raises:
        CorrError: an image, a strip or a task file cannot be used.
    """
    cut = tuple(_cut(pairs, max_points, sigmas) for pairs in found.images)
    if found.published:
        names = tuple(strips.name for strips in found.published)
        counts = [strips.num_points for strips in found.published]
        references = (strips.read(REFERENCE) for strips in found.published)
    else:
        names = tuple(pairs[0].sequence for pairs in found.images)
        counts = [len(strips[REFERENCE]) for strips in cut]
        references = (strips[REFERENCE] for strips in cut)
    if found.task_paths:
        tasks = read_tasks(found.task_paths, names, counts)
    elif max(counts) < 2:
        raise DatasetError("every sequence has one point alone; two or more are needed to compare")
    else:
        tasks = draw_tasks(counts, [side.std((1, 2)) > TEXTURED for side in references])
    return HPatchesInputs(names, tasks, found.published, cut)


def _cut(pairs: Sequence[HomographyPair], max_points: int, sigmas: float) -> Strips:
    whole = cut_strips(pairs, max_points, sigmas=sigmas)
    return {strip: reduce_patches(patches, PATCH_SIZE) for strip, patches in whole.items()}
