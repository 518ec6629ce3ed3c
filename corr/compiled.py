"""Loops compiled by numba, and their work shared among the processor's cores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise
from typing import Any, no_type_check

import numba
from numba import types
from numba.extending import intrinsic


def compiled(loop: Callable[..., Any]) -> Callable[..., Any]:
    """The loop, compiled when first called, and free of Python's lock so that threads share work.

    The machine code is kept beside the module, or in the user's cache folder, for the next start;
    where neither can be written it is compiled at each start.
    """
    try:
        fast: Callable[..., Any] = numba.njit(cache=True, nogil=True)(loop)
    except RuntimeError:  # numba has no folder to keep it in
        fast = numba.njit(nogil=True)(loop)
    return fast


def inlined(loop: Callable[..., Any]) -> Callable[..., Any]:
    """The loop, compiled into whatever compiled loop calls it.

    A call counts the references of each array that it is given, which costs more than a short loop
    and makes threads that share the arrays wait for each other.
    """
    fast: Callable[..., Any] = numba.njit(nogil=True, inline="always")(loop)
    return fast


@intrinsic
@no_type_check
def _data(_context, array):
    """Where the values of an array begin."""

    def build(context, builder, signature, arguments):
        return context.make_array(signature.args[0])(context, builder, arguments[0]).data

    return types.CPointer(array.dtype)(array), build


@inlined
@no_type_check
def borrowed(array):
    """The same array without a count of references, for compiled loops.

    Threads that share an array wait for each other at its count, with each call that it is given
    to. The caller of the loop has to hold the array itself.
    """
    return numba.carray(_data(array), array.shape)


def in_parallel(jobs: Sequence[Callable[[], object]]) -> None:
    """Run independent jobs, on several cores where there are several."""
    if num_threads() == 1 or len(jobs) == 1:
        for job in jobs:
            job()
        return
    with ThreadPoolExecutor(min(num_threads(), len(jobs))) as pool:
        for running in [pool.submit(job) for job in jobs]:
            running.result()


def in_pieces(work: Callable[[int, int], object], length: int, least: int = 1) -> None:
    """Call `work(start, stop)` for pieces that cover a length, one on each core at a time.

    Args:
        work: a compiled loop that writes only its own piece.
        length: of what is worked on.
        least: a piece is at least so long, unless there is no more.
    """
    num_pieces = max(1, min(num_threads(), length // max(least, 1)))
    edges = [length * k // num_pieces for k in range(num_pieces + 1)]
    in_parallel([partial(work, start, stop) for start, stop in pairwise(edges)])


def num_threads() -> int:
    """Cores that may be used: `NUMBA_NUM_THREADS` where it is set, else those of this process."""
    return int(numba.config.NUMBA_NUM_THREADS)
