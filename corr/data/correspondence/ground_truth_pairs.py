"""Pairs from published sets of optical flow and of stereo, and of depth with cameras."""

from __future__ import annotations

from abc import abstractmethod
from functools import cached_property
from pathlib import Path
from typing import Generic, TypeVar

import cv2
import numpy as np
from jaxtyping import Bool, Float

from corr.data.cameras import shown_at
from corr.data.correspondence.cropping import crop_pair, crop_rectified
from corr.data.correspondence.dense_pair import DensePair, PairSource, targets
from corr.data.flow_pairs import FlowPair, read_flow
from corr.data.photometric import PhotometricChange, Photometry
from corr.data.posed_pairs import PosedPair, read_posed
from corr.data.stereo_pairs import StereoPair, read_stereo
from corr.data.synthetic.ranges import check_range
from corr.errors import DatasetError
from corr.formats import read_image

UNCHANGED = Photometry(probability=0.0)

Listed = TypeVar("Listed")


class GroundTruthPairs(PairSource, Generic[Listed]):
    """Whole images with known correspondences, of which a window at a time is seen.

    The folder is looked into when the first pair, or their number, is asked for.

    Args:
        root: of the set.
        photometry: how much the light and the camera of each image change; not at all when not
            given.
    """

    crop = staticmethod(crop_pair)
    """How a window is chosen."""

    def __init__(self, root: str | Path, *, photometry: Photometry | None = None) -> None:
        self.root = Path(root)
        self._change = PhotometricChange(photometry or UNCHANGED)

    @abstractmethod
    def list_pairs(self) -> list[Listed]:
        """Every pair of the set, in a fixed order.

        Raises:
            DatasetError: no pair is there.
        """

    @abstractmethod
    def read(self, pair: Listed) -> DensePair:
        """Both images and the flow between them; pixels that image 1 does not show have none.

        Raises:
            DatasetError, FormatError, ImageError: a file is damaged.
        """

    @cached_property
    def pairs(self) -> list[Listed]:
        """What `list_pairs` found."""
        return self.list_pairs()

    def __len__(self) -> int:
        return len(self.pairs)

    def pair(self, index: int, side: int, rng: np.random.Generator) -> DensePair:
        """A window of both images, which show some of the same points."""
        whole = self.read(self.pairs[index])
        image0, image1 = (self._change.colour(image, rng) for image in (whole.image0, whole.image1))
        return self.crop(image0, image1, whole.flow_0to1, side, rng)


class FlowPairs(GroundTruthPairs[FlowPair]):
    """Frames with known optical flow: any layout that `corr.data.flow_pairs` reads.

    Args:
        root: of the set.
        photometry: how much the light and the camera of each frame change; not at all when not
            given.
    """

    def list_pairs(self) -> list[FlowPair]:
        """Every pair of frames."""
        return read_flow(self.root)

    def read(self, pair: FlowPair) -> DensePair:
        """Both frames; occluded pixels have no target."""
        truth = pair.truth()
        return known_pair(pair.image0, pair.image1, truth.flow, truth.occluded)


class StereoPairs(GroundTruthPairs[StereoPair]):
    """Rectified images with known disparity: any layout that `corr.data.stereo_pairs` reads.

    A window has the same rows of both.

    Args:
        root: of the set.
        photometry: how much the light and the camera of each image change; not at all when not
            given.
        vertical_error: by how much the right window may be moved up or down, px: how badly a pair
            is rectified.

    Raises:
        OptionError: vertical_error is not in [0, 5].
    """

    crop = staticmethod(crop_rectified)

    def __init__(
        self,
        root: str | Path,
        *,
        photometry: Photometry | None = None,
        vertical_error: float = 0.0,
    ) -> None:
        super().__init__(root, photometry=photometry)
        check_range("vertical_error", (0, vertical_error), 0, 5)
        self.vertical_error = vertical_error

    def pair(self, index: int, side: int, rng: np.random.Generator) -> DensePair:
        """A window of both images on the same rows, but for the vertical error."""
        found = super().pair(index, side, rng)
        if self.vertical_error == 0:
            return found
        down = rng.uniform(-self.vertical_error, self.vertical_error)
        move = np.array([[1, 0, 0], [0, 1, down]], np.float32)
        moved = cv2.warpAffine(
            found.image1,
            move,
            (side, side),
            flags=cv2.INTER_LINEAR,
            borderMode=cv2.BORDER_REPLICATE,
        )
        target = targets(found.flow_0to1)[..., 1] + down
        flow = found.flow_0to1 + np.array([0, down], np.float32)
        flow[(target < 0) | (target > side - 1)] = np.nan
        return DensePair(found.image0, moved, flow)

    def list_pairs(self) -> list[StereoPair]:
        """Every pair of a left and a right image."""
        return read_stereo(self.root)

    def read(self, pair: StereoPair) -> DensePair:
        """Both images, the left one first; occluded pixels have no target."""
        truth = pair.truth()
        flow = np.stack((-truth.disparity, 0 * truth.disparity), axis=-1)
        return known_pair(pair.left, pair.right, flow, truth.occluded)


class DepthPairs(GroundTruthPairs[PosedPair]):
    """Pictures with depth and cameras: the folders that `corr.data.posed_pairs` reads.

    What is occluded is found by comparing depths: a pixel has a target where the depth of its point
    is the one that picture 1 has there.

    Args:
        root: of the folders.
        photometry: how much the light and the camera of each picture change; not at all when not
            given.
    """

    def list_pairs(self) -> list[PosedPair]:
        """Every folder."""
        return read_posed(self.root)

    def read(self, pair: PosedPair) -> DensePair:
        """Both pictures; pixels whose depths do not agree have no target."""
        truth = pair.truth()
        motion = truth.motion_0to1()
        shown = shown_at(targets(motion.flow_0to1), motion.depth, truth.depth1)
        return known_pair(pair.image0, pair.image1, motion.flow_0to1, ~shown)


def known_pair(
    path0: Path,
    path1: Path,
    flow_0to1: Float[np.ndarray, "H W 2"],
    occluded: Bool[np.ndarray, "H W"] | None,
) -> DensePair:
    """The images of two files, and the flow between them where it is not occluded.

    Raises:
        DatasetError: the flow has another size than the first image.
        ImageError: a file is no image that can be read.
    """
    image0, image1 = read_image(path0), read_image(path1)
    if image0.shape[:2] != flow_0to1.shape[:2]:
        height, width = flow_0to1.shape[:2]
        raise DatasetError(
            f"'{path0}' has {image0.shape[1]} x {image0.shape[0]} pixels and its ground truth "
            f"{width} x {height}; they have to be alike"
        )
    flow = flow_0to1.astype(np.float32)
    if occluded is not None:
        flow[occluded] = np.nan
    return DensePair(image0, image1, flow)
