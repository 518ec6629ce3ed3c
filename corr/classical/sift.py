"""SIFT keypoints and descriptors by OpenCV, without its quarter-pixel bias."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float, UInt8

from corr.classical.keypoints import Keypoints, from_opencv, strongest, to_opencv
from corr.geometry import PATCH_SIGMAS

_FIRST_LAYER = 1 << 8
"""OpenCV's packed octave of the layer that it would detect a patch's keypoint in."""

_ORIENTATIONS = 2
"""More than a place has on average: about one in six has two."""


def detect_sift(
    image: UInt8[np.ndarray, "H W"],
    max_keypoints: int = 2048,
    *,
    contrast_threshold: float = 0.04,
    oriented: bool = True,
) -> Keypoints:
    """The strongest difference-of-Gaussian keypoints of a grey image, with orientations.

    A place with several orientations is several keypoints; unless `oriented` is off, which leaves
    each place once.

    `enable_precise_upscale` is on: without it every keypoint sits 0.25 px too far to the right and
    down, since OpenCV doubles the image with corners aligned.

    Source: Lowe 2004, "Distinctive Image Features from Scale-Invariant Keypoints", sections 3-5.
    """
    asked = max_keypoints if oriented else _ORIENTATIONS * max_keypoints
    found = _sift(asked, contrast_threshold).detect(image, None)
    keypoints = from_opencv(strongest(found, asked))
    if oriented:
        return keypoints
    places = np.column_stack((keypoints.points, keypoints.scale))
    first = np.sort(np.unique(places, axis=0, return_index=True)[1])
    return keypoints.take(first[:max_keypoints])


def describe_sift(
    image: UInt8[np.ndarray, "H W"], keypoints: Keypoints, *, root: bool = False
) -> Float[np.ndarray, "N 128"]:
    """Unit-length SIFT descriptors at given keypoints.

    Args:
        image: grey image.
        keypoints: where, at which scale and angle.
        root: the square root of the L1-normalised histogram, whose dot product is the Hellinger
            kernel. Source: Arandjelovic and Zisserman 2012, section 3.
    """
    if len(keypoints) == 0:
        return np.zeros((0, 128), np.float32)
    _, histograms = _sift().compute(image, to_opencv(keypoints, image.shape))
    return _unit_length(histograms, root)


def describe_patches_sift(
    patches: UInt8[np.ndarray, "N P P"], *, sigmas: float = PATCH_SIGMAS, root: bool = True
) -> Float[np.ndarray, "N 128"]:
    """Unit-length SIFT descriptors of upright patches, the baseline of a learned one.

    Args:
        patches: grey, each with its keypoint at the centre and its x axis along the orientation.
        sigmas: side of a patch in sigmas of the keypoint, which says how much of it SIFT reads.
        root: as in `describe_sift`.
    """
    middle = (patches.shape[-1] - 1) / 2
    size = 2 * patches.shape[-1] / sigmas
    keypoint = cv2.KeyPoint(middle, middle, size, 0.0, 1.0, _FIRST_LAYER)
    describer = _sift()
    histograms = [describer.compute(patch, [keypoint])[1] for patch in patches]
    return _unit_length(np.concatenate((np.zeros((0, 128), np.float32), *histograms)), root)


def _unit_length(histograms: Float[np.ndarray, "N 128"], root: bool) -> Float[np.ndarray, "N 128"]:
    histograms = histograms.astype(np.float32)
    if root:
        histograms = np.sqrt(histograms / np.maximum(histograms.sum(1, keepdims=True), 1e-12))
    norm = np.linalg.norm(histograms, axis=1, keepdims=True)
    descriptors: Float[np.ndarray, "N 128"] = histograms / np.maximum(norm, 1e-12)
    return descriptors


def _sift(max_keypoints: int = 0, contrast_threshold: float = 0.04) -> cv2.SIFT:
    return cv2.SIFT.create(
        nfeatures=max_keypoints,
        contrastThreshold=contrast_threshold,
        enable_precise_upscale=True,
    )
