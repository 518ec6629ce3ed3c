"""Pairs of images with known disparity, flow or cameras: what readers of published sets return."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32, Float64


@dataclass(frozen=True, eq=False)
class StereoTruth:
    """What is known of a stereo pair, in pixels of its left image."""

    disparity: Float32[np.ndarray, "H W"]
    """px; `x_right = x_left - disparity`, NaN where it is not known."""
    occluded: Bool[np.ndarray, "H W"] | None
    """True where the disparity is known and the right image does not show the point.

    None where the set does not let one tell.
    """
    max_disparity: int
    """Bound of the search: `ndisp` where the set publishes it, else the multiple of 16 above the
    largest true disparity."""


@dataclass(frozen=True, eq=False)
class FlowTruth:
    """What is known of the motion between two images, in pixels of the first."""

    flow: Float32[np.ndarray, "H W 2"]
    """px; `target = p + flow(p)`, NaN where it is not known."""
    occluded: Bool[np.ndarray, "H W"] | None
    """True where the second image does not show the point; None where the set does not tell."""


@dataclass(frozen=True)
class StereoPair:
    """A rectified pair of a published set; images and truth are read when asked for."""

    name: str
    """Unique in its root, such as `teddy` or `000027_10`."""
    group: str
    """Set and year, such as `middlebury-2003` or `kitti-2012`."""
    left: Path
    right: Path
    truth_files: tuple[Path, ...]
    """What `truth` reads."""
    read: Callable[[], StereoTruth] = field(repr=False, compare=False)
    """How `truth` reads it."""

    def truth(self) -> StereoTruth:
        """Its ground truth.

        Raises:
            FormatError, ImageError: a file of it is damaged.
            DatasetError: the files do not go together.
        """
        return self.read()


@dataclass(frozen=True)
class FlowPair:
    """Two frames of a published set; images and truth are read when asked for."""

    name: str
    """Unique in its root, such as `clean/alley_1/frame_0002` or `RubberWhale`."""
    group: str
    """Part of the set: `clean` or `final`, `train` or `val`, else the set itself."""
    image0: Path
    image1: Path
    truth_files: tuple[Path, ...]
    """What `truth` reads."""
    read: Callable[[], FlowTruth] = field(repr=False, compare=False)
    """How `truth` reads it."""

    def truth(self) -> FlowTruth:
        """Its ground truth.

        Raises:
            FormatError, ImageError: a file of it is damaged.
            DatasetError: the files do not go together.
        """
        return self.read()


@dataclass(frozen=True, eq=False)
class Cameras:
    """Both cameras of a pair, in pixels of its images."""

    intrinsics0: Float64[np.ndarray, "3 3"]
    intrinsics1: Float64[np.ndarray, "3 3"]
    pose_0to1: Float64[np.ndarray, "4 4"]
    """Takes points from the frame of camera 0 to that of camera 1."""


@dataclass(frozen=True)
class CameraPair:
    """Two views of one scene by cameras that are known."""

    name: str
    """Unique in its root, such as `fountain-P11/0000-0001`."""
    group: str
    """Scene, and how many views the two are apart; or the set."""
    image0: Path
    image1: Path
    truth_files: tuple[Path, ...]
    """What says where the cameras are."""
    read: Callable[[tuple[int, int], tuple[int, int]], Cameras] = field(repr=False, compare=False)
    """How `cameras` reads them."""

    def cameras(self, size0: tuple[int, int], size1: tuple[int, int]) -> Cameras:
        """The cameras of images of these sizes, (height, width).

        Raises:
            FormatError, DatasetError: a file of them is damaged, or of other images.
        """
        return self.read(size0, size1)


def search_bound(disparity: Float32[np.ndarray, "H W"]) -> int:
    """The multiple of 16 above the largest known disparity, px; 16 when none is known."""
    highest = float(np.nanmax(disparity, initial=0))
    return 16 * (int(highest) // 16 + 1)
