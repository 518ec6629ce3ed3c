"""The figures that a shipped network's card states, and whether they still hold."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from corr.errors import ModelError
from corr.evaluation.candidates import network_sha256
from corr.evaluation.report import Report
from corr.models.saved import WEIGHTS, shipped_networks
from corr.resources import weights_root

FILE = "figures.yaml"
DIR = "DIR"
"""Stands for the folder of the data in a command."""


@dataclass(frozen=True)
class Figure:
    """One number of a card."""

    benchmark: str
    model: str
    name: str
    """Such as `mma_3`, of all items."""
    value: float
    tolerance: float
    """How far it may be off on another machine or with other versions."""

    def found(self, reports: Mapping[str, Report]) -> float:
        """The same number of a new run.

        Raises:
            ModelError: there is none.
        """
        report = reports.get(self.benchmark)
        if report is None or self.model not in report.items:
            raise ModelError(f"'{FILE}' states {self.model} on {self.benchmark}, which was not run")
        scores = report.row(self.model).scores
        if self.name not in scores:
            raise ModelError(
                f"'{FILE}' states '{self.name}', which {self.benchmark} does not measure; it has "
                f"{', '.join(scores)}"
            )
        return scores[self.name]

    def holds(self, value: float) -> bool:
        """Whether a new number agrees with it; what is not a number does not."""
        return abs(value - self.value) <= self.tolerance


@dataclass(frozen=True)
class CardRun:
    """A command, what it is run on, and what it found."""

    command: str
    data: str
    """What has to be in the folder that `--root` names."""
    figures: tuple[Figure, ...]
    items: tuple[str, ...] = ()
    """Those that it was measured on, where the benchmark reads several sets; else none."""

    @property
    def benchmark(self) -> str:
        """What it evaluates."""
        return self._words[2]

    @property
    def models(self) -> list[str]:
        """Those that it names."""
        return self._words[self._words.index("--models") + 1].split(",")

    @property
    def rotations(self) -> str:
        """What it says of quarter turns."""
        return self._option("--rotations", "own")

    @property
    def refine(self) -> str:
        """What it says of the refinement of flow."""
        return self._option("--refine", "own")

    @property
    def needs_root(self) -> bool:
        """Whether the data does not come with corr."""
        return DIR in self._words

    def _option(self, flag: str, default: str) -> str:
        words = self._words
        return words[words.index(flag) + 1] if flag in words else default

    @property
    def _words(self) -> list[str]:
        return shlex.split(self.command)


@dataclass(frozen=True)
class CardFigures:
    """All figures of a card, and of which weights they are."""

    network: str
    weights_sha256: str
    runs: tuple[CardRun, ...]

    @property
    def path(self) -> Path:
        """The file that they are in."""
        return weights_root() / self.network / FILE

    def check_weights(self) -> None:
        """Refuse figures that were measured before the weights became what they are.

        Raises:
            ModelError: says so.
        """
        if network_sha256(weights_root() / self.network)[WEIGHTS] != self.weights_sha256:
            raise ModelError(
                f"the figures of '{self.network}' are older than its weights: "
                f"their sha256 differs from the one in '{FILE}'; measure them again"
            )


def read_figures(network: str) -> CardFigures:
    """The figures of a shipped network.

    Raises:
        ModelError: the network is not shipped, or its file is damaged.
    """
    if network not in shipped_networks():
        known = ", ".join(shipped_networks())
        raise ModelError(f"'{network}' is not a network that ships with corr; there are: {known}")
    path = weights_root() / network / FILE
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        runs = tuple(_run(entry) for entry in content["runs"])
        found = CardFigures(network, str(content["weights_sha256"]), runs)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ModelError(f"'{path}' is not a YAML file that can be read") from error
    except (TypeError, KeyError, ValueError, IndexError) as error:
        raise ModelError(f"'{path}' is damaged; it has to hold weights_sha256 and runs") from error
    return found


def _run(entry: Mapping[str, Any]) -> CardRun:
    figures = tuple(_figures(entry["figures"]))
    items = tuple(entry.get("items", ()))
    if not all(isinstance(item, str) for item in items):  # YAML reads 000027_10 as a number
        raise ValueError(items)
    run = CardRun(str(entry["command"]), str(entry["data"]), figures, items)
    if shlex.split(run.command)[:2] != ["corr", "evaluate"] or not run.models:
        raise ValueError(run.command)
    return run


def _figures(tree: Mapping[str, Any]) -> Iterator[Figure]:
    """From benchmark -> model -> name -> value and tolerance."""
    for benchmark, models in tree.items():
        for model, numbers in models.items():
            for name, (value, tolerance) in numbers.items():
                yield Figure(benchmark, model, name, float(value), float(tolerance))
