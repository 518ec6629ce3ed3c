"""Data set cards: where data comes from, under which terms, and how it is laid out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from corr.errors import DatasetError
from corr.resources import cards_root

_TABLES = ("splits", "units", "sha256")
"""Keys of a card that hold names with texts."""


@dataclass(frozen=True)
class FileGroup:
    """Files that belong together, such as those of one sequence."""

    folders: str
    """Glob of the folders below the root that hold such files each; `.` is the root itself."""
    files: tuple[str, ...]
    """Globs inside each of them; every one has to match a file. `a.png|a.ppm` is a choice."""

    def __post_init__(self) -> None:
        """Refuse patterns that leave the root.

        Raises:
            DatasetError: a pattern is empty, absolute, or climbs with `..`.
        """
        choices = [choice for pattern in self.files for choice in pattern.split("|")]
        for pattern in (self.folders, *choices):
            if not pattern or Path(pattern).is_absolute() or ".." in Path(pattern).parts:
                raise DatasetError(f"layout pattern '{pattern}' is not a path below the root")
        if not self.files:
            raise DatasetError(f"layout of folders '{self.folders}' names no files")


@dataclass(frozen=True)
class DatasetCard:
    """What one needs to know before using a data set."""

    name: str
    """As in `corr datasets show NAME`; the card's file is called so."""
    title: str
    source: str
    """Where it is published."""
    licence: str
    cite: str
    """The paper, or who made it."""
    layout: tuple[FileGroup, ...]
    """Groups of files; at least one group has to be there, and each that is has to be whole."""
    splits: Mapping[str, str]
    """Name of each split -> which part of the data it is."""
    units: Mapping[str, str]
    """Each kind of ground truth -> its unit, encoding and what says unknown."""
    reader: str
    """Import path of what reads it in corr; several are separated by commas."""
    use: str
    """What it is for here: training, evaluation or both, and what it must not be used for."""
    sha256: Mapping[str, str] = field(default_factory=dict)
    """File below the root -> checksum, where it is known."""

    def __post_init__(self) -> None:
        """Refuse a card that is not filled in.

        Raises:
            DatasetError: a text is empty, there is no layout, or a checksum is not one.
        """
        for entry in fields(self):
            value = getattr(self, entry.name)
            texts = [value] if isinstance(value, str) else value if entry.name in _TABLES else ()
            if not all(text.strip() for text in texts):
                raise DatasetError(f"card '{self.name}': '{entry.name}' is an empty text")
        if not self.layout:
            raise DatasetError(f"card '{self.name}': 'layout' names no files")
        if not self.splits:
            raise DatasetError(f"card '{self.name}': 'splits' is empty")
        for file, digest in self.sha256.items():
            if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
                raise DatasetError(
                    f"card '{self.name}': the sha256 of '{file}' is not 64 hex digits"
                )

    @property
    def readers(self) -> tuple[str, ...]:
        """The import path of each reader."""
        return tuple(path.strip() for path in self.reader.split(","))


def list_cards() -> list[DatasetCard]:
    """All cards of the installation, by name."""
    return [read_card(path) for path in sorted(cards_root().glob("*.yaml"))]


def load_card(name: str) -> DatasetCard:
    """The card of a data set.

    Raises:
        DatasetError: there is none, or it is damaged.
    """
    known = sorted(path.stem for path in cards_root().glob("*.yaml"))
    if name not in known:
        raise DatasetError(f"data set '{name}' is not known; there are cards of {', '.join(known)}")
    return read_card(cards_root() / f"{name}.yaml")


def read_card(path: Path) -> DatasetCard:
    """The card in a YAML file.

    Raises:
        DatasetError: the file is no card; the sentence names the key.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DatasetError(f"'{path}' is not a YAML file that can be read") from error
    if not isinstance(content, dict):
        raise DatasetError(f"'{path}' is not a card: it holds no keys")
    accepted = {entry.name for entry in fields(DatasetCard)} - {"name"}
    required = accepted - {"sha256"}
    for key in content.keys() ^ required:
        if key not in accepted:
            raise DatasetError(
                f"'{path}': key '{key}' is not known; use {', '.join(sorted(accepted))}"
            )
        if key in required:
            raise DatasetError(f"'{path}': key '{key}' is missing")
    for key, value in content.items():
        if key in _TABLES and not _is_table(value):
            raise DatasetError(f"'{path}': '{key}' is not names with texts: {value!r}")
        if key not in (*_TABLES, "layout") and not isinstance(value, str):
            raise DatasetError(f"'{path}': '{key}' is not a text: {value!r}")
    try:
        layout = tuple(_group(entry) for entry in content["layout"])
    except (TypeError, KeyError) as error:
        raise DatasetError(f"'{path}': 'layout' is not a list of folders and files") from error
    return DatasetCard(**{**content, "name": path.stem, "layout": layout})


def _group(entry: Any) -> FileGroup:
    if set(entry) != {"folders", "files"} or isinstance(entry["files"], str):
        raise TypeError(entry)
    return FileGroup(str(entry["folders"]), tuple(str(file) for file in entry["files"]))


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(text, str) for pair in value.items() for text in pair
    )
