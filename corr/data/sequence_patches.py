"""Pairs of patches of the same point, from two photographs that a known homography relates."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import cv2
import numpy as np
from jaxtyping import Bool, Float64, UInt8

from corr.classical.sift import detect_sift
from corr.data.cutting import Placed, cut_patches, placed_frames
from corr.data.homographies import HomographyPair
from corr.data.patches import DetectorNoise
from corr.data.viewpoints import map_keypoints
from corr.errors import ShapeError
from corr.formats import read_image
from corr.geometry import PATCH_SIGMAS

SUPPORT = 0.5
"""Radius around a keypoint that both photographs have to show, in sides of the patch."""

MIN_SCALE = 1.0
"""Smallest sigma in the second photograph, px; a detector finds nothing smaller."""

NEAR_SIGMAS = 1.0
"""Two keypoints closer than this many sigmas of the larger may be one point."""


@dataclass(frozen=True, eq=False)
class KeypointPairs:
    """Keypoints of the same points in two photographs, row by row."""

    view0: UInt8[np.ndarray, "H0 W0"]
    view1: UInt8[np.ndarray, "H1 W1"]
    placed0: Placed
    placed1: Placed
    """Where a detector might have found them."""
    negative: Bool[np.ndarray, "N N"]
    """True where the row of image 0 and the column of image 1 are surely different points."""


@dataclass(frozen=True, eq=False)
class PatchPairs:
    """Patches of the same points, row by row."""

    patches0: UInt8[np.ndarray, "N 32 32"]
    patches1: UInt8[np.ndarray, "N 32 32"]
    negative: Bool[np.ndarray, "N N"]
    """True where the row of image 0 and the column of image 1 are surely different points."""
    keypoints: KeypointPairs
    """Where they were cut."""


def cut_patch_pairs(
    pair: HomographyPair, max_keypoints: int, noise: DetectorNoise, *, sigmas: float = PATCH_SIGMAS
) -> PatchPairs:
    """The patches at the keypoints of `pair_keypoints`, along their orientations.

    Args:
        pair: two photographs.
        max_keypoints: the strongest are taken, then those that both photographs show.
        noise: how far the second patch is off; the same for the same pair.
        sigmas: side of a patch in sigmas of its keypoint.

    Raises:
        ImageError: a photograph cannot be read.
        ShapeError: fewer than two keypoints are seen in both.
    """
    found = pair_keypoints(pair, max_keypoints, noise, sigmas=sigmas)
    return PatchPairs(
        cut_patches(found.view0, placed_frames(found.placed0, sigmas)),
        cut_patches(found.view1, placed_frames(found.placed1, sigmas)),
        found.negative,
        found,
    )


def pair_keypoints(
    pair: HomographyPair,
    max_keypoints: int,
    noise: DetectorNoise,
    *,
    sigmas: float = PATCH_SIGMAS,
    oriented: bool = True,
) -> KeypointPairs:
    """SIFT keypoints of image 0, and where the homography takes them.

    Args:
        pair: two photographs.
        max_keypoints: the strongest are taken, then those that both photographs show.
        noise: how far the second keypoint is off, since a detector would not find the point
            exactly; the same for the same pair.
        sigmas: side of a patch in sigmas of its keypoint.
        oriented: whether a place is as many keypoints as it has orientations, or one.

    Raises:
        ImageError: a photograph cannot be read.
        ShapeError: fewer than two keypoints are seen in both.
    """
    views = [cv2.cvtColor(read_image(p), cv2.COLOR_RGB2GRAY) for p in (pair.path0, pair.path1)]
    found = detect_sift(views[0], max_keypoints, oriented=oriented)
    homography = pair.homography_0to1.astype(np.float64)
    front = found.points @ homography[2, :2] + homography[2, 2] > 1e-6
    points, scale, angle_deg = (
        values[front].astype(np.float64) for values in (found.points, found.scale, found.angle_deg)
    )
    moved, moved_scale, moved_angle_deg = map_keypoints(homography, points, scale, angle_deg)
    reach = SUPPORT * sigmas
    seen = (
        _inside(points, reach * scale, views[0])
        & _inside(moved, reach * moved_scale, views[1])
        & (moved_scale >= MIN_SCALE)
    )
    if seen.sum() < 2:
        raise ShapeError(f"'{pair.name}' has {seen.sum()} keypoints that both images show")
    points, scale = points[seen], scale[seen]
    rng = np.random.default_rng(zlib.crc32(pair.name.encode()))
    second = Placed(*noise.move(moved[seen], moved_scale[seen], moved_angle_deg[seen], rng))
    distance = np.linalg.norm(points[:, None] - points[None], axis=2)
    near = NEAR_SIGMAS * np.maximum(scale[:, None], scale[None])
    first = Placed(points, scale, angle_deg[seen])
    return KeypointPairs(views[0], views[1], first, second, distance > near)


def _inside(
    points: Float64[np.ndarray, "N 2"],
    radius: Float64[np.ndarray, " N"],
    view: UInt8[np.ndarray, "H W"],
) -> Bool[np.ndarray, " N"]:
    room = np.minimum(points, np.array([view.shape[1] - 1, view.shape[0] - 1]) - points)
    inside: Bool[np.ndarray, " N"] = room.min(axis=1) >= radius
    return inside
