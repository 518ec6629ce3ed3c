"""What a benchmark is: the seam between the frame and the modules that join it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import Field, asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import numpy as np
from jaxtyping import Float

from corr.evaluation.candidates import Candidate, find_candidate
from corr.results import Picture


class Dataclass(Protocol):
    """An instance of any dataclass."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


Item = TypeVar("Item")
Inputs = TypeVar("Inputs")
Output = TypeVar("Output")

Scores = Mapping[str, float]
"""Named numbers of one item, or of many after `aggregate`; NaN where an item has no such number."""

ScoreTable = Mapping[str, Float[np.ndarray, "*R N"]]
"""The same numbers of N items; leading axes are samples of the items."""

Totals = Mapping[str, Float[np.ndarray, "*R"]]
"""Named numbers of all N items together."""


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
        """The numbers as text; a dash where there is none."""
        return "/".join(self._number(scores[key]) for key in self.keys)

    def _number(self, value: float) -> str:
        return "-" if np.isnan(value) else f"{self.factor * value:.{self.decimals}f}"


@dataclass(frozen=True)
class ItemResult:
    """One model on one item."""

    item: str
    group: str
    scores: Scores
    time_s: float | None = None
    """Median seconds of the model alone; `None` when it failed or was not run here."""
    memory_mb: float | None = None
    """The most that it needed beyond what was in use, MiB; `None` where that is not known."""
    error: str | None = None
    """Why it failed."""


class Benchmark(ABC, Generic[Item, Inputs, Output]):
    """Items, how a model runs on one, and how its output is scored.

    The frame calls `candidate` once for each model, `read` for each item, then `run` (the only part
    whose time and memory are measured) and `score`; an item that fails gets `worst`, so failing
    never helps.
    """

    name: ClassVar[str]
    """What the command line calls it."""
    task: ClassVar[str]
    """What a model has to do, in the words of `corr models`."""
    defaults: ClassVar[tuple[str, ...]]
    """The models of the table when none are named."""
    baseline: ClassVar[str]
    """The classical model that the others' seconds are compared with."""
    columns: ClassVar[tuple[Column, ...]]
    ranked_by: ClassVar[str]
    """The score of an item that says which one is worst."""
    higher_is_better: ClassVar[bool]
    """Of that score."""
    drawn: ClassVar[str] = ""
    """What `draw` shows, in a sentence or two."""
    suffixes: ClassVar[tuple[str, ...]] = ()
    """Files of results computed elsewhere that `read_output` reads; none when empty."""

    settings: Dataclass
    """What the protocol says; a frozen dataclass of the benchmark."""

    @property
    def protocol(self) -> Mapping[str, Any]:
        """Everything that fixes the numbers except the data and the models; plain JSON values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self.settings).items()}

    def own_root(self) -> Path | None:
        """The folder of data that comes with corr, for when no other is named; none unless told."""
        return None

    @abstractmethod
    def items(self, root: Path) -> Sequence[Item]:
        """What is measured, in a fixed order; refuses a root that holds nothing."""

    @abstractmethod
    def label(self, item: Item) -> str:
        """A unique, readable name of an item; with a slash between its group and its own name."""

    @abstractmethod
    def group(self, item: Item) -> str:
        """The sequence or class that an item is averaged in."""

    @abstractmethod
    def files(self, item: Item) -> Sequence[Path]:
        """The files that an item is read from."""

    @abstractmethod
    def read(self, item: Item) -> Inputs:
        """What `run` and `score` need of an item, in memory."""

    @abstractmethod
    def run(self, model: str, inputs: Inputs) -> Output:
        """What the model makes of an item."""

    def warm_up(self, model: str, inputs: Inputs) -> None:
        """Load and compile what `run` needs: by a whole run, unless a part of one is enough."""
        self.run(model, inputs)

    @abstractmethod
    def score(self, item: Item, inputs: Inputs, output: Output) -> Scores:
        """How good it is."""

    @abstractmethod
    def worst(self, item: Item) -> Scores:
        """The scores of an item that failed."""

    @abstractmethod
    def aggregate(self, table: ScoreTable) -> Totals:
        """The numbers of the table, from the scores of one or more items."""

    @abstractmethod
    def draw(self, inputs: Inputs, output: Output) -> Picture:
        """What the model made of an item, and where it is wrong."""

    def overview(
        self, items: Sequence[Item], results: Mapping[str, Sequence[ItemResult]]
    ) -> Mapping[str, Picture]:
        """Pictures of all items together by their titles, such as a curve; none unless told.

        Args:
            items: all of them.
            results: of each model, in the same order.
        """
        return {}

    def identity(self, item: Item, root: Path) -> list[Any]:
        """What an item is made of, in plain values: where one changes, it is measured again.

        Path below the root, size and time of change of its files: to read all of a large set in
        order to hash it would cost more than some models.

        Raises:
            OSError: a file is missing.
        """
        found = []
        for path in self.files(item):
            state = path.stat()
            below = path.relative_to(root) if path.is_relative_to(root) else path
            found.append([below.as_posix(), state.st_size, state.st_mtime_ns])
        return found

    def candidate(self, model: str) -> Candidate:
        """What a name on the command line stands for.

        Raises:
            ModelError: it is unknown or cannot do this benchmark; says which models there are.
        """
        return find_candidate(model, self.task, self.suffixes)

    def read_output(self, path: Path, inputs: Inputs) -> Output:
        """The result in a file that was computed elsewhere.

        Raises:
            FormatError: it cannot be read, or does not fit the item.
        """
        raise TypeError(f"{self.name} reads no files of results")  # the frame asks `suffixes` first
