"""What benchmarks that need nothing but photographs have in common: which ones."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import skimage

from corr.data.photos import INSTALLED_VAL, list_photos
from corr.errors import DatasetError

INSTALLED = (*INSTALLED_VAL, "coffee.png")
"""Those that come with corr: as in `mini`."""


class Photograph(NamedTuple):
    """A file, and its name below the folder that was given."""

    name: str
    path: Path

    @property
    def folder(self) -> str:
        """The folder that it lies in."""
        return self.path.parent.name


def installed_folder() -> Path:
    """Where they are."""
    return Path(skimage.__file__).parent / "data"


def find_photographs(root: Path, at_least: int = 1) -> list[Photograph]:
    """All photographs below a folder, by name; of the folder that comes with corr, `INSTALLED`.

    Args:
        root: the folder.
        at_least: how many are needed.

    Raises:
        DatasetError: there is no such folder, or it holds too few.
    """
    if root == installed_folder():
        return [Photograph(name, root / name) for name in INSTALLED]
    found = list_photos(root)
    if len(found) < at_least:
        raise DatasetError(
            f"folder '{root}' holds {len(found)} photo; {at_least} or more are needed"
        )
    return [Photograph(path.relative_to(root).as_posix(), path) for path in found]
