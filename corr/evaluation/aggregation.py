"""Many items into one number, and how far that number can be trusted."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from corr.evaluation.benchmark import Scores, ScoreTable, Totals

NUM_RESAMPLES = 1000
SEED = 0
LEVEL = 0.95
_AT_ONCE = 100_000
"""Items of resamples that are held at once."""

Interval = tuple[float, float]


def mean_over_items(values: Float[np.ndarray, "*R N"]) -> Float[np.ndarray, "*R"]:
    """The mean of those that are a number; NaN where none is."""
    return pooled_mean(values, np.ones(values.shape[-1:]))


def pooled_mean(
    values: Float[np.ndarray, "*R N"], weights: Float[np.ndarray, "*#R N"]
) -> Float[np.ndarray, "*R"]:
    """The mean over all that the items are made of, such as pixels; NaN where there are none.

    Args:
        values: mean of each item; NaN where it has none.
        weights: how much each item is made of.
    """
    known = ~np.isnan(values)
    total = np.where(known, weights, 0.0).sum(-1)
    summed = np.where(known, values, 0.0) * np.where(known, weights, 0.0)
    mean: Float[np.ndarray, "*R"] = np.where(
        total > 0, summed.sum(-1) / np.where(total > 0, total, 1), np.nan
    )
    return mean


def score_table(scores: list[Scores]) -> dict[str, Float[np.ndarray, " N"]]:
    """The scores of items, by name."""
    return {key: np.array([entry[key] for entry in scores], float) for key in scores[0]}


def bootstrap_intervals(
    aggregate: Callable[[ScoreTable], Totals], table: ScoreTable
) -> dict[str, Interval]:
    """The 95 % interval of each aggregated number, by resampling the items with a fixed seed.

    It says how much the number would move with other items of the same kind; a single item gives
    no interval (NaN).

    Source: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", section 13.3
    (percentiles).
    """
    num_items = len(next(iter(table.values())))
    if num_items < 2:
        return dict.fromkeys(aggregate(table), (float("nan"), float("nan")))
    drawn = np.random.default_rng(SEED).integers(num_items, size=(NUM_RESAMPLES, num_items))
    parts = np.array_split(drawn, -(-drawn.size // _AT_ONCE))
    totals = [aggregate({key: values[part] for key, values in table.items()}) for part in parts]
    return {key: _percentiles(np.concatenate([part[key] for part in totals])) for key in totals[0]}


def _percentiles(values: Float[np.ndarray, " R"]) -> Interval:
    """By rank, since a value may be infinite."""
    ordered = np.sort(values[~np.isnan(values)])
    if not len(ordered):
        return float("nan"), float("nan")
    tail = (1 - LEVEL) / 2
    low, high = (round(share * (len(ordered) - 1)) for share in (tail, 1 - tail))
    return float(ordered[low]), float(ordered[high])
