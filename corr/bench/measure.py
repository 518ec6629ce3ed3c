"""Seconds and memory of methods that take turns, so that a busy moment hits them all alike."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from corr.machine import peak_memory

MAX_METHOD_S = 15.0
"""A method is not timed again once its rounds together take longer."""


@dataclass(frozen=True)
class Method:
    """What is timed."""

    name: str
    call: Callable[[], Any]


@dataclass(frozen=True)
class Timing:
    """What was measured of a method."""

    method: Method
    seconds: tuple[float, ...]
    """Of each timed round."""
    num_bytes: float | None
    """Peak memory of one call beyond what was in use before; None where the system hides it."""
    output: Any
    """Of one call."""

    @property
    def median_s(self) -> float:
        """Half of the rounds took at most so long."""
        return float(np.median(self.seconds))

    @property
    def p90_s(self) -> float:
        """Nine of ten rounds took at most so long."""
        return float(np.percentile(self.seconds, 90))


def measure(
    methods: Sequence[Method],
    rounds: int,
    device: torch.device,
    on_call: Callable[[int, int], None] | None = None,
) -> list[Timing]:
    """Time the methods in turns.

    Each is called twice first, untimed: to load and compile, then to see its memory. A slow one
    has fewer rounds than the others, at least one.

    Args:
        methods: what to time.
        rounds: calls of each that count.
        device: what is waited for after a call.
        on_call: told how many calls are done, of how many.
    """
    total, num_done = len(methods) * (2 + rounds), 0

    def done(count: int = 1) -> None:
        nonlocal num_done
        num_done += count
        if on_call is not None:
            on_call(num_done, total)

    memories, outputs, wanted = [], [], []
    for method in methods:
        seconds_of(method, device)
        done()
        with peak_memory() as peak:
            seconds, output = seconds_of(method, device)
        memories.append(peak.num_bytes)
        outputs.append(output)
        wanted.append(max(1, min(rounds, int(MAX_METHOD_S / max(seconds, 1e-9)))))
        done(1 + rounds - wanted[-1])
    seconds_each: list[list[float]] = [[] for _ in methods]
    for turn in range(rounds):
        for k, method in enumerate(methods):
            if turn < wanted[k]:
                seconds_each[k].append(seconds_of(method, device)[0])
                done()
    return [
        Timing(method, tuple(seconds), memory, output)
        for method, seconds, memory, output in zip(
            methods, seconds_each, memories, outputs, strict=True
        )
    ]


def seconds_of(method: Method, device: torch.device) -> tuple[float, Any]:
    """The seconds of one call until its result is there, and the result."""
    start = time.perf_counter()
    output = method.call()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start, output
