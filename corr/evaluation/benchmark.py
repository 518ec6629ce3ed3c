"""What a benchmark is: the seam between the frame and the modules that join it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, TypeVar

Item = TypeVar("Item")
Inputs = TypeVar("Inputs")
Model = TypeVar("Model")
Output = TypeVar("Output")

Scores = Mapping[str, float]
"""Named numbers of one item, or of many after `aggregate`."""


@dataclass(frozen=True)
class Column:
    """One column of the table: aggregated numbers side by side."""

    title: str
    keys: tuple[str, ...]
    """Which aggregated numbers; several are joined by a slash."""
    factor: float = 1.0
    """100 for a share shown in per cent."""
    decimals: int = 1

    def show(self, scores: Scores) -> str:
        """The numbers as text."""
        return "/".join(f"{self.factor * scores[key]:.{self.decimals}f}" for key in self.keys)


class Benchmark(ABC, Generic[Item, Inputs, Model, Output]):
    """Items, how a model runs on one, and how its output is scored.

    The frame calls `prepare` once for each model, `read` once for each item, then `run` (the only
    part that is timed) and `score`; an item that fails gets `worst`, so failing never helps.
    """

    name: ClassVar[str]
    """What the command line calls it."""
    columns: ClassVar[tuple[Column, ...]]

    @property
    @abstractmethod
    def protocol(self) -> Mapping[str, Any]:
        """Everything that fixes the numbers except the data and the models; plain JSON values."""

    @abstractmethod
    def items(self, root: Path) -> list[Item]:
        """What is measured, in a fixed order; refuses a root that holds nothing."""

    @abstractmethod
    def label(self, item: Item) -> str:
        """A unique, readable name of an item."""

    @abstractmethod
    def group(self, item: Item) -> str:
        """The sequence or class that an item is averaged in."""

    @abstractmethod
    def check(self, model: str) -> None:
        """Refuse, before anything runs, a model that is unknown or cannot do this benchmark.

        Raises:
            ModelError: says which models there are.
        """

    @abstractmethod
    def prepare(self, model: str) -> Model:
        """The model, loaded and ready to run."""

    @abstractmethod
    def read(self, item: Item) -> Inputs:
        """What `run` needs of an item, in memory."""

    @abstractmethod
    def run(self, model: Model, inputs: Inputs) -> Output:
        """What the model makes of an item."""

    @abstractmethod
    def score(self, item: Item, inputs: Inputs, output: Output) -> Scores:
        """How good it is."""

    @abstractmethod
    def worst(self) -> Scores:
        """The scores of an item that failed."""

    @abstractmethod
    def aggregate(self, scores: Sequence[Scores]) -> Scores:
        """The numbers of the table, from the scores of one or more items."""
