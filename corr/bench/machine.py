"""The device and the precision that a table was measured with."""

from __future__ import annotations

from typing import Any

import torch

from corr.compiled import num_threads
from corr.machine import environment
from corr.search.microkernel import HAS_BF16


def search_precision(device: torch.device) -> str:
    """Of the first scores of our search, before float64 decides; small tables take float32."""
    return "bf16" if HAS_BF16 or device.type == "cuda" else "float32"


def describe_machine(device: torch.device, precision: str) -> dict[str, Any]:
    """What a report says of where it was measured.

    Args:
        device: that was computed on.
        precision: of the products.
    """
    return {
        "device": str(device),
        "precision": precision,
        "search_threads": num_threads(),
        **environment(),
    }
