"""Pairs of any set of semantic correspondence, recognised by its layout."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from corr.data.layouts import refusal, scene_folders
from corr.data.semantic.cub import is_cub, read_cub
from corr.data.semantic.pairs import SemanticPair
from corr.data.semantic.pf_pascal import is_pf_pascal, read_pf_pascal
from corr.data.semantic.pf_willow import is_pf_willow, read_pf_willow
from corr.data.semantic.spair import is_spair, read_spair
from corr.data.semantic.tss import is_tss, read_tss
from corr.errors import DatasetError


class _Set(NamedTuple):
    is_there: Callable[[Path], bool]
    read: Callable[[Path, str], list[SemanticPair]]


_SETS = {
    "spair-71k": _Set(is_spair, read_spair),
    "pf-pascal": _Set(is_pf_pascal, read_pf_pascal),
    "cub-200-2011": _Set(is_cub, read_cub),
    "tss": _Set(is_tss, read_tss),
    "pf-willow": _Set(is_pf_willow, read_pf_willow),
}
SETS = tuple(_SETS)
"""Cards of the sets that are read."""


def read_semantic(root: Path, split: str = "test") -> list[SemanticPair]:
    """The pairs of the one set below a root, in the order of its list.

    Args:
        root: of the set, or a folder that holds it, or one two levels above.
        split: `train`, `val` or `test`, as far as the set has it.

    Raises:
        DatasetError: no such set is there, or several are, or it is not whole.
    """
    found: list[tuple[Path, str]] = []
    for folder in scene_folders(root) if root.is_dir() else []:
        if any(folder.is_relative_to(place) for place, _ in found):
            continue
        found += [(folder, name) for name, entry in _SETS.items() if entry.is_there(folder)][:1]
    if not found:
        raise refusal(
            root,
            SETS,
            "class folders of images with .mat files (PF-WILLOW), Annotations and JPEGImages "
            "(PF-PASCAL), PairAnnotation (SPair-71k), images.txt with parts (CUB-200-2011), or "
            "FG3DCar, JODS and PASCAL (TSS)",
        )
    if len(found) > 1:
        both = " and ".join(f"{name} ('{folder}')" for folder, name in found[:2])
        raise DatasetError(f"'{root}' holds {both}; give the root of one of them")
    folder, name = found[0]
    return _SETS[name].read(folder, split)
