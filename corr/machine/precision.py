"""Which number format convolutions are fastest in on a machine."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Literal

import torch

_FAST_BF16_FLAGS = {"avx512_bf16", "amx_bf16"}


def fast_precision(
    cpu_info: Path = Path("/proc/cpuinfo"), *, accelerator: str = "auto"
) -> Literal["bf16-mixed", "32-true"]:
    """bfloat16 autocast where the hardware multiplies bfloat16, else float32.

    A CPU without such instructions emulates bfloat16 and is several times slower than in float32.

    Args:
        cpu_info: where Linux lists the flags of the processor.
        accelerator: `cpu` leaves a GPU out of account.
    """
    if accelerator != "cpu" and torch.cuda.is_available():
        return (
            "bf16-mixed" if torch.cuda.is_bf16_supported(including_emulation=False) else "32-true"
        )
    return "bf16-mixed" if _cpu_flags(cpu_info) & _FAST_BF16_FLAGS else "32-true"


@functools.cache
def multiplies_bfloat16(device: str) -> bool:
    """Whether the hardware of a device type multiplies bfloat16."""
    if device == "cpu":
        return fast_precision(accelerator="cpu") == "bf16-mixed"
    return device == "cuda" and fast_precision() == "bf16-mixed"


def _cpu_flags(cpu_info: Path) -> set[str]:
    try:
        lines = cpu_info.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    flags = (line.partition(":")[2].split() for line in lines if line.startswith("flags"))
    return set(next(flags, ()))
