"""One benchmark of a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from corr.evaluation.benchmark import Benchmark


@dataclass(frozen=True)
class Part:
    """One benchmark with its data and its models."""

    benchmark: Benchmark[Any, Any, Any]
    root: Path
    models: Sequence[str]
