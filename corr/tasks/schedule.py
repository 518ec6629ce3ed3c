"""Learning rates over the steps of a training."""

from __future__ import annotations

from collections.abc import Callable


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
