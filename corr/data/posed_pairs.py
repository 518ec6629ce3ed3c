"""Pairs of pictures with depth and cameras, as `corr datasets synth posed` writes them.

A folder for each pair: `image0.png`, `image1.png`; `depth0.pfm`, `depth1.pfm` along the axis of
each camera; `masks0.png`, `masks1.png`, see `corr.data.masks`; and `cameras.json` with `intrinsics`
(3 x 3, of both cameras, px, the centre of the top-left pixel is (0, 0)) and `pose_0to1` (4 x 4,
takes points from the frame of camera 0 to that of 1).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float32, Float64

from corr.data.cameras import Camera, Motion, motion_of_depth
from corr.data.layouts import refusal, require, scene_folders
from corr.data.masks import Masks, read_masks
from corr.errors import DatasetError
from corr.formats import read_disparity

SETS = ("synthetic-posed",)
"""Cards of the sets that are read."""

CAMERAS = "cameras.json"
FILES = (
    *("image0.png", "image1.png", "depth0.pfm", "depth1.pfm", "masks0.png", "masks1.png"),
    CAMERAS,
)
"""Of each pair."""

_OWN = FILES[2:]
"""Names that no other set has."""


@dataclass(frozen=True, eq=False)
class PosedTruth:
    """What is known of a pair."""

    depth0: Float32[np.ndarray, "H W"]
    """Along the axis of the camera, NaN where not known."""
    depth1: Float32[np.ndarray, "H W"]
    masks0: Masks
    """What the other picture does not show, and where several surfaces mix."""
    masks1: Masks
    intrinsics: Float64[np.ndarray, "3 3"]
    pose_0to1: Float64[np.ndarray, "4 4"]

    def motion_0to1(self) -> Motion:
        """Where the pixels of picture 0 are seen in picture 1, whatever is in front of them."""
        camera = Camera(self.intrinsics)
        return motion_of_depth(self.depth0, camera, camera, self.pose_0to1)


@dataclass(frozen=True)
class PosedPair:
    """A pair in its folder."""

    folder: Path

    @property
    def image0(self) -> Path:
        """The first picture."""
        return self.folder / "image0.png"

    @property
    def image1(self) -> Path:
        """The second picture."""
        return self.folder / "image1.png"

    def truth(self) -> PosedTruth:
        """What is known of it.

        Raises:
            FormatError, ImageError, DatasetError: a file is damaged.
        """
        depths = [read_disparity(self.folder / f"depth{view}.pfm") for view in (0, 1)]
        masks = [read_masks(self.folder / f"masks{view}.png") for view in (0, 1)]
        if len({values.shape for values in (*depths, *(mask.edge for mask in masks))}) > 1:
            raise DatasetError(f"the depths and masks in '{self.folder}' differ in size")
        path = self.folder / CAMERAS
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            cameras = [np.array(content[key], float) for key in ("intrinsics", "pose_0to1")]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DatasetError(f"'{path}' does not hold intrinsics and pose_0to1") from error
        if [values.shape for values in cameras] != [(3, 3), (4, 4)]:
            raise DatasetError(f"'{path}': intrinsics are 3 x 3 and pose_0to1 is 4 x 4")
        return PosedTruth(depths[0], depths[1], masks[0], masks[1], cameras[0], cameras[1])


def read_posed(root: Path) -> list[PosedPair]:
    """Every pair below the root, by folder.

    Args:
        root: a folder of pairs, or of folders of pairs.

    Raises:
        DatasetError: no pair is there, or one lacks a file.
    """
    folders = scene_folders(root) if root.is_dir() else []
    found = [folder for folder in folders if any((folder / name).is_file() for name in _OWN)]
    if not found:
        raise refusal(root, SETS, f"folders of {', '.join(FILES)}")
    for folder in found:
        for file in FILES:
            path = Path(file)
            require(folder, path.stem, (path.suffix,))
    return [PosedPair(folder) for folder in found]
