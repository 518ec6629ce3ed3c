"""Matches between two images."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from corr.drawing.colour_maps import viridis
from corr.drawing.keypoints import FIXED_BITS, to_fixed
from corr.drawing.strip import Colour, Picture, Strip

_GAP_PX = 6
_DOT_PX = 2
RIGHT: Colour = (40, 200, 60)
WRONG: Colour = (235, 50, 40)
_OPAQUE_UP_TO = 100
"""With more matches than this, lines let the images shine through."""
_FAINTEST = 0.2


def draw_matches(  # noqa: PLR0917 - two images, their points, and what is known of them
    image0: Picture,
    image1: Picture,
    keypoints0: Float[np.ndarray, "K 2"],
    keypoints1: Float[np.ndarray, "K 2"],
    scores: Float[np.ndarray, " K"],
    correct: Bool[np.ndarray, " K"] | None = None,
) -> Picture:
    """Both images side by side with a thin line for each match, above a legend.

    Args:
        image0: on the left.
        image1: on the right.
        keypoints0: px in image 0.
        keypoints1: px in image 1.
        scores: the colour of a line, from dark (lowest) to yellow (highest).
        correct: colours right matches green and wrong ones red instead.
    """
    (height0, width0), (height1, width1) = image0.shape[:2], image1.shape[:2]
    shift = width0 + _GAP_PX
    canvas = np.full((max(height0, height1), shift + width1, 3), 255, np.uint8)
    canvas[:height0, :width0] = image0
    canvas[:height1, shift:] = image1
    colours = _score_colours(scores) if correct is None else _truth_colours(correct)
    usable = np.isfinite(keypoints0).all(1) & np.isfinite(keypoints1).all(1)
    # The most convincing lines are drawn last: right ones over wrong, high scores over low.
    order = np.lexsort((scores,) if correct is None else (scores, correct))
    order = order[usable[order]]
    ends = [(to_fixed(keypoints0[i]), to_fixed(keypoints1[i] + (shift, 0))) for i in order]
    shades: list[Colour] = [tuple(colours[i].tolist()) for i in order]
    lines = canvas.copy()
    for (start, end), colour in zip(ends, shades, strict=True):
        cv2.line(lines, start, end, colour, 1, cv2.LINE_AA, FIXED_BITS)
    opacity = min(max(_OPAQUE_UP_TO / max(len(order), 1), _FAINTEST), 0.9)
    picture = cv2.addWeighted(lines, opacity, canvas, 1 - opacity, 0)
    for pair, colour in zip(ends, shades, strict=True):
        for point in pair:
            cv2.circle(picture, point, _DOT_PX << FIXED_BITS, colour, -1, cv2.LINE_AA, FIXED_BITS)
    strip = Strip(picture)
    _explain(strip, scores, correct)
    return strip.below()


def _explain(
    strip: Strip, scores: Float[np.ndarray, " K"], correct: Bool[np.ndarray, " K"] | None
) -> None:
    count = len(scores)
    strip.add_text(f"{count} match" if count == 1 else f"{count} matches")
    if correct is not None and count:
        right = int(correct.sum())
        strip.add_swatch(RIGHT, f"{right} correct ({100 * right / count:.0f} %)")
        strip.add_swatch(WRONG, f"{count - right} wrong")
    elif count:
        for share, name in ((0.0, "score"), (1.0, "")):
            value = float(scores.min() if share == 0 else scores.max())
            r, g, b = (int(c) for c in viridis()[round(255 * share)])
            strip.add_swatch((r, g, b), f"{name} {value:.2f}".strip())


def _score_colours(scores: Float[np.ndarray, " K"]) -> UInt8[np.ndarray, "K 3"]:
    spread = float(np.ptp(scores)) if len(scores) else 0.0
    level = (scores - scores.min()) / spread if spread > 0 else np.ones(len(scores))
    colours: np.ndarray = viridis()[np.rint(255 * level).astype(int)]
    return colours


def _truth_colours(correct: Bool[np.ndarray, " K"]) -> UInt8[np.ndarray, "K 3"]:
    return np.where(correct[:, None], np.array(RIGHT, np.uint8), np.array(WRONG, np.uint8))
