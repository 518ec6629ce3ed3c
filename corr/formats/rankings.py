"""Ranked answers as a table: `.csv`."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np

from corr.formats.atomic import replacing
from corr.formats.suffixes import RANKING, check_suffix


@runtime_checkable
class RankingRecord(Protocol):
    """What `corr.results.Ranking` holds."""

    @property
    def index(self) -> np.ndarray:
        """(Q, K)."""

    @property
    def scores(self) -> np.ndarray:
        """(Q, K)."""

    @property
    def query_names(self) -> tuple[str, ...]:
        """Of each query."""

    @property
    def gallery_names(self) -> tuple[str, ...]:
        """Of each image of the gallery."""


def write_ranking(path: str | Path, ranking: RankingRecord) -> None:
    """Write a line `query,rank,answer,score` for each answer; the best has rank 1.

    Raises:
        FormatError: the suffix is not accepted, or the file cannot be written.
    """
    check_suffix(path, RANKING)
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("query", "rank", "answer", "score"))
        for name, row, scores in zip(
            ranking.query_names, ranking.index, ranking.scores, strict=True
        ):
            for rank, (answer, score) in enumerate(zip(row, scores, strict=True), 1):
                writer.writerow((name, rank, ranking.gallery_names[answer], f"{score:.6f}"))
