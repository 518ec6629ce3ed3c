"""What the images of a command are called in its results and in the names of its pictures."""

from __future__ import annotations

import os
from pathlib import Path


def group_names(images: list[Path]) -> list[str]:
    """Each image's path below the folder that all of them share: unique names without `..`.

    Raises:
        OptionError: an image is given twice.
    """
    from corr.errors import OptionError

    absolute = [Path(os.path.abspath(path)) for path in images]  # noqa: PTH100 - links are kept
    for path, whole in zip(images, absolute, strict=True):
        if absolute.count(whole) > 1:
            raise OptionError(f"image '{path}' is given twice; give each image once")
    shared = Path(os.path.commonpath([path.parent for path in absolute]))
    return [path.relative_to(shared).as_posix() for path in absolute]


def labels(names: list[str]) -> list[str]:
    """The names as parts of file names, without their suffix where that is enough."""
    flat = [name.replace("/", "-") for name in names]
    stems = [Path(name).stem for name in flat]
    return [
        stem if stems.count(stem) == 1 else name for stem, name in zip(stems, flat, strict=True)
    ]
