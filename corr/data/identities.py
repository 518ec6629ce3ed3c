"""Images of identities: a folder for each, and the pairs that Labeled Faces in the Wild lists.

Source: Huang 2007, "Labeled Faces in the Wild: A Database for Studying Face Recognition in
Unconstrained Environments", section 3 and its README for the files of pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from corr.data.photos import SUFFIXES
from corr.errors import CorrError, DatasetError
from corr.formats.suffixes import read_bytes


@dataclass(frozen=True)
class Identities:
    """Images, and whom or what each shows."""

    paths: tuple[Path, ...]
    labels: tuple[int, ...]
    """Of each image: the place of its identity in `names`."""
    names: tuple[str, ...]
    """The folders, in alphabetical order."""


@dataclass(frozen=True)
class VerificationPair:
    """Two images and whether they show the same identity."""

    path0: Path
    path1: Path
    same: bool
    fold: int
    """Part of a cross-validation, from 0; always 0 where the file has no folds."""


def read_identities(root: str | Path) -> Identities:
    """The images of a folder that holds a folder for each identity.

    Folders without an image are left out, and files beside the folders too.

    Args:
        root: such as `lfw`, with `lfw/Ada_Lovelace/Ada_Lovelace_0001.jpg`.

    Raises:
        DatasetError: the folder is missing, or has fewer than two identities with images.
    """
    root = Path(root)
    if not root.is_dir():
        raise DatasetError(f"'{root}' is not a folder; give one with a folder for each identity")
    images = {folder.name: _images(folder) for folder in sorted(root.iterdir()) if folder.is_dir()}
    images = {name: paths for name, paths in images.items() if paths}
    if len(images) < 2:
        raise DatasetError(
            f"'{root}' holds {len(images)} folders with images ({', '.join(SUFFIXES)}); two or "
            "more are needed, one for each identity"
        )
    return Identities(
        tuple(path for paths in images.values() for path in paths),
        tuple(label for label, paths in enumerate(images.values()) for _ in paths),
        tuple(images),
    )


def read_lfw_pairs(path: str | Path, root: str | Path) -> list[VerificationPair]:
    """The pairs of `pairs.txt`, or of `pairsDevTrain.txt` and `pairsDevTest.txt`.

    The first line holds the number of folds, if there are any, and that of the matching pairs in
    each; as many that do not match follow those. `Name 1 4` is two images of one person, `Name 1
    Other 2` one of each.

    Args:
        path: the file.
        root: folder of the images, a folder for each person.

    Raises:
        DatasetError: the file is missing or damaged, or an image that it names is.
    """
    path, root = Path(path), Path(root)
    lines = _lines(path)
    header = lines[0].split() if lines else []
    if len(header) not in (1, 2) or not all(_is_count(cell) for cell in header):
        raise DatasetError(f"'{path}': line 1 is not the number of folds and of pairs in each")
    num_folds, num_pairs = (1, int(header[0])) if len(header) == 1 else map(int, header)
    if len(lines) - 1 != 2 * num_folds * num_pairs:
        raise DatasetError(
            f"'{path}' holds {len(lines) - 1} pairs, and its first line says "
            f"{2 * num_folds * num_pairs}"
        )
    pairs = []
    for row, line in enumerate(lines[1:]):
        cells = line.split()
        fold, place = divmod(row, 2 * num_pairs)
        same = place < num_pairs
        if len(cells) != 4 - same or not all(_is_count(x) for x in (cells[1], cells[-1])):
            wanted = "a name and two numbers" if same else "two names, a number after each"
            raise DatasetError(f"'{path}': line {row + 2} is not {wanted}")
        second = cells[0] if same else cells[2]
        pairs.append(
            VerificationPair(
                _image(root, cells[0], int(cells[1])),
                _image(root, second, int(cells[-1])),
                same,
                fold,
            )
        )
    missing = next((p for pair in pairs for p in (pair.path0, pair.path1) if not p.is_file()), None)
    if missing is not None:
        raise DatasetError(f"'{path}' names '{missing}', which is not there")
    return pairs


def read_lfw_people(path: str | Path) -> tuple[str, ...]:
    """The names in `peopleDevTrain.txt`, `peopleDevTest.txt`, or any file with one a line.

    What follows a name after a tab, as LFW's number of images does, is left out, and so is a line
    without a name, as that of the number of people.

    Raises:
        DatasetError: the file is missing, not text, or holds no name.
    """
    path = Path(path)
    names = (line.split("\t")[0].strip() for line in _lines(path))
    found = tuple(name for name in names if name and not name.isdigit())
    if not found:
        raise DatasetError(f"'{path}' holds no name; one is expected on each line")
    return found


def _lines(path: Path) -> list[str]:
    try:
        return read_bytes(path).decode("utf-8").splitlines()
    except (CorrError, UnicodeDecodeError) as error:
        raise DatasetError(f"'{path}' cannot be read as text: {error}") from error


def find_lfw_pairs(root: Path) -> list[Path]:
    """LFW's files of pairs, in the folder of the images or beside it, where it is published."""
    root = root.resolve()
    return sorted(path for folder in (root, root.parent) for path in folder.glob("pairs*.txt"))


def draw_verification_pairs(
    found: Identities, pairs_per_identity: int, seed: int
) -> list[VerificationPair]:
    """Pairs of one identity, and as many of two, all of fold 0; the same for the same seed.

    Args:
        found: images and identities.
        pairs_per_identity: at most so many of one identity: each of its images, in random order,
            with the next.
        seed: of what is drawn.

    Raises:
        DatasetError: no identity has two images.
    """
    rng = np.random.default_rng(seed)
    labels = np.array(found.labels)
    same: list[tuple[int, int]] = []
    for label in range(len(found.names)):
        rows = rng.permutation(np.flatnonzero(labels == label))
        circle = zip(rows, np.roll(rows, -1), strict=True)
        wanted = min(pairs_per_identity, len(rows) if len(rows) > 2 else len(rows) - 1)
        same += [(int(a), int(b)) for a, b in list(circle)[:wanted]]
    if not same:
        raise DatasetError(
            f"none of the {len(found.names)} identities has two images; verification needs some"
        )
    pairs = [VerificationPair(found.paths[a], found.paths[b], True, 0) for a, b in same]
    for a, _ in same:
        other = int(rng.choice(np.flatnonzero(labels != labels[a])))
        pairs.append(VerificationPair(found.paths[a], found.paths[other], False, 0))
    return pairs


def _image(root: Path, name: str, number: int) -> Path:
    return root / name / f"{name}_{number:04d}.jpg"


def _images(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)


def _is_count(cell: str) -> bool:
    return cell.isascii() and cell.isdigit() and len(cell) < 10 and int(cell) > 0
