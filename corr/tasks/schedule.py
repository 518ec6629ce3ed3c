"""Learning rates over the steps of a training."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

Schedule = Literal["line", "short", "long"]
"""`line`: to 0 on a straight line. `short` and `long`: halved at three or four points."""

HALVED_AT = {"short": (1 / 2, 2 / 3, 5 / 6), "long": (1 / 3, 1 / 2, 2 / 3, 5 / 6)}
"""Shares of the steps at which the learning rate is halved.

Source: Ilg et al. 2017, "FlowNet 2.0", figure 5: S_short of 600k steps (300k, 400k, 500k) and
S_long of 1200k (400k, 600k, 800k, 1000k).
"""


def learning_rate_factor(
    schedule: Schedule, warmup_steps: int, num_steps: int
) -> Callable[[int], float]:
    """A factor of the learning rate for each step of a training."""
    if schedule == "line":
        return warm_up_and_decay(warmup_steps, num_steps)
    return warm_up_and_halve(warmup_steps, num_steps, HALVED_AT[schedule])


def warm_up_and_decay(warmup_steps: int, num_steps: int) -> Callable[[int], float]:
    """A factor of the learning rate for each step: up to 1, then to 0, on straight lines.

    The first step is already a step: its factor is above 0, and so is that of the last one.

    Args:
        warmup_steps: the factor is 1 after so many steps; limited to a half of `num_steps`.
        num_steps: of the whole training; the factor would be 0 in the step after the last one.
    """
    warmup_steps = min(warmup_steps, num_steps // 2)

    def factor(step: int) -> float:
        if step < warmup_steps:
            return (step + 1) / (warmup_steps + 1)
        return max(0.0, (num_steps - step) / max(1, num_steps - warmup_steps))

    return factor


def warm_up_and_halve(
    warmup_steps: int, num_steps: int, halved_at: Sequence[float]
) -> Callable[[int], float]:
    """A factor of the learning rate for each step: up to 1 on a straight line, then down by halves.

    Args:
        warmup_steps: the factor is 1 after so many steps.
        num_steps: of the whole training.
        halved_at: shares of them after which the factor is half of what it was.
    """

    def factor(step: int) -> float:
        if step < warmup_steps:
            return (step + 1) / (warmup_steps + 1)
        passed = sum(step >= round(share * num_steps) for share in halved_at)
        return float(0.5**passed)

    return factor
