"""Points of one image carried over to another."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float

from corr.drawing.colour_maps import turbo
from corr.drawing.keypoints import FIXED_BITS, to_fixed
from corr.drawing.matches import RIGHT, WRONG
from corr.drawing.strip import INK, Colour, Picture, Strip

_GAP_PX = 6
_SHARE = 1 / 90
"""Radius of a dot, of the longer side of the picture."""


def draw_transfer(
    image0: Picture,
    image1: Picture,
    points0: Float[np.ndarray, "N 2"],
    points1: Float[np.ndarray, "N 2"],
    *,
    truth: Float[np.ndarray, "N 2"] | None = None,
    correct: Bool[np.ndarray, " N"] | None = None,
    warped: Picture | None = None,
) -> Picture:
    """Both images side by side with the points in each; those that belong together look alike.

    Args:
        image0: on the left.
        image1: beside it.
        points0: px in image 0.
        points1: where they were found, px in image 1.
        truth: where they are, px in image 1; a line leads there from each wrong one.
        correct: colours right points green and wrong ones red; else colours tell them apart.
        warped: image 1 brought to the places of image 0, shown on the right.
    """
    canvas, left = _beside(image0, image1, warped)
    shift = np.array([left, 0.0])
    radius = max(2.0, _SHARE * max(image0.shape[:2] + image1.shape[:2]))
    colours = _colours(points0, correct)
    if truth is not None and correct is not None:
        for i in np.flatnonzero(~correct):
            ends = to_fixed(points1[i] + shift), to_fixed(truth[i] + shift)
            cv2.line(canvas, *ends, WRONG, 1, cv2.LINE_AA, FIXED_BITS)
    for points, offset in ((points0, 0 * shift), (points1, shift)):
        for point, colour in zip(points, colours, strict=True):
            for size, ink in ((radius + 1, INK), (radius, colour)):
                place, reach = to_fixed(point + offset), round(size * 2**FIXED_BITS)
                cv2.circle(canvas, place, reach, ink, -1, cv2.LINE_AA, FIXED_BITS)
    strip = Strip(canvas)
    strip.add_text(f"{len(points0)} point" if len(points0) == 1 else f"{len(points0)} points")
    if correct is not None:
        strip.add_swatch(RIGHT, f"{int(correct.sum())} right")
        strip.add_swatch(WRONG, f"{int((~correct).sum())} wrong, with a line to the truth")
    elif warped is not None:
        strip.add_text("right: image 1 at the places of image 0")
    return strip.below()


def _beside(image0: Picture, image1: Picture, warped: Picture | None) -> tuple[Picture, int]:
    """The images in one row on white, and where the second begins."""
    images = [image0, image1] + ([] if warped is None else [warped])
    height = max(image.shape[0] for image in images)
    width = sum(image.shape[1] for image in images) + _GAP_PX * (len(images) - 1)
    canvas = np.full((height, width, 3), 255, np.uint8)
    left = 0
    for image in images:
        canvas[: image.shape[0], left : left + image.shape[1]] = image
        left += image.shape[1] + _GAP_PX
    return canvas, image0.shape[1] + _GAP_PX


def _colours(
    points0: Float[np.ndarray, "N 2"], correct: Bool[np.ndarray, " N"] | None
) -> list[Colour]:
    if correct is not None:
        return [RIGHT if right else WRONG for right in correct]
    order = np.argsort(np.lexsort((points0[:, 1], points0[:, 0])))
    levels = np.rint(255 * order / max(len(points0) - 1, 1)).astype(int)
    return [(int(r), int(g), int(b)) for r, g, b in turbo()[levels]]
