"""Is data laid out as its card says, and can it be read."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from corr.data.cards import DatasetCard, FileGroup
from corr.errors import CorrError, DatasetError
from corr.formats import read_disparity, read_flow, read_image
from corr.formats.suffixes import read_bytes

_READERS: dict[str, Callable[[Path], object]] = {
    ".pfm": read_disparity,
    ".flo": read_flow,
    **dict.fromkeys((".png", ".ppm", ".pgm", ".jpg", ".jpeg", ".bmp", ".tif", ".webp"), read_image),
}


def verify(card: DatasetCard, root: Path) -> int:
    """How many files the card names below `root`, all of them present and readable.

    A part of a data set is enough, as long as each sequence or scene in it is whole.

    Raises:
        DatasetError: the first thing that is wrong.
    """
    if not root.is_dir():
        raise DatasetError(f"'{root}' is not a folder; give the root of '{card.name}'")
    files: set[Path] = set()
    for group in card.layout:
        for folder in _folders(root, group):
            found = [_find(folder, pattern) for pattern in group.files]
            if not any(found):
                continue
            for pattern, matched in zip(group.files, found, strict=True):
                if not matched:
                    raise DatasetError(f"{card.name}: '{folder}' has no file '{pattern}'")
                files.update(matched)
    if not files:
        wanted = " or ".join(f"{group.folders}/{group.files[0]}" for group in card.layout)
        raise DatasetError(f"{card.name}: '{root}' has no files such as {wanted}")
    for file in sorted(files):
        _check(card, root, file)
    return len(files)


def _folders(root: Path, group: FileGroup) -> list[Path]:
    if group.folders == ".":
        return [root]
    return sorted(path for path in root.glob(group.folders) if path.is_dir())


def _find(folder: Path, pattern: str) -> list[Path]:
    choices = (path for choice in pattern.split("|") for path in folder.glob(choice))
    return sorted(path for path in choices if path.is_file())


def _check(card: DatasetCard, root: Path, file: Path) -> None:
    try:
        content = read_bytes(file)
        _READERS.get(file.suffix.lower(), read_bytes)(file)
    except CorrError as error:
        raise DatasetError(f"{card.name}: {error}") from error
    if not content:
        raise DatasetError(f"{card.name}: '{file}' is empty")
    expected = card.sha256.get(file.relative_to(root).as_posix())
    if expected is not None and hashlib.sha256(content).hexdigest() != expected:
        raise DatasetError(f"{card.name}: '{file}' is not the file of the card: its sha256 differs")
