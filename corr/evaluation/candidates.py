"""What `--models` names: a method, a network, or a folder of results computed elsewhere."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from corr.errors import FormatError, ModelError
from corr.models.saved import RECORD, WEIGHTS, shipped_networks
from corr.pipeline import catalog
from corr.resources import weights_root


@dataclass(frozen=True)
class Candidate:
    """One row of the table before it is measured."""

    name: str
    """As it was given."""
    sha256: Mapping[str, str] = field(default_factory=dict)
    """Of the files that make a network; empty for a classical method."""
    results: Path | None = None
    """Folder of results computed elsewhere, which are read instead of running anything."""
    variant: str = ""
    """How a benchmark runs it differently, if it does."""

    @property
    def identity(self) -> Mapping[str, str]:
        """What tells it from other models: a network by its files, wherever they lie."""
        made_of = self.sha256 or {"name": self.name}
        return {**made_of, "variant": self.variant} if self.variant else made_of

    def result_of(self, label: str, suffixes: Sequence[str]) -> Path:
        """The file of an item: the item's name with one of the suffixes.

        Raises:
            FormatError: it is missing.
        """
        assert self.results is not None
        for suffix in suffixes:
            path = self.results / f"{label}{suffix}"
            if path.is_file():
                return path
        wanted = " or ".join(f"'{label}{suffix}'" for suffix in suffixes)
        raise FormatError(f"'{self.results}' has no {wanted}")


def find_candidate(name: str, task: str, suffixes: Sequence[str] = ()) -> Candidate:
    """What a name stands for.

    Args:
        name: a model that `corr models` lists, a folder that training wrote, or, where `suffixes`
            are given, a folder that holds files with them.
        task: what the model has to do.
        suffixes: of the results of this task.

    Raises:
        ModelError: the name is unknown, of another task, or a folder of neither kind.
    """
    folder = Path(name)
    if name not in catalog.names(task) and folder.is_dir() and not (folder / RECORD).exists():
        if suffixes and any(path.suffix.lower() in suffixes for path in folder.rglob("*")):
            return Candidate(name, results=folder)
        results = f", nor results ({', '.join(suffixes)})" if suffixes else ""
        raise ModelError(f"folder '{name}' holds no network ('{RECORD}' is missing){results}")
    catalog.resolve(name, task)
    network = weights_root() / name if name in shipped_networks() else folder
    is_network = (network / RECORD).is_file()
    return Candidate(name, network_sha256(network) if is_network else {})


def network_sha256(folder: Path) -> dict[str, str]:
    """The checksums of a network's two files."""
    return {
        file: hashlib.sha256((folder / file).read_bytes()).hexdigest() for file in (RECORD, WEIGHTS)
    }
