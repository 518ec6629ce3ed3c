"""Pairs of images from two folders or two patterns, by their names."""

from __future__ import annotations

import glob
import re
from dataclasses import dataclass
from pathlib import Path

from corr.errors import ImageError

IMAGES = frozenset([".png", ".jpg", ".jpeg", ".ppm", ".pgm", ".bmp", ".tif", ".tiff", ".webp"])
"""Suffixes of image files."""
_WILD = re.compile(r"[*?\[]")


@dataclass(frozen=True)
class ImagePair:
    """Two images that belong together."""

    name: Path
    """Of the pair, below its folder and without a suffix: where its result goes."""
    left: Path
    right: Path


def is_one_pair(left: Path, right: Path) -> bool:
    """Whether either is a single image, and not both folders or patterns."""
    return not all(path.is_dir() or is_pattern(path) for path in (left, right))


def find_pairs(left: Path, right: Path) -> list[ImagePair]:
    """The pairs of two folders, whose images have the same names below them, or of two patterns.

    What the wildcards of a pattern stand for is the name of a pair, such as `teddy` of
    `data/*/im0.png` and `data/*/im1.png`.

    Raises:
        ImageError: there are no images, or one has no partner.
    """
    lefts, rights = images_by_name(left), images_by_name(right)
    for name in sorted({*lefts, *rights}):
        if name not in lefts or name not in rights:
            there, missing = (lefts, right) if name in lefts else (rights, left)
            raise ImageError(
                f"'{there[name]}' has no partner in '{missing}': pairs have the same name in both"
            )
    return [ImagePair(Path(name), lefts[name], rights[name]) for name in sorted(lefts)]


def images_by_name(place: Path) -> dict[str, Path]:
    """The images of a folder or a pattern, by their names in it without a suffix.

    Raises:
        ImageError: there are none, or two have one name.
    """
    if place.is_dir():
        images = (path for path in place.rglob("*") if path.suffix.lower() in IMAGES)
        found = [(path.relative_to(place).with_suffix("").as_posix(), path) for path in images]
    elif is_pattern(place):
        found = matched_names(place)
    else:
        raise ImageError(f"'{place}' is neither a folder nor a pattern such as 'x/*/im0.png'")
    if not found:
        raise ImageError(f"'{place}' holds no image")
    names: dict[str, Path] = {}
    for name, path in sorted(found):
        if name in names:
            raise ImageError(f"'{names[name]}' and '{path}' have one name; keep one of them")
        names[name] = path
    return names


def matched_names(pattern: Path) -> list[tuple[str, Path]]:
    """The files that a pattern matches, each with what the wildcards stand for."""
    form = _regex(pattern.as_posix())
    paths = (Path(name) for name in glob.glob(str(pattern), recursive=True))  # noqa: PTH207 - the pattern may be absolute
    matched = ((form.fullmatch(path.as_posix()), path) for path in paths if path.is_file())
    found = [("/".join(filter(None, m.groups())), path) for m, path in matched if m]
    return [(name.strip("/") or path.stem, path) for name, path in found]


def is_pattern(path: Path) -> bool:
    """Whether it has a wildcard, and no file has that very name."""
    return not path.exists() and _WILD.search(str(path)) is not None


def _regex(pattern: str) -> re.Pattern[str]:
    """A pattern of `glob` with a group for each wildcard."""
    wild = {"**/": "((?:.*/)?)", "**": "(.*)", "*": "([^/]*)", "?": "([^/])"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]*\])", pattern)
    made = (f"({part})" if part.startswith("[") else wild.get(part) for part in parts)
    return re.compile(
        "".join(
            re.escape(part) if form is None else form
            for part, form in zip(parts, made, strict=True)
        )
    )
