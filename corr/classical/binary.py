"""ORB and AKAZE by OpenCV: keypoints with binary descriptors."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from jaxtyping import UInt8

from corr.classical.keypoints import Keypoints, by_strength, from_opencv, strongest
from corr.errors import ModelError

_ORB_BORDER = 31
"""px at each side of an image where ORB finds nothing."""


def orb(
    image: UInt8[np.ndarray, "H W"], max_keypoints: int = 2048
) -> tuple[Keypoints, UInt8[np.ndarray, "N 32"]]:
    """The strongest ORB keypoints of a grey image, and their 256 bits each.

    Positions are biased by a part of a pixel that depends on the image: its pyramid is not aligned
    to the centres of pixels.

    Source: Rublee 2011, "ORB: an efficient alternative to SIFT or SURF".
    """
    if min(image.shape) <= 2 * _ORB_BORDER:
        return _nothing(32)
    return _run(cv2.ORB.create(max_keypoints), image, max_keypoints, 32)


def akaze(
    image: UInt8[np.ndarray, "H W"], max_keypoints: int = 2048
) -> tuple[Keypoints, UInt8[np.ndarray, "N 61"]]:
    """The strongest AKAZE keypoints of a grey image, and their 486 bits each, padded to bytes.

    Source: Alcantarilla 2013, "Fast Explicit Diffusion for Accelerated Features in Nonlinear Scale
    Spaces".

    Raises:
        ModelError: the installed OpenCV has no AKAZE.
    """
    check_akaze()
    if min(image.shape) < 2:
        return _nothing(61)
    method = getattr(cv2, "AKAZE")  # noqa: B009 - absent from the stubs of version 5
    return _run(method.create(), image, max_keypoints, 61)


def has_akaze() -> bool:
    """Whether the installed OpenCV has AKAZE; its version 5 moved it out."""
    return hasattr(cv2, "AKAZE")


def check_akaze() -> None:
    """Refuse to go on without AKAZE.

    Raises:
        ModelError: the installed OpenCV has none.
    """
    if not has_akaze():
        raise ModelError(
            f"model 'akaze' is not in the installed OpenCV {cv2.__version__}; "
            "use 'orb', or install opencv-python-headless<5"
        )


def _run(
    method: Any, image: UInt8[np.ndarray, "H W"], max_keypoints: int, num_bytes: int
) -> tuple[Keypoints, UInt8[np.ndarray, "N B"]]:
    found = strongest(method.detect(image, None), max_keypoints)
    found, descriptors = method.compute(image, found)
    if descriptors is None:
        return _nothing(num_bytes)
    order = by_strength(found)  # OpenCV orders them by octave
    return from_opencv([found[index] for index in order]), descriptors[order]


def _nothing(num_bytes: int) -> tuple[Keypoints, UInt8[np.ndarray, "0 B"]]:
    return from_opencv(()), np.zeros((0, num_bytes), np.uint8)
