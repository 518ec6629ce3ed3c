"""Pairs from published sets of optical flow and of stereo."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Float32

from corr.data.correspondence.cropping import crop_pair
from corr.data.correspondence.dense_pair import DensePair, PairSource
from corr.data.flow_pairs import read_flow
from corr.data.photometric import PhotometricChange, Photometry
from corr.data.stereo_pairs import read_stereo
from corr.formats import read_image

UNCHANGED = Photometry(probability=0.0)


class FlowPairs(PairSource):
    """Frames with known optical flow: any layout that `corr.data.flow_pairs` reads.

    Args:
        root: of the set.
        photometry: how much the light and the camera of each frame change; not at all when not
            given.

    Raises:
        DatasetError: no pair is there.
    """

    def __init__(self, root: str | Path, *, photometry: Photometry | None = None) -> None:
        self._pairs = read_flow(Path(root))
        self._change = PhotometricChange(photometry or UNCHANGED)

    def __len__(self) -> int:
        return len(self._pairs)

    def pair(self, index: int, side: int, rng: np.random.Generator) -> DensePair:
        """A window of two frames; occluded pixels have no target."""
        chosen = self._pairs[index]
        truth = chosen.truth()
        flow = np.where(_hidden(truth.occluded, truth.flow), np.float32(np.nan), truth.flow)
        image0, image1 = (
            self._change.colour(read_image(path), rng) for path in (chosen.image0, chosen.image1)
        )
        return crop_pair(image0, image1, flow, side, rng)


class StereoPairs(PairSource):
    """Rectified images with known disparity: any layout that `corr.data.stereo_pairs` reads.

    Args:
        root: of the set.
        photometry: how much the light and the camera of each image change; not at all when not
            given.

    Raises:
        DatasetError: no pair is there.
    """

    def __init__(self, root: str | Path, *, photometry: Photometry | None = None) -> None:
        self._pairs = read_stereo(Path(root))
        self._change = PhotometricChange(photometry or UNCHANGED)

    def __len__(self) -> int:
        return len(self._pairs)

    def pair(self, index: int, side: int, rng: np.random.Generator) -> DensePair:
        """A window of both images, the left one first; occluded pixels have no target."""
        chosen = self._pairs[index]
        truth = chosen.truth()
        x = -truth.disparity
        flow = np.stack((x, np.where(np.isnan(x), x, 0)), axis=-1).astype(np.float32)
        flow = np.where(_hidden(truth.occluded, flow), np.float32(np.nan), flow)
        left, right = (
            self._change.colour(read_image(path), rng) for path in (chosen.left, chosen.right)
        )
        return crop_pair(left, right, flow, side, rng)


def _hidden(occluded: np.ndarray | None, flow: Float32[np.ndarray, "H W 2"]) -> np.ndarray:
    if occluded is None:
        return np.zeros((*flow.shape[:2], 1), bool)
    return occluded[..., None]
