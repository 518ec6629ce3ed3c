"""Pairs of patches of the same point, from random views of photographs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy as np
import torch
from jaxtyping import Float, Float64, Int64, UInt8

from corr.classical.keypoints import Keypoints
from corr.classical.sift import detect_sift
from corr.data.photometric import Grey, PhotometricChange, Photometry
from corr.data.photos import Photos
from corr.data.threads import one_thread
from corr.data.viewpoints import Homography, Viewpoints, map_keypoints
from corr.errors import DatasetError, OptionError
from corr.geometry import PATCH_SIGMAS, extract_patches, patch_frames

Rows = Int64[np.ndarray, " _"]

FIRST_VIEW = Photometry(
    brightness=0.1, contrast=0.1, gamma=1.1, colour=0.1, noise=0.01, blur=0.4, min_jpeg_quality=85
)
"""The first view is nearly the photo itself."""

PHOTO_BLUR = 0.5
"""Sigma of a sharp photo, px."""

SUPPORT = 0.4
"""Radius of the disc that has to lie within the photo, as a share of the side of a patch."""


@dataclass(frozen=True)
class DetectorNoise:
    """How far a keypoint found again lies from where the first one went.

    Mean absolute deviations of Laplace distributions; the defaults were fitted to SIFT keypoints
    detected in both of two random views.
    """

    position: float = 0.165
    """Along each axis, in sigmas."""
    scale: float = 0.155
    """In octaves."""
    angle_deg: float = 5.5
    """Of the orientation."""

    def __post_init__(self) -> None:
        for name in ("position", "scale", "angle_deg"):
            value = getattr(self, name)
            if value < 0:
                raise OptionError(f"{name} of the detector noise is {value}; use 0 or more")

    def move(
        self,
        points: Float[np.ndarray, "N 2"],
        scale: Float[np.ndarray, " N"],
        angle_deg: Float[np.ndarray, " N"],
        rng: np.random.Generator,
    ) -> tuple[Float[np.ndarray, "N 2"], Float[np.ndarray, " N"], Float[np.ndarray, " N"]]:
        """Keypoints where a detector might find them."""
        return (
            points + scale[:, None] * rng.laplace(0, self.position, points.shape),
            scale * 2 ** rng.laplace(0, self.scale, len(scale)),
            angle_deg + rng.laplace(0, self.angle_deg, len(scale)),
        )


class PatchArrays(NamedTuple):
    """Patches of the same points, row by row."""

    anchor: UInt8[np.ndarray, "B 32 32"]
    positive: UInt8[np.ndarray, "B 32 32"]


@dataclass
class PatchSampler:
    """Draws pairs of patches; the same numbers from the same state of the random generator."""

    photos: Photos
    viewpoints: Viewpoints = field(default_factory=Viewpoints)
    photometry: Photometry = field(default_factory=Photometry)
    first_photometry: Photometry = FIRST_VIEW
    detector_noise: DetectorNoise = field(default_factory=DetectorNoise)
    sigmas: float = PATCH_SIGMAS
    """Side of the image region in a patch, in sigmas of its keypoint."""
    min_distance: float = 4.0
    """px between two points of a photo in one batch; closer, they might be the same one."""
    min_scale: float = 1.0
    """Smallest sigma in the second view, px; a detector finds nothing smaller."""

    def __post_init__(self) -> None:
        self._keypoints: dict[int, Keypoints] = {}
        self._first = PhotometricChange(self.first_photometry)
        self._second = PhotometricChange(self.photometry)

    def batch(self, num_pairs: int, pairs_per_photo: int, rng: np.random.Generator) -> PatchArrays:
        """Pairs of `num_pairs` different points, or of as many as the photos have.

        The photos take turns in random order, each time with new views.

        Raises:
            DatasetError: the photos have fewer than 2 points.
        """
        order = rng.permutation(len(self.photos))
        taken = {int(index): np.zeros((0, 3)) for index in order}
        parts: list[PatchArrays] = []
        missing = num_pairs
        while missing > 0:
            before = missing
            for index in order:
                if missing > 0:
                    with one_thread():
                        part = self.pairs(int(index), min(pairs_per_photo, missing), rng, taken)
                    parts.append(part)
                    missing -= len(part.anchor)
            if missing == before:
                break
        if num_pairs - missing < 2:
            raise DatasetError(f"no keypoints to learn from in {len(self.photos)} photos")
        return PatchArrays(*(np.concatenate(side) for side in zip(*parts, strict=True)))

    def pairs(
        self,
        index: int,
        num_pairs: int,
        rng: np.random.Generator,
        taken: dict[int, Float64[np.ndarray, "_ 3"]],
    ) -> PatchArrays:
        """Up to `num_pairs` pairs from two views of one photo.

        Args:
            index: of the photo.
            num_pairs: how many.
            rng: random numbers.
            taken: (x, y, sigma) of the points of each photo to keep away from; the new ones are
                added.
        """
        photo = self.photos[index]
        size = photo.shape[:2]
        homography = self.viewpoints.draw(size, rng)
        keypoints = self._detected(index)
        usable = self._seen_twice(keypoints, homography, size)
        usable = usable[_shuffled(keypoints.scale[usable], rng)]
        discs = np.column_stack((keypoints.points, keypoints.scale)).astype(np.float64)[usable]
        chosen = usable[_apart(discs, taken[index], num_pairs, self.min_distance)]
        points, scale = keypoints.points[chosen], keypoints.scale[chosen]
        angle_deg = keypoints.angle_deg[chosen]
        taken[index] = np.concatenate((taken[index], np.column_stack((points, scale))))
        first = self._first.camera(self._first.light(photo, rng), rng)
        second = warp_photo(self._second.light(photo, rng), homography)
        second = self._second.camera(second, rng)
        anchor = self._cut(first, points, scale, angle_deg)
        mapped = map_keypoints(homography, points, scale, angle_deg)
        moved = self.detector_noise.move(*mapped, rng)
        positive = self._cut(second, *moved)
        mirrored = rng.random(len(chosen)) < 0.5
        anchor[mirrored], positive[mirrored] = anchor[mirrored, ::-1], positive[mirrored, ::-1]
        return PatchArrays(anchor, positive)

    def _detected(self, index: int) -> Keypoints:
        if index not in self._keypoints:
            grey = cv2.cvtColor(self.photos[index], cv2.COLOR_RGB2GRAY)
            self._keypoints[index] = detect_sift(grey)
        return self._keypoints[index]

    def _seen_twice(
        self, keypoints: Keypoints, homography: Homography, size: tuple[int, int]
    ) -> Rows:
        """Indices of the keypoints whose surroundings lie in both views."""
        depth = keypoints.points @ homography[2, :2] + homography[2, 2]
        front = np.flatnonzero(depth > 0.1)
        points, scale = keypoints.points[front], keypoints.scale[front]
        moved, moved_scale, _ = map_keypoints(homography, points, scale, keypoints.angle_deg[front])
        reach = SUPPORT * self.sigmas
        seen = _inside(points, reach * scale, size) & _inside(moved, reach * moved_scale, size)
        usable: Rows = front[seen & (moved_scale >= self.min_scale)]
        return usable

    def _cut(
        self,
        view: Grey,
        points: Float[np.ndarray, "N 2"],
        scale: Float[np.ndarray, " N"],
        angle_deg: Float[np.ndarray, " N"],
    ) -> UInt8[np.ndarray, "N 32 32"]:
        frames = patch_frames(
            torch.as_tensor(points, dtype=torch.float32),
            torch.as_tensor(scale, dtype=torch.float32),
            torch.as_tensor(angle_deg, dtype=torch.float32),
            sigmas=self.sigmas,
        )
        image = torch.from_numpy(view).float()[None, None]
        return extract_patches(image, frames)[:, 0].round().clamp(0, 255).byte().numpy()


def warp_photo(photo: Grey, homography_0to1: Homography) -> Grey:
    """The photo in its second view, of the same size, blurred first where the view is smaller."""
    height, width = photo.shape
    centre = np.linalg.solve(homography_0to1, [(width - 1) / 2, (height - 1) / 2, 1])
    _, zoom, _ = map_keypoints(homography_0to1, (centre[:2] / centre[2])[None], *np.ones((2, 1)))
    if zoom[0] < 1:
        photo = cv2.GaussianBlur(photo, (0, 0), PHOTO_BLUR * float(np.sqrt(zoom[0] ** -2 - 1)))
    warped: Grey = cv2.warpPerspective(
        photo,
        homography_0to1,
        (width, height),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return warped


def _inside(
    points: Float[np.ndarray, "N 2"], radius: Float[np.ndarray, " N"], size: tuple[int, int]
) -> np.ndarray:
    room = np.minimum(points, np.array([size[1] - 1, size[0] - 1]) - points).min(axis=1)
    inside: np.ndarray = room >= radius
    return inside


def _shuffled(scale: Float[np.ndarray, " N"], rng: np.random.Generator) -> Rows:
    """All rows in random order, those of rare scales more often at the front."""
    _, which, count = np.unique(np.floor(np.log2(scale)), return_inverse=True, return_counts=True)
    weight = 1 / np.sqrt(count[which])
    order: Rows = np.argsort(-np.log(weight) - rng.gumbel(size=len(scale)), kind="stable")
    return order


def _apart(
    discs: Float64[np.ndarray, "N 3"],
    taken: Float64[np.ndarray, "_ 3"],
    num_rows: int,
    min_distance: float,
) -> Rows:
    """The first rows of discs (x, y, sigma) of which none is near another or a taken one.

    Near is closer than `min_distance` px or than the smaller of the two sigmas.
    """
    kept = np.concatenate((taken, np.empty((num_rows, 3))))
    end = len(taken)
    rows: list[int] = []
    for row, disc in enumerate(discs):
        if len(rows) == num_rows:
            break
        near = np.maximum(min_distance, np.minimum(kept[:end, 2], disc[2]))
        if (((kept[:end, :2] - disc[:2]) ** 2).sum(1) >= near**2).all():
            kept[end] = disc
            end += 1
            rows.append(row)
    return np.array(rows, dtype=np.int64)
