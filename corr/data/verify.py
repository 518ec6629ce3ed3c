"""Is data laid out as its card says, can it be read, and does its ground truth make sense."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from corr.data.cards import DatasetCard, FileGroup
from corr.data.layouts import recognise_all, refusal
from corr.data.pair_checks import CHECKS, PairCheck
from corr.data.progress import progress_bar
from corr.errors import CorrError, DatasetError
from corr.formats import read_disparity, read_flow, read_image
from corr.formats.suffixes import read_bytes

_READERS: dict[str, Callable[[Path], object]] = {
    ".pfm": read_disparity,
    ".flo": read_flow,
    **dict.fromkeys((".png", ".ppm", ".pgm", ".jpg", ".jpeg", ".bmp", ".tif", ".webp"), read_image),
}


class Verified(NamedTuple):
    """What was found in order."""

    num_files: int
    """Files that the card names, all of them present and readable."""
    num_pairs: int
    """Pairs whose ground truth explains their images; 0 where a set has none."""


def verify(card: DatasetCard, root: Path) -> Verified:
    """How much data of a set is below `root`, all of it whole, readable and plausible.

    A part of a data set is enough, as long as each sequence or scene in it is whole. Ground truth
    is plausible when a warp by it lowers the photometric error, see `corr.data.plausibility`.

    Raises:
        DatasetError: the first thing that is wrong.
    """
    files = _present(card, root)
    for file in files:
        if file.stat().st_size == 0:
            raise DatasetError(f"{card.name}: '{file}' is empty (0 bytes)")
    checks = [check for reader in card.readers for check in _pair_checks(card, reader, root)]
    read_with_pairs = {file for check in checks for file in check.files}
    with progress_bar() as progress:
        for file in progress.track(files, description="files"):
            _check(card, root, file, decode=file not in read_with_pairs)
        for check in progress.track(checks, description="pairs"):
            try:
                check.run()
            except CorrError as error:
                raise DatasetError(f"{card.name}: {error}") from error
    return Verified(len(files), sum(check.num_pairs for check in checks))


def _present(card: DatasetCard, root: Path) -> list[Path]:
    """The files of the card's layout, each group of which is whole."""
    wanted = " or ".join(f"{group.folders}/{group.files[0]}" for group in card.layout)
    expected = f"files such as {wanted}"
    found = recognise_all(root)
    if not root.is_dir() or (found and card.name not in found and CHECKS.keys() & card.readers):
        raise refusal(root, (card.name,), expected)
    files: set[Path] = set()
    for group in card.layout:
        for folder in _folders(root, group):
            matches = [_find(folder, pattern) for pattern in group.files]
            if not any(matches):
                continue
            for pattern, matched in zip(group.files, matches, strict=True):
                if not matched:
                    raise DatasetError(f"{card.name}: '{folder}' has no file '{pattern}'")
                files.update(matched)
    if not files:
        raise refusal(root, (card.name,), expected)
    return sorted(files)


def _pair_checks(card: DatasetCard, reader: str, root: Path) -> list[PairCheck]:
    try:
        return CHECKS[reader](root) if reader in CHECKS else []
    except CorrError as error:
        raise DatasetError(f"{card.name}: {error}") from error


def _folders(root: Path, group: FileGroup) -> list[Path]:
    if group.folders == ".":
        return [root]
    return sorted(path for path in root.glob(group.folders) if path.is_dir())


def _find(folder: Path, pattern: str) -> list[Path]:
    choices = (path for choice in pattern.split("|") for path in folder.glob(choice))
    return sorted(path for path in choices if path.is_file())


def _check(card: DatasetCard, root: Path, file: Path, *, decode: bool) -> None:
    expected = card.sha256.get(file.relative_to(root).as_posix())
    try:
        if decode:
            _READERS.get(file.suffix.lower(), read_bytes)(file)
        if expected is not None and hashlib.sha256(read_bytes(file)).hexdigest() != expected:
            raise DatasetError(f"'{file}' is not the file of the card: its sha256 differs")
    except CorrError as error:
        raise DatasetError(f"{card.name}: {error}") from error
