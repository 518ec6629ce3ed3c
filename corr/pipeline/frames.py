"""Frames in a row, from a folder or a video, and pairs of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import chain, groupby, islice, pairwise
from pathlib import Path
from typing import NamedTuple

from corr.errors import ImageError
from corr.formats import read_image
from corr.formats.video import count_frames, read_frames
from corr.pipeline.image_pairs import find_pairs, images_by_name
from corr.results import Picture


@dataclass(frozen=True, eq=False)
class Frame:
    """An image that is read when it is asked for, once."""

    name: Path
    """Below its folder and without a suffix: where the result of the pair that it begins goes."""
    read: Callable[[], Picture]

    @cached_property
    def image(self) -> Picture:
        """The image itself."""
        return self.read()


class FramePairs(NamedTuple):
    """Pairs of frames, in order; a frame of two pairs is one object."""

    pairs: Iterator[tuple[Frame, Frame]]
    total: int | None
    """How many they are; None where it is not known before."""


def pairs_of_folder(folder: Path) -> FramePairs:
    """Each image of a folder and the next one, by name; the folders below it each for themselves.

    Numbers in names count as numbers: `frame9` comes before `frame10`.

    Raises:
        ImageError: no folder holds two images.
    """
    named = images_by_name(folder)
    order = sorted(named, key=lambda name: (Path(name).parent, _natural(Path(name).name)))
    rows = [list(group) for _, group in groupby(order, key=lambda name: Path(name).parent)]
    count = sum(len(row) - 1 for row in rows)
    if count == 0:
        raise ImageError(f"'{folder}' holds no folder with two images, so no frame has a next one")
    frames = ([Frame(Path(name), partial(read_image, named[name])) for name in row] for row in rows)
    return FramePairs((pair for row in frames for pair in pairwise(row)), count)


def pairs_of_folders(folder0: Path, folder1: Path) -> FramePairs:
    """The images of two folders or patterns with the same names.

    Raises:
        ImageError: as `find_pairs` does.
    """
    found = find_pairs(folder0, folder1)
    pairs = (
        (
            Frame(pair.name, partial(read_image, pair.left)),
            Frame(pair.name, partial(read_image, pair.right)),
        )
        for pair in found
    )
    return FramePairs(pairs, len(found))


def pairs_of_video(path: Path) -> FramePairs:
    """Each frame of a video and the next one, named `frame_000000` and so on.

    Raises:
        ImageError: no two frames can be decoded.
    """
    count = count_frames(path)
    frames = _video(path)
    start = list(islice(frames, 2))
    if len(start) < 2:
        raise ImageError(f"'{path}' has one frame that can be decoded, and flow needs two")
    total = None if count is None else count - 1
    return FramePairs(pairwise(chain(start, frames)), total)


def _video(path: Path) -> Iterator[Frame]:
    for i, image in enumerate(read_frames(path)):
        yield Frame(Path(f"frame_{i:06d}"), partial(_same, image))


def _same(image: Picture) -> Picture:
    return image


def _natural(name: str) -> list[tuple[int, str]]:
    """Text and numbers of a name, to sort by."""
    return [
        (int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)
    ]
