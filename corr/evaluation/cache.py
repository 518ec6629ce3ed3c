"""Results of items that were measured before, one small file each."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from corr.errors import FormatError
from corr.evaluation.benchmark import ItemResult
from corr.evaluation.source import source_sha256
from corr.formats.atomic import make_folder, replacing
from corr.machine import environment


def default_folder() -> Path:
    """Where results are kept when no folder is named: in the user's own cache."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "corr" / "evaluate"


@dataclass(frozen=True)
class Cache:
    """A folder of results.

    A result is found again while nothing that made it has changed: the model (by its name, or the
    checksums of a network's files), the benchmark and its protocol, what the item is made of, the
    source of corr, the versions of what it stands on, and the kind of machine.
    """

    folder: Path
    reuse: bool = True
    """Whether results are looked up; they are always kept."""

    def make(self) -> None:
        """Make the folder.

        Raises:
            OptionError: it cannot be made or written to.
        """
        make_folder(self.folder)

    def key(
        self, model: Mapping[str, str], protocol_hash: str, label: str, identity: Sequence[Any]
    ) -> str:
        """The name of a result.

        Args:
            model: what tells the model from others.
            protocol_hash: of the benchmark and its protocol.
            label: the item's name.
            identity: what the item is made of.
        """
        parts = [dict(model), protocol_hash, label, identity, self._made_with]
        text = json.dumps(parts, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def find(self, key: str) -> ItemResult | None:
        """The result, if there is one; a damaged file is none."""
        if not self.reuse:
            return None
        try:
            return ItemResult(**json.loads(self._path(key).read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def keep(self, key: str, result: ItemResult) -> None:
        """Write a result, for other runs to find; not finding room for it does not end a run."""
        path = self._path(key)
        try:
            path.parent.mkdir(exist_ok=True)
            with replacing(path) as temporary:
                temporary.write_text(json.dumps(asdict(result)), encoding="utf-8")
        except (OSError, FormatError):
            return

    @cached_property
    def _made_with(self) -> list[Any]:
        return [source_sha256(), environment()]

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"
