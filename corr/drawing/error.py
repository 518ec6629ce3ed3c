"""Where a disparity map or a flow field is wrong."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float

from corr.drawing.strip import Picture, Strip

_STEPS = (1 / 16, 1 / 8, 1 / 4, 1 / 2, 1, 2, 4, 8, 16)
"""Edges between the colours, in thresholds."""
_COLOURS = np.array(
    [
        (49, 54, 149),
        (69, 117, 180),
        (116, 173, 209),
        (171, 217, 233),
        (224, 243, 248),
        (254, 224, 144),
        (253, 174, 97),
        (244, 109, 67),
        (215, 48, 39),
        (165, 0, 38),
    ],
    np.uint8,
)
_MISSING = (255, 0, 255)


def draw_error(
    estimate: Float[np.ndarray, "H W"],
    truth: Float[np.ndarray, "H W"],
    threshold: int | float = 2.0,
) -> Picture:
    """Blue where the error is within the threshold, red where above, above the share of each.

    Black is unknown truth (not finite); magenta is truth without an estimate, counted as wrong.

    Args:
        estimate: px; NaN where there is none.
        truth: px.
        threshold: px between right and wrong.

    Source: the colours of the KITTI 2012 stereo development kit (log scale).
    """
    known, estimated = np.isfinite(truth), np.isfinite(estimate)
    both = known & estimated
    error = np.abs(np.where(both, estimate, 0) - np.where(both, truth, 0))
    return _draw(error, known, estimated, threshold)


def draw_flow_error(
    estimate: Float[np.ndarray, "H W 2"],
    truth: Float[np.ndarray, "H W 2"],
    threshold: int | float = 3.0,
) -> Picture:
    """The same of flow: the length of the difference of the two vectors.

    Args:
        estimate: px; NaN where there is none.
        truth: px.
        threshold: px between right and wrong.
    """
    known, estimated = (np.isfinite(flow).all(axis=2) for flow in (truth, estimate))
    both = (known & estimated)[..., None]
    error = np.linalg.norm(np.where(both, estimate, 0) - np.where(both, truth, 0), axis=2)
    return _draw(error, known, estimated, threshold)


def _draw(
    error: Float[np.ndarray, "H W"],
    known: Bool[np.ndarray, "H W"],
    estimated: Bool[np.ndarray, "H W"],
    threshold: int | float,
) -> Picture:
    edges = np.array(_STEPS) * threshold
    picture = _COLOURS[np.digitize(error, edges, right=True)]
    picture[known & ~estimated] = _MISSING
    picture[~known] = 0
    wrong = (error > threshold)[known] | ~estimated[known]
    share = 100 * float(wrong.mean()) if wrong.size else 0.0
    strip = Strip(picture, lines=2.0)
    strip.add_text(f"bad-{threshold:g}: {share:.1f} %")
    strip.add_swatch(_MISSING, "no estimate")
    choices = [_labels(edges, every) for every in (1, 2, 4)]
    fitting = (labels for labels in choices if strip.least_width(labels) <= strip.left)
    strip.add_bar(_COLOURS, next(fitting, choices[-1]))
    return strip.below()


def _labels(edges: Float[np.ndarray, " N"], every: int) -> dict[float, str]:
    """Some of the edges, by their position on the bar; the threshold is in the middle."""
    labels = {(i + 1) / len(_COLOURS): f"{edges[i]:.3g}" for i in range(0, len(edges), every)}
    last = max(labels)
    return labels | {last: f"{labels[last]} px"}
