"""Pairs of patches of the same point, from random views of photographs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy as np
from jaxtyping import Float, Float32, Float64, Int64, UInt8

from corr.classical.keypoints import Keypoints
from corr.classical.sift import detect_sift
from corr.data.cutting import Placed
from corr.data.photometric import Grey, PhotometricChange, Photometry
from corr.data.photos import Photos
from corr.data.redetection import detected_again
from corr.data.threads import one_thread
from corr.data.two_views import TwoViews
from corr.data.viewpoints import Homography, Viewpoints, map_keypoints
from corr.errors import DatasetError, OptionError
from corr.geometry import PATCH_SIGMAS

Rows = Int64[np.ndarray, " _"]

FIRST_VIEW = Photometry(
    brightness=0.1, contrast=0.1, gamma=1.1, colour=0.1, noise=0.01, blur=0.4, min_jpeg_quality=85
)
"""The first view is nearly the photo itself."""

PHOTO_BLUR = 0.5
"""Sigma of a sharp photo, px."""

MAX_DETECTED = 4096
"""Keypoints of the second view, the strongest."""

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
    points: Float32[np.ndarray, "B 2"]
    """Where the anchors are in their photo, (x, y) px."""
    images: Int64[np.ndarray, " B"]
    """Number of that photo."""


@dataclass
class PatchSampler:
    """Draws pairs of patches; the same numbers from the same state of the random generator."""

    photos: Photos
    viewpoints: Viewpoints = field(default_factory=Viewpoints)
    photometry: Photometry = field(default_factory=Photometry)
    first_photometry: Photometry = FIRST_VIEW
    detector_noise: DetectorNoise | None = field(default_factory=DetectorNoise)
    """How keypoints of the second view are off; None to detect them there too, and to take those
    that the homography pairs."""
    sigmas: float = PATCH_SIGMAS
    """Side of the image region in a patch, in sigmas of its keypoint."""
    min_distance: float = 4.0
    """px between two points of a photo in one batch; closer, they might be the same one."""
    min_scale: float = 1.0
    """Smallest sigma in the second view, px; a detector finds nothing smaller."""
    camera: bool = True
    """Whether the views go through their cameras here, and not later on the training device."""

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
        views = self.views(num_pairs, pairs_per_photo, rng)
        with one_thread():
            anchors, positives = zip(*(part.patches(self.sigmas) for part in views), strict=True)
        return PatchArrays(
            np.concatenate(anchors),
            np.concatenate(positives),
            np.concatenate([part.placed0[0] for part in views]).astype(np.float32),
            np.repeat([part.photo for part in views], [len(part) for part in views]),
        )

    def views(
        self, num_pairs: int, pairs_per_photo: int, rng: np.random.Generator
    ) -> list[TwoViews]:
        """The views that `batch` cuts its patches from, each with up to `pairs_per_photo` points.

        Raises:
            DatasetError: the photos have fewer than 2 points.
        """
        order = rng.permutation(len(self.photos))
        taken = {int(index): np.zeros((0, 3)) for index in order}
        parts: list[TwoViews] = []
        missing = num_pairs
        while missing > 0:
            before = missing
            for index in order:
                if missing > 0:
                    part = self.views_of(int(index), min(pairs_per_photo, missing), rng, taken)
                    parts += [part] if len(part) else []
                    missing -= len(part)
            if missing == before:
                break
        if num_pairs - missing < 2:
            raise DatasetError(f"no keypoints to learn from in {len(self.photos)} photos")
        return parts

    def views_of(
        self,
        index: int,
        num_pairs: int,
        rng: np.random.Generator,
        taken: dict[int, Float64[np.ndarray, "_ 3"]],
    ) -> TwoViews:
        """Two views of one photo with up to `num_pairs` points.

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
        first = self._first.light(photo, rng)
        if self.camera:
            first = self._first.camera(first, rng)
        second = warp_photo(self._second.light(photo, rng), homography)
        if self.camera:
            second = self._second.camera(second, rng)
        found = self._detected(index)
        usable, again = self._found_twice(found, second, homography, rng)
        order = _shuffled(found.scale[usable], rng)
        usable, again = usable[order], again.take(order)
        discs = np.column_stack((found.points, found.scale)).astype(np.float64)[usable]
        chosen = _apart(discs, taken[index], num_pairs, self.min_distance)
        taken[index] = np.concatenate((taken[index], discs[chosen]))
        mirrored = rng.random(len(chosen)) < 0.5
        placed = Placed.of(found).take(usable[chosen])
        return TwoViews(index, first, second, homography, placed, again.take(chosen), mirrored)

    def _detected(self, index: int) -> Keypoints:
        if index not in self._keypoints:
            grey = cv2.cvtColor(self.photos[index], cv2.COLOR_RGB2GRAY)
            self._keypoints[index] = detect_sift(grey)
        return self._keypoints[index]

    def _found_twice(
        self,
        found: Keypoints,
        second: Grey,
        homography: Homography,
        rng: np.random.Generator,
    ) -> tuple[Rows, Placed]:
        """Rows of the keypoints whose surroundings lie in both views, and where in the second."""
        depth = found.points @ homography[2, :2] + homography[2, 2]
        front = np.flatnonzero(depth > 0.1)
        first = Placed.of(found).take(front)
        mapped = Placed(*map_keypoints(homography, *first))
        reach = SUPPORT * self.sigmas
        seen = np.flatnonzero(
            _inside(first.points, reach * first.scale, second.shape)
            & _inside(mapped.points, reach * mapped.scale, second.shape)
            & (mapped.scale >= self.min_scale)
        )
        mapped = mapped.take(seen)
        if self.detector_noise is not None:
            return front[seen], Placed(*self.detector_noise.move(*mapped, rng))
        detected = Placed.of(detect_sift(second, MAX_DETECTED))
        expected, again = detected_again(mapped, detected)
        return front[seen[expected]], detected.take(again)


def warp_photo(
    photo: UInt8[np.ndarray, "H W *C"],
    homography_0to1: Homography,
    size: tuple[int, int] | None = None,
) -> UInt8[np.ndarray, "H1 W1 *C"]:
    """The photo in its second view, blurred first as far as it shrinks in the middle.

    Args:
        photo: grey or RGB.
        homography_0to1: takes its pixels to those of the view.
        size: (height, width) of the view; that of the photo when not given.
    """
    height, width = size or photo.shape[:2]
    centre = np.linalg.solve(homography_0to1, [(width - 1) / 2, (height - 1) / 2, 1])
    _, zoom, _ = map_keypoints(homography_0to1, (centre[:2] / centre[2])[None], *np.ones((2, 1)))
    if zoom[0] < 1:
        photo = cv2.GaussianBlur(photo, (0, 0), PHOTO_BLUR * float(np.sqrt(zoom[0] ** -2 - 1)))
    warped: np.ndarray = cv2.warpPerspective(
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
