"""A stream of batches, each a pure function of its step, that resumes at any of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import cv2
import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from corr.errors import CorrError

Made = TypeVar("Made")
Batch = TypeVar("Batch")

TRAIN, VAL = 0, 1
"""Streams of random numbers: of training batches, and of what is held out."""


@dataclass(frozen=True, kw_only=True)
class ShareOfSteps:
    """The share of one process (`rank`) in each step; its subclasses make the batch."""

    seed: int
    rank: int = 0
    num_ranks: int = 1

    def rng(self, step: int) -> np.random.Generator:
        """The random numbers of a batch, the same whenever and wherever it is made."""
        return np.random.default_rng((TRAIN, self.seed, step * self.num_ranks + self.rank))


class ResumableLoader(Generic[Made, Batch]):
    """Batches of one epoch after another, made by workers.

    Batch number `step` counts through all epochs and depends on nothing else: not on the number of
    workers, not on where the stream was resumed. `state_dict` says how many batches were handed
    out; Lightning saves it in a checkpoint and gives it back.

    Args:
        make: the batch of a step, as it travels from a worker.
        finish: what is done with it in the main process.
        steps_per_epoch: number of batches in an iteration; the next one goes on from there.
        num_workers: processes that make batches; 0 makes them in the main one.
    """

    def __init__(
        self,
        make: Callable[[int], Made],
        finish: Callable[[Made], Batch],
        *,
        steps_per_epoch: int,
        num_workers: int = 0,
    ) -> None:
        self.make = make
        self._finish = finish
        self._steps_per_epoch = steps_per_epoch
        self._num_handed_out = 0
        self._steps = _Steps()
        self._loader: DataLoader[Made | CorrError] = DataLoader(
            _Made(make),
            batch_size=None,
            sampler=self._steps,
            num_workers=num_workers,
            persistent_workers=num_workers > 0,
            worker_init_fn=_leave_signals_to_parent,
            generator=torch.Generator(),  # else each epoch would draw from the global one
        )

    def __len__(self) -> int:
        return self._steps_per_epoch

    def __iter__(self) -> Iterator[Batch]:
        first = self._num_handed_out
        rest = self._steps_per_epoch - first % self._steps_per_epoch
        self._steps.span = range(first, first + rest)
        for made in self._started():
            if isinstance(made, CorrError):
                raise made
            self._num_handed_out += 1
            yield self._finish(made)

    def state_dict(self) -> dict[str, Any]:
        """How many batches were handed out, over all epochs."""
        return {"num_handed_out": self._num_handed_out}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on after that many batches at the next iteration."""
        self._num_handed_out = int(state["num_handed_out"])

    def _started(self) -> Iterator[Made | CorrError]:
        """The loader's iterator; a worker forked while OpenCV has threads would hang in it."""
        num_threads = cv2.getNumThreads()
        cv2.setNumThreads(1)
        try:
            return iter(self._loader)
        finally:
            cv2.setNumThreads(num_threads)


class _Made(Dataset[Made | CorrError]):
    """The batches; an error travels as a value, for a worker would wrap it in its traceback."""

    def __init__(self, make: Callable[[int], Made]) -> None:
        self._make = make

    def __getitem__(self, step: int) -> Made | CorrError:
        try:
            return self._make(step)
        except CorrError as error:
            return error


class _Steps(Sampler[int]):
    span = range(0)

    def __iter__(self) -> Iterator[int]:
        return iter(self.span)

    def __len__(self) -> int:
        return len(self.span)


def _leave_signals_to_parent(worker: int) -> None:
    """Put the worker into a process group of its own.

    Ctrl-C in a terminal, or SIGTERM from a batch system, goes to the whole group; the parent still
    wants the batch under way, and ends its workers itself.
    """
    if sys.platform != "win32":
        os.setpgid(0, 0)
