"""The most memory that a piece of work needs beyond what was in use before it."""

from __future__ import annotations

import ctypes
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


@dataclass
class PeakMemory:
    """What `peak_memory` found, after its block."""

    num_bytes: float | None = None
    """`None` where the system does not say."""


@contextmanager
def peak_memory() -> Iterator[PeakMemory]:
    """Measure the block: resident memory at its highest, less that at the start.

    Where Linux lets the high-water mark be reset, that is exact. Elsewhere only a block that takes
    the process higher than ever before can be measured. Memory that the C library kept from
    earlier work is handed back first, so that using it again counts. What a CUDA device held at
    most is added.

    Source: proc_pid_clear_refs(5), proc_pid_status(5), malloc_trim(3), getrusage(2).
    """
    import torch

    peak = PeakMemory()
    _trim()
    on_device = torch.cuda.is_available()
    if on_device:
        torch.cuda.reset_peak_memory_stats()
    device_start = torch.cuda.memory_allocated() if on_device else 0
    finish = _watch_resident()
    yield peak
    resident = finish()
    if resident is not None:
        device = torch.cuda.max_memory_allocated() - device_start if on_device else 0
        peak.num_bytes = float(resident + device)


def _watch_resident() -> Callable[[], int | None]:
    """Starts to watch; what it gives says how many bytes came on top."""
    try:
        _CLEAR.write_text(_RESET_PEAK)
        start = _status("VmRSS")
    except OSError:
        return _watch_process_maximum()
    return lambda: max(_status("VmHWM") - start, 0)


def _watch_process_maximum() -> Callable[[], int | None]:
    try:
        import resource
    except ImportError:  # Windows
        return lambda: None

    def highest() -> int:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

    start = highest()
    return lambda: (highest() - start) or None


def _status(name: str) -> int:
    for line in _STATUS.read_text().splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0]) * 1024
    raise OSError(f"{_STATUS} has no {name}")


def _trim() -> None:
    if platform.system() == "Linux" and platform.libc_ver()[0] == "glibc":
        ctypes.CDLL(None).malloc_trim(0)
