"""Cameras: where a pixel with a depth lies in space, and where another camera sees it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Bool, Float, Float32, Float64

DEPTH_TOLERANCE = 0.01
"""Two depths of one point differ by at most so much, as a share."""

_NUM_ITERATIONS = 50
"""Each leaves a share of 3 |k1| r^2 of the error: half of it where a lens moves a point by a sixth
of its distance to the middle."""


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole, and the distortion of its lens."""

    intrinsics: Float64[np.ndarray, "3 3"]
    """px; the centre of the top-left pixel is (0, 0)."""
    distortion: Float64[np.ndarray, " 4"] | None = None
    """k1 and k2 along the radius, p1 and p2 across it, as OpenCV has them; None for no lens."""

    def rays(self, points: Float[np.ndarray, "N 2"]) -> Float64[np.ndarray, "N 3"]:
        """The points in space of depth 1 that are seen at points of the image, px."""
        inverse = np.linalg.inv(self.intrinsics).T
        rays: Float64[np.ndarray, "N 3"] = np.c_[points, np.ones(len(points))] @ inverse
        if self.distortion is not None:
            for _ in range(_NUM_ITERATIONS):  # a lens has no inverse in closed form
                rays[:, :2] += (points - self.project(rays)) @ inverse[:2, :2]
        return rays

    def project(self, points: Float64[np.ndarray, "N 3"]) -> Float64[np.ndarray, "N 2"]:
        """Where points in the frame of the camera are seen, px; NaN behind it.

        Source: Hartley and Zisserman 2004, "Multiple view geometry", eq. 6.8.
        """
        seen: Float64[np.ndarray, "N 2"] = np.full((len(points), 2), np.nan)
        before = points[:, 2] > 0
        if self.distortion is None:
            plane = points[before] @ self.intrinsics.T
            seen[before] = plane[:, :2] / plane[:, 2:]
        elif before.any():
            still = np.zeros(3)
            bent, _ = cv2.projectPoints(
                points[before], still, still, self.intrinsics, self.distortion
            )
            seen[before] = bent[:, 0]
        return seen

    def resized(self, from_size: tuple[int, int], to_size: tuple[int, int]) -> Camera:
        """The camera of its image resized from one (height, width) to another."""
        scale = np.array([to_size[1] / from_size[1], to_size[0] / from_size[0]])
        intrinsics = self.intrinsics.copy()
        intrinsics[:2, :2] *= scale[:, None]
        intrinsics[:2, 2] = (intrinsics[:2, 2] + 0.5) * scale - 0.5
        return replace(self, intrinsics=intrinsics)


class Motion(NamedTuple):
    """Of the pixels of image 0."""

    flow_0to1: Float32[np.ndarray, "H W 2"]
    """px; `target = p + flow(p)`. NaN where the depth is not known, or behind camera 1."""
    depth: Float32[np.ndarray, "H W"]
    """Of the pixel's point along the axis of camera 1."""


def motion_of_depth(
    depth0: Float[np.ndarray, "H W"],
    camera0: Camera,
    camera1: Camera,
    pose_0to1: Float64[np.ndarray, "4 4"],
) -> Motion:
    """Where the pixels of image 0 are seen in image 1.

    Args:
        depth0: along the axis of camera 0; NaN where it is not known.
        camera0: of image 0.
        camera1: of image 1.
        pose_0to1: takes points from the frame of camera 0 to that of camera 1.
    """
    y, x = np.nonzero(np.isfinite(depth0))
    pixels = np.stack((x, y), axis=1).astype(np.float64)
    points = camera0.rays(pixels) * depth0[y, x, None]
    moved = points @ pose_0to1[:3, :3].T + pose_0to1[:3, 3]
    flow = np.full((*depth0.shape, 2), np.nan, np.float32)
    flow[y, x] = camera1.project(moved) - pixels
    depth = np.full(depth0.shape, np.nan, np.float32)
    depth[y, x] = moved[:, 2]
    return Motion(flow, depth)


def shown_at(
    target: Float[np.ndarray, "H W 2"],
    depth: Float[np.ndarray, "H W"],
    depth1: Float[np.ndarray, "H1 W1"],
) -> Bool[np.ndarray, "H W"]:
    """Whether an image shows points, and nothing in front of them: their depths are the image's.

    The inverse of the depth is read between four pixels, since it is linear on a plane; at the rim
    of an object four pixels mix, and show neither surface.

    Args:
        target: where the points are seen, (x, y) px; NaN for nowhere.
        depth: of the points, along the axis of the camera.
        depth1: of the pixels of the image; NaN where it is not known.
    """
    places = np.nan_to_num(target, nan=-9.0).clip(-9, 1e6).astype(np.float32)
    with np.errstate(divide="ignore"):
        inverse = (1 / depth1).astype(np.float32)
    read = cv2.remap(
        inverse,
        places,
        None,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=np.nan,
    )
    same: Bool[np.ndarray, "H W"] = np.abs(read * depth - 1) <= DEPTH_TOLERANCE
    return same
