"""Work on the rows of an image, shared among the processor's cores."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import pairwise

import numba


def in_bands(work: Callable[[int, int], object], height: int) -> None:
    """Call `work(top, bottom)` for bands of rows that cover an image, one on each core at a time.

    Args:
        work: a compiled loop that lets go of Python's lock (`nogil`) and writes only its own rows.
        height: number of rows.
    """
    num_bands = max(1, min(num_threads(), height))
    edges = [height * k // num_bands for k in range(num_bands + 1)]
    in_parallel([partial(work, top, bottom) for top, bottom in pairwise(edges)])


def in_parallel(jobs: list[Callable[[], object]]) -> None:
    """Run independent jobs, on several cores where there are several."""
    if num_threads() == 1 or len(jobs) == 1:
        for job in jobs:
            job()
        return
    with ThreadPoolExecutor(min(num_threads(), len(jobs))) as pool:
        for running in [pool.submit(job) for job in jobs]:
            running.result()


def num_threads() -> int:
    """Cores that may be used: `NUMBA_NUM_THREADS` where it is set, else those of this process."""
    return int(numba.config.NUMBA_NUM_THREADS)
