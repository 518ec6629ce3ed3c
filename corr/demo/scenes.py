"""Two scenes with ground truth, from photographs that scikit-image installs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import skimage.data
import torch
from jaxtyping import Bool, Float, Int, UInt8

from corr.geometry import transform_points, warp_homography
from corr.results import Matches, Picture

Locate = Callable[[Float[np.ndarray, "N 2"]], Float[np.ndarray, "N 2"]]

CORRECT_PX = 3.0
"""A match is correct when image 1 is hit this close to where the ground truth says."""


@dataclass(frozen=True, eq=False)
class Scene:
    """Two views, and where each point of the first lies in the second."""

    name: str
    title: str
    text: str
    """What the views are, and where the ground truth comes from."""
    image0: Picture
    image1: Picture
    locate: Locate
    """Points of image 0 to image 1; NaN where that is unknown or the point is not seen."""

    def judge(self, matches: Matches) -> tuple[Matches, Bool[np.ndarray, " K"]]:
        """The matches whose truth is known, and which of them are correct."""
        truth = self.locate(matches.keypoints0)
        known = np.isfinite(truth[:, 0])
        judged = select(matches, known)
        error = np.linalg.norm(judged.keypoints1 - truth[known], axis=1)
        return judged, error <= CORRECT_PX


@dataclass(frozen=True, eq=False)
class StereoScene(Scene):
    """A rectified pair with the disparity of the left view."""

    truth: Float[np.ndarray, "H W"]
    """px; infinite where unknown."""


def select(matches: Matches, chosen: Bool[np.ndarray, " K"] | Int[np.ndarray, " J"]) -> Matches:
    """Some of the matches, by mask or by index."""
    return replace(
        matches,
        keypoints0=matches.keypoints0[chosen],
        keypoints1=matches.keypoints1[chosen],
        scores=matches.scores[chosen],
    )


def motorcycle() -> StereoScene:
    """Middlebury's motorcycle at quarter size, the real stereo pair of scikit-image.

    Source: Scharstein et al. 2014, "High-Resolution Stereo Datasets with Subpixel-Accurate Ground
    Truth".
    """
    left, right, truth = skimage.data.stereo_motorcycle()
    return StereoScene(
        "motorcycle",
        "Motorcycle",
        "Two cameras side by side. Keypoints of both photographs are described by each model and "
        "paired with their mutual nearest neighbours; the disparity that was measured with "
        "structured light says which pairs are right.",
        left,
        right,
        locate_by_disparity(truth),
        truth,
    )


def astronaut() -> Scene:
    """The astronaut, and the same photograph turned, tilted and differently exposed."""
    image0 = skimage.data.astronaut()
    height, width = image0.shape[:2]
    homography = astronaut_homography(height, width)
    tensor = torch.from_numpy(image0).permute(2, 0, 1)[None].double() / 255
    warped = warp_homography(tensor, torch.from_numpy(homography)[None])[0].permute(1, 2, 0)
    return Scene(
        "astronaut",
        "Astronaut",
        "A photograph and its copy: turned by 30 degrees, shrunk, tilted, underexposed, warmer and "
        "noisy. The homography that warped it says which pairs are right.",
        image0,
        expose(warped.numpy()),
        locate_by_homography(homography, (height, width)),
    )


def locate_by_disparity(truth: Float[np.ndarray, "H W"]) -> Locate:
    """A point moves left by the disparity of the pixel it is in; NaN when that is not seen."""
    seen = np.where(_occluded(truth), np.nan, truth)
    height, width = truth.shape

    def locate(points0: Float[np.ndarray, "N 2"]) -> Float[np.ndarray, "N 2"]:
        column = np.clip(np.rint(points0[:, 0]).astype(int), 0, width - 1)
        row = np.clip(np.rint(points0[:, 1]).astype(int), 0, height - 1)
        moved = np.stack((points0[:, 0] - seen[row, column], points0[:, 1]), axis=1)
        return _or_nan(moved, moved[:, 0] > -0.5)  # not so for NaN

    return locate


def locate_by_homography(
    homography_0to1: Float[np.ndarray, "3 3"], image_size1: tuple[int, int]
) -> Locate:
    """A point moves as the homography says; NaN when it leaves image 1 (height, width)."""
    matrix = torch.from_numpy(homography_0to1)
    limit = np.array([image_size1[1] - 0.5, image_size1[0] - 0.5])

    def locate(points0: Float[np.ndarray, "N 2"]) -> Float[np.ndarray, "N 2"]:
        moved = transform_points(matrix, torch.from_numpy(points0.astype(np.float64))).numpy()
        inside: Bool[np.ndarray, "N 2"] = (moved > -0.5) & (moved < limit)
        return _or_nan(moved, inside[:, 0] & inside[:, 1])

    return locate


def astronaut_homography(height: int, width: int) -> Float[np.ndarray, "3 3"]:
    """A turn by 30 degrees about the centre, a shrinkage to 0.8, and a tilt."""
    centre = np.array([[1, 0, (width - 1) / 2], [0, 1, (height - 1) / 2], [0, 0, 1]])
    cos, sin = 0.8 * np.cos(np.pi / 6), 0.8 * np.sin(np.pi / 6)
    turn = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    tilt = np.array([[1, 0, 0], [0, 1, 0], [0.4 / width, -0.2 / height, 1]])
    homography: Float[np.ndarray, "3 3"] = centre @ tilt @ turn @ np.linalg.inv(centre)
    return homography


def expose(image: Float[np.ndarray, "H W 3"]) -> UInt8[np.ndarray, "H W 3"]:
    """The picture at dusk: gamma 1.5, warmer, with the noise of a sensor (fixed seed)."""
    warm = image**1.5 * np.array([0.95, 0.85, 0.7])
    noisy = warm + np.random.default_rng(0).normal(0, 0.015, image.shape)
    dusk: UInt8[np.ndarray, "H W 3"] = np.rint(255 * noisy.clip(0, 1)).astype(np.uint8)
    return dusk


def _or_nan(
    points: Float[np.ndarray, "N 2"], known: Bool[np.ndarray, " N"]
) -> Float[np.ndarray, "N 2"]:
    return np.where(known[:, None], points, np.nan)


def _occluded(truth: Float[np.ndarray, "H W"]) -> Bool[np.ndarray, "H W"]:
    """True where a nearer point of the row lands on the same pixel of the right image."""
    height, width = truth.shape
    known = np.isfinite(truth)
    row, column = np.nonzero(known)
    target = np.rint(column - truth[known]).astype(int)
    inside = (target >= 0) & (target < width)
    nearest = np.zeros((height, width))
    np.maximum.at(nearest, (row[inside], target[inside]), truth[known][inside])
    hidden = np.zeros((height, width), bool)
    own = truth[known][inside]
    hidden[row[inside], column[inside]] = nearest[row[inside], target[inside]] > own + 1
    return hidden
