"""Photographs of things, by their class; what is where in them is not known."""

from __future__ import annotations

from pathlib import Path

from corr.data.photos import SUFFIXES
from corr.data.semantic.reader import read_semantic
from corr.data.semantic.tss import GROUPS
from corr.errors import DatasetError

EVERY = 10
"""One photograph of so many is held out, and two of a class at least."""


def read_classes(root: Path, split: str | None = None) -> dict[str, list[Path]]:
    """The photographs of each class that has two or more.

    Args:
        root: a folder with a folder for each class, in which photographs lie at any depth; with a
            split, a set that `corr.data.semantic` reads.
        split: `train`, or another part that the set has.

    Raises:
        DatasetError: the folder is missing, or no class has two photographs.
    """
    found = _of_folders(root) if split is None else _of_pairs(root, split)
    several = {name: paths for name, paths in found.items() if len(paths) > 1}
    if not several:
        raise DatasetError(
            f"'{root}' has no class with two photographs or more; give a folder with a folder for "
            "each class, or the root and the split of a set with marked points"
        )
    return several


def part_of_classes(
    classes: dict[str, list[Path]], *, held_out: bool, root: Path
) -> dict[str, list[Path]]:
    """About every tenth photograph of each class with four or more, or else all the others.

    Raises:
        DatasetError: no class has so many, and something is to be held out.
    """
    kept = {}
    for name, paths in classes.items():
        held = set(paths[:: min(EVERY, len(paths) // 2)]) if len(paths) >= 4 else set()
        part = [path for path in paths if (path in held) is held_out]
        if part:
            kept[name] = part
    if not kept:
        raise DatasetError(
            f"'{root}' has no class with four photographs or more, of which some could be held out"
        )
    return kept


def _of_folders(root: Path) -> dict[str, list[Path]]:
    if not root.is_dir():
        raise DatasetError(f"'{root}' is not a folder; give one with a folder for each class")
    folders = sorted(folder for folder in root.iterdir() if folder.is_dir())
    return {
        folder.name: sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
        for folder in folders
    }


def _of_pairs(root: Path, split: str) -> dict[str, list[Path]]:
    classes: dict[str, set[Path]] = {}
    for pair in read_semantic(root, split):
        classes.setdefault(pair.group, set()).update((pair.image0, pair.image1))
    if set(classes) & set(GROUPS):
        raise DatasetError(f"'{root}' is TSS, which does not say what its photographs show")
    return {name: sorted(paths) for name, paths in classes.items()}
