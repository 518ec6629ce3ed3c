"""The file that belongs to each pair of images: its calibration, its true disparity."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from corr.errors import FormatError
from corr.pipeline.image_pairs import ImagePair, is_pattern, matched_names

CALIBRATIONS = (".txt", ".yaml", ".yml", "/calib.txt")
TRUTHS = (".pfm", ".npy", ".png", "/disp0.pfm", "/disp0GT.pfm")
"""What follows a pair's name below a folder, as KITTI and Middlebury have it."""

_FRAME = re.compile(r"_\d\d$")
"""KITTI's calibrations are named without it: `000027.txt` for `000027_10`."""


def find_partners(
    place: Path, pairs: Sequence[ImagePair], endings: Sequence[str]
) -> dict[Path, Path]:
    """The file of each pair that has one, by the name of the pair.

    Args:
        place: a file, which is that of every pair; a folder, in which its name is that of the pair
            (or without KITTI's `_10`), or stands in a folder of that name; or a pattern, whose
            wildcards stand for the name.
        pairs: of images.
        endings: what may follow a name in a folder.

    Raises:
        FormatError: the place does not exist, or no pair has a file there.
    """
    if place.is_file():
        return {pair.name: place for pair in pairs}
    if is_pattern(place):
        there = dict(matched_names(place))
        found = {pair.name: [there.get(name) for name in _names(pair)] for pair in pairs}
    elif place.is_dir():
        found = {
            pair.name: [
                path
                for name in _names(pair)
                for ending in endings
                if (path := place / f"{name}{ending}").is_file()
            ]
            for pair in pairs
        }
    else:
        raise FormatError(f"there is no file or folder '{place}'")
    partners = {name: path for name, paths in found.items() for path in reversed(paths) if path}
    if not partners:
        first = pairs[0].name
        asked = " or ".join(f"{first}{ending}" for ending in endings)
        raise FormatError(f"'{place}' holds nothing of any pair, such as {asked}")
    return partners


def _names(pair: ImagePair) -> list[str]:
    name = pair.name.as_posix()
    return list(dict.fromkeys((name, _FRAME.sub("", name))))
