"""What a confidence is worth: how bad pixels go with the unsure ones, and is it a probability."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Float

from corr.drawing import draw_curves
from corr.drawing.curves import Curve
from corr.evaluation.benchmark import ItemResult
from corr.metrics import area_under_sparsification, reliability, sparsification
from corr.results import Picture

KEPT_PERCENT = tuple(range(10, 101, 10))
"""Shares of the pixels that are kept."""

NUM_BINS = 10
"""Of confidence, of equal width."""

LEAST_SHARE = 0.001
"""Of the pixels; a bin with fewer is not drawn."""

_KEPT = np.array(KEPT_PERCENT) / 100


def confidence_scores(
    bad: Bool[np.ndarray, " N"], confidence: Float[np.ndarray, " N"]
) -> dict[str, float]:
    """The share of bad pixels for each share kept, of the model and of an oracle, and the area.

    NaN where there are no pixels.

    Args:
        bad: of the pixels with truth.
        confidence: of the same; 0 where filled or missing.
    """
    names = [f"{kind}_{percent}" for kind in ("kept", "oracle") for percent in KEPT_PERCENT]
    if not len(bad):
        return dict.fromkeys((*names, "ause"), float("nan"))
    error = bad.astype(np.float64)
    sure = np.nan_to_num(confidence.astype(np.float64), nan=0.0)
    curves = sparsification(error, sure, _KEPT), sparsification(error, -error, _KEPT)
    scores = dict(zip(names, np.concatenate(curves).tolist(), strict=True))
    return {**scores, "ause": area_under_sparsification(error, sure, _KEPT)}


def reliability_scores(
    right: Bool[np.ndarray, " N"], confidence: Float[np.ndarray, " N"]
) -> dict[str, float]:
    """The expected calibration error, and of each bin of confidence what `Reliability` holds.

    NaN where there are no pixels.

    Args:
        right: of the pixels with truth that were matched.
        confidence: of the same.
    """
    names = [f"{kind}_{k}" for kind in ("bin", "right", "sure") for k in range(NUM_BINS)]
    if not len(right):
        return dict.fromkeys((*names, "ece"), float("nan"))
    found = reliability(right, confidence, NUM_BINS)
    return {**dict(zip(names, np.concatenate(found).tolist(), strict=True)), "ece": found.error}


def draw_reliability(results: Mapping[str, Sequence[ItemResult]], right_px: float) -> Picture:
    """The share of right pixels by confidence, of every model, beside the diagonal; all items."""
    curves: dict[str, Curve] = {"as it should be": ([0.0, 100.0], [0.0, 100.0])}
    for model, found in results.items():
        count, right, sure = (
            np.nansum([[item.scores[f"{kind}_{k}"] for k in range(NUM_BINS)] for item in found], 0)
            for kind in ("bin", "right", "sure")
        )
        there = count > LEAST_SHARE * count.sum()
        if there.any():
            curves[model] = (100 * sure[there] / count[there], 100 * right[there] / count[there])
    return draw_curves(
        curves,
        f"Matched pixels right within {right_px:g} px, by confidence",
        x_label="confidence, %",
        y_label="right, %",
        from_zero=True,
    )


def draw_confidence_curves(results: Mapping[str, Sequence[ItemResult]], bad_px: float) -> Picture:
    """The curve of every model beside that of its oracle, means over the items."""
    curves = {}
    for model, found in results.items():
        for kind in ("kept", "oracle"):
            rows = [[item.scores[f"{kind}_{p}"] for p in KEPT_PERCENT] for item in found]
            table = np.array(rows, float)
            known = ~np.isnan(table).all(axis=1)
            if known.any():
                name = model if kind == "kept" else f"{model}, oracle"
                curves[name] = (100 * _KEPT, 100 * table[known].mean(axis=0))
    return draw_curves(
        curves,
        f"bad-{bad_px:g} of the most confident pixels",
        x_label="pixels kept, %",
        y_label=f"bad-{bad_px:g}, %",
        from_zero=True,
    )
