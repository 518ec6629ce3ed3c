"""What benchmarks on image sequences with homographies have in common: their items."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corr.data.homographies import HomographyPair, read_sequences
from corr.evaluation.benchmark import Benchmark, Inputs, Output


class SequenceBenchmark(Benchmark[HomographyPair, Inputs, Output]):
    """Every pair of every sequence of Oxford affine, HPatches or EVD, grouped by sequence."""

    def items(self, root: Path) -> list[HomographyPair]:
        """Every pair of every sequence."""
        return read_sequences(root)

    def label(self, item: HomographyPair) -> str:
        """Such as `boat/1-4`."""
        return item.name

    def group(self, item: HomographyPair) -> str:
        """Its sequence."""
        return item.sequence

    def files(self, item: HomographyPair) -> Sequence[Path]:
        """Both images."""
        return item.path0, item.path1

    def identity(self, item: HomographyPair, root: Path) -> list[Any]:
        """Its images and its homography, which is read with the sequence."""
        return [*super().identity(item, root), item.homography_0to1.tolist()]
