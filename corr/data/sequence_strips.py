"""Strips of patches as HPatches has them, cut from an image sequence through its homographies."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import cv2
import numpy as np
import torch
from jaxtyping import Bool, Float, Float64, UInt8

from corr.classical.keypoints import Keypoints
from corr.classical.sift import detect_sift
from corr.data.homographies import HomographyPair
from corr.data.hpatches_patches import NUM_TARGETS, PUBLISHED_SIDE, REFERENCE
from corr.data.viewpoints import Homography, local_affine
from corr.errors import DatasetError
from corr.formats import read_image
from corr.geometry import PATCH_SIGMAS, extract_patches, patch_frames

MIN_SCALE = 1.0
"""Smallest sigma in any of the images, px; a detector finds nothing smaller."""
MAX_OVERLAP = 0.5
"""Of the discs of two patches, intersection over union; of more, the weaker keypoint goes."""

Frames = Float64[np.ndarray, "N 2 3"]
Grey = UInt8[np.ndarray, "H W"]


@dataclass(frozen=True)
class FrameJitter:
    """How far the frame of a patch is off: standard deviations of normal distributions."""

    shift: float
    """Along each axis, in half sides of the patch."""
    scale: float
    """In octaves."""
    stretch: float
    """Of the ratio of two axes at right angles, in any direction, in octaves."""
    angle_deg: float

    def move(self, frames: Frames, rng: np.random.Generator) -> Frames:
        """Frames as a detector might have found them."""
        num = len(frames)
        angle = np.deg2rad(rng.normal(0, self.angle_deg, num))
        direction = rng.uniform(0, np.pi, num)
        scale = 2 ** rng.normal(0, self.scale, num)
        stretch = 2 ** (rng.normal(0, self.stretch, num) / 2)
        axes = np.zeros((num, 2, 2))
        axes[:, 0, 0], axes[:, 1, 1] = scale * stretch, scale / stretch
        turn = _rotations(direction)
        change = _rotations(angle) @ turn @ axes @ turn.transpose(0, 2, 1)
        moved = frames.copy()
        moved[:, :, :2] = frames[:, :, :2] @ change
        shift = rng.normal(0, self.shift, (num, 2))
        moved[:, :, 2] += (frames[:, :, :2] @ shift[:, :, None])[:, :, 0]
        return moved


def _jitter(strength: float) -> FrameJitter:
    return FrameJitter(strength, 2 * strength, 2 * strength, 100 * strength)


JITTERS: Mapping[str, FrameJitter] = {"e": _jitter(0.06), "h": _jitter(0.125), "t": _jitter(0.19)}
"""Of HPatches' levels. The strengths of easy and hard give a median overlap of a patch's disc with
that before the noise of 0.85 and 0.72 (published, unverified); how the noise divides into shift,
scale, stretch and angle, and 0.60 for tough, are ours."""


def sequences_of(pairs: Sequence[HomographyPair]) -> list[list[HomographyPair]]:
    """The pairs of each sequence that has a reference and five targets, as EVD has not."""
    grouped = (list(group) for _, group in groupby(pairs, key=lambda pair: pair.path0))
    return [group for group in grouped if len(group) == NUM_TARGETS]


def cut_strips(
    pairs: Sequence[HomographyPair], max_points: int, *, sigmas: float = PATCH_SIGMAS
) -> dict[str, UInt8[np.ndarray, "N 65 65"]]:
    """The strips of a sequence, at SIFT keypoints of image 1 that all six images show.

    Each patch is 65 px wide and covers the same part of the scene in every image, but for the
    noise of its level, which is the same for the same sequence.

    Args:
        pairs: of images 1 and 2 to 6.
        max_points: the strongest are taken.
        sigmas: side of a patch in sigmas of its keypoint.

    Raises:
        ImageError: an image cannot be read.
        DatasetError: fewer than two points are seen in all images.
    """
    views = [_grey(pairs[0].path0), *(_grey(pair.path1) for pair in pairs)]
    homographies = [pair.homography_0to1.astype(np.float64) for pair in pairs]
    found = detect_sift(views[0], 8 * max_points)
    frames = _frames(found, sigmas)
    seen = [_inside(_corners(frames), views[0])]
    for homography, view in zip(homographies, views[1:], strict=True):
        seen.append(_seen_in(frames, found, homography, view))
    kept = np.flatnonzero(np.all(seen, axis=0))
    frames = frames[kept[_apart(frames[kept], max_points)]]
    if len(frames) < 2:
        raise DatasetError(
            f"sequence '{pairs[0].sequence}' has {len(frames)} keypoints that all its images show"
        )
    rng = np.random.default_rng(zlib.crc32(pairs[0].sequence.encode()))
    strips = {REFERENCE: _cut(views[0], frames)}
    for level, jitter in JITTERS.items():
        for k, (homography, view) in enumerate(zip(homographies, views[1:], strict=True), 1):
            moved = jitter.move(frames, rng)
            centres, slope = local_affine(homography, moved[:, :, 2])
            moved = np.concatenate((slope @ moved[:, :, :2], centres[:, :, None]), axis=2)
            strips[f"{level}{k}"] = _cut(view, moved)
    return strips


def _grey(path: object) -> Grey:
    grey: Grey = cv2.cvtColor(read_image(str(path)), cv2.COLOR_RGB2GRAY)
    return grey


def _frames(found: Keypoints, sigmas: float) -> Frames:
    values = (torch.as_tensor(v) for v in (found.points, found.scale, found.angle_deg))
    frames: Frames = patch_frames(*values, sigmas=sigmas).double().numpy()
    return frames


def _seen_in(
    frames: Frames, found: Keypoints, homography: Homography, view: Grey
) -> Bool[np.ndarray, " N"]:
    """Whether all of a patch lies before the horizon and in the view, and is not too small."""
    corners = _corners(frames)
    front = (corners @ homography[2, :2] + homography[2, 2] > 1e-6).all(axis=1)
    moved = np.full_like(corners, -np.inf)
    moved[front] = local_affine(homography, corners[front].reshape(-1, 2))[0].reshape(-1, 4, 2)
    slope = np.zeros((len(frames), 2, 2))
    slope[front] = local_affine(homography, frames[front, :, 2])[1]
    scale = found.scale * np.sqrt(np.abs(np.linalg.det(slope)))
    return np.asarray(_inside(moved, view) & (scale >= MIN_SCALE))


def _corners(frames: Frames) -> Float64[np.ndarray, "N 4 2"]:
    unit = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]], float)
    corners: np.ndarray = unit @ frames[:, :, :2].transpose(0, 2, 1) + frames[:, None, :, 2]
    return corners


def _inside(points: Float64[np.ndarray, "N 4 2"], view: Grey) -> Bool[np.ndarray, " N"]:
    size = np.array([view.shape[1], view.shape[0]])
    return np.asarray(((points >= 0) & (points <= size - 1)).all(axis=(1, 2)))


def _apart(frames: Frames, max_points: int) -> list[int]:
    """The first frames whose discs overlap no earlier one that was taken by more than a half."""
    centres, radii = frames[:, :, 2], np.sqrt(np.abs(np.linalg.det(frames[:, :, :2])))
    rows: list[int] = []
    for row in range(len(frames)):
        if len(rows) == max_points:
            break
        distance = np.linalg.norm(centres[rows] - centres[row], axis=1)
        if not (_overlap(distance, radii[rows], radii[row]) > MAX_OVERLAP).any():
            rows.append(row)
    return rows


def _overlap(
    distance: Float[np.ndarray, " N"], radius: Float[np.ndarray, " N"], other: float
) -> Float[np.ndarray, " N"]:
    """Intersection over union of discs."""
    d = np.maximum(distance, 1e-9)
    cos0 = np.clip((d**2 + radius**2 - other**2) / (2 * d * radius), -1, 1)
    cos1 = np.clip((d**2 + other**2 - radius**2) / (2 * d * other), -1, 1)
    angle0, angle1 = np.arccos(cos0), np.arccos(cos1)
    shared = radius**2 * (angle0 - cos0 * np.sin(angle0))
    shared = shared + other**2 * (angle1 - cos1 * np.sin(angle1))
    overlap: Float[np.ndarray, " N"] = shared / (np.pi * (radius**2 + other**2) - shared)
    return overlap


def _rotations(angle: Float64[np.ndarray, " N"]) -> Float64[np.ndarray, "N 2 2"]:
    cos, sin = np.cos(angle), np.sin(angle)
    turned: np.ndarray = np.stack((np.stack((cos, -sin), 1), np.stack((sin, cos), 1)), 1)
    return turned


def _cut(view: Grey, frames: Frames) -> UInt8[np.ndarray, "N 65 65"]:
    image = torch.from_numpy(view).float()[None, None]
    cut = extract_patches(image, torch.from_numpy(frames).float(), patch_size=PUBLISHED_SIDE)
    return cut[:, 0].round().clamp(0, 255).byte().numpy()
