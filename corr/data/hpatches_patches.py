"""HPatches' patches: a folder a sequence, a strip of patches for each image and level of noise.

Source: Balntas 2017, "HPatches: A benchmark and evaluation of handcrafted and learned local
descriptors", and the notes that come with the set.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from corr.data.layouts import refusal, require, scene_folders
from corr.errors import CorrError, DatasetError
from corr.formats.images import read_image, read_image_size, write_image
from corr.geometry import PATCH_SIZE

REFERENCE = "ref"
LEVELS = ("e", "h", "t")
"""Easy, hard and tough: how far a patch is off its place."""
NUM_TARGETS = 5
"""Images beside the reference."""
STRIPS = (REFERENCE, *(f"{level}{k}" for level in LEVELS for k in range(1, NUM_TARGETS + 1)))
PUBLISHED_SIDE = 65
"""Of a patch, px."""

_SUFFIX = (".png",)
_EXPECTED = "folders of ref.png, e1.png .. e5.png, h1.png .. h5.png and t1.png .. t5.png"

Patches = UInt8[np.ndarray, "N P P"]


@dataclass(frozen=True)
class PatchStrips:
    """One sequence; patch i of every strip shows the same point."""

    name: str
    """That of its folder, such as `v_wall`."""
    num_points: int
    files: Mapping[str, Path]
    """The file of each strip."""

    def read(self, strip: str, *, side: int = PATCH_SIZE) -> Patches:
        """The patches of a strip, reduced to `side` by the mean over the area of each new pixel.

        Args:
            strip: one of `STRIPS`.
            side: of a patch, px; 65 keeps them as published.

        Raises:
            DatasetError: the strip cannot be read.
        """
        try:
            pixels = read_image(self.files[strip])
        except CorrError as error:
            raise DatasetError(f"a strip of patches cannot be used: {error}") from error
        whole = np.ascontiguousarray(pixels[..., 0]).reshape(-1, PUBLISHED_SIDE, PUBLISHED_SIDE)
        return reduce_patches(whole, side)


def read_hpatches(root: str | Path) -> list[PatchStrips]:
    """The sequences below a folder, by name; their strips are read when they are asked for.

    Args:
        root: one sequence, the folder of the set, or a folder that holds it.

    Raises:
        DatasetError: there is none, or a strip is missing, damaged, of another width than 65 px, of
            a height that is no multiple of it, or of another length than its sequence's `ref.png`.
    """
    root = Path(root)
    folders = scene_folders(root) if root.is_dir() else []
    found = [folder for folder in folders if any((folder / f"{s}.png").exists() for s in STRIPS)]
    if not found:
        raise refusal(root, ("hpatches-patches",), _EXPECTED)
    return [_sequence(folder) for folder in found]


def write_strips(folder: Path, patches: Mapping[str, UInt8[np.ndarray, "N 65 65"]]) -> None:
    """Write the strips of a sequence in the published layout.

    Args:
        folder: of the sequence; made when missing.
        patches: of each strip.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for strip, values in patches.items():
        write_image(folder / f"{strip}.png", values.reshape(-1, PUBLISHED_SIDE))


def reduce_patches(patches: Patches, side: int = PATCH_SIZE) -> UInt8[np.ndarray, "N S S"]:
    """Smaller patches; a pixel is the mean over the area that it covers.

    The benchmark's own code interpolates linearly, which at this ratio is nearly the same.
    """
    if patches.shape[-1] == side:
        return patches
    column = patches.reshape(-1, patches.shape[-1])
    # Patches begin at multiples of the reduction, so that no pixel mixes two of them.
    reduced = cv2.resize(column, (side, len(patches) * side), interpolation=cv2.INTER_AREA)
    return np.asarray(reduced, np.uint8).reshape(-1, side, side)


def _sequence(folder: Path) -> PatchStrips:
    files = {strip: require(folder, strip, _SUFFIX) for strip in STRIPS}
    lengths = {strip: _length(path) for strip, path in files.items()}
    num_points = lengths[REFERENCE]
    for strip, length in lengths.items():
        if length != num_points:
            raise DatasetError(
                f"'{files[strip]}' holds {length} patches, and '{files[REFERENCE].name}' "
                f"{num_points}"
            )
    return PatchStrips(folder.resolve().name, num_points, files)


def _length(path: Path) -> int:
    try:
        width, height = read_image_size(path)
    except CorrError as error:
        raise DatasetError(f"a strip of patches cannot be used: {error}") from error
    if width != PUBLISHED_SIDE or height % PUBLISHED_SIDE:
        raise DatasetError(
            f"'{path}' has {width} x {height} pixels; a strip is {PUBLISHED_SIDE} px wide and a "
            "multiple of that high"
        )
    return height // PUBLISHED_SIDE
