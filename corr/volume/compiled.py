"""Loops compiled by numba."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


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
