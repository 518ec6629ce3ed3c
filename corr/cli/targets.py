"""Where a command writes, settled before anything is computed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from corr.errors import ImageError, OptionError


class Targets(NamedTuple):
    """The files that a command will write."""

    output: Path | None
    draw: Path | None

    def wrote(self, paths: Iterable[Path | None] | None = None) -> str:
        """Such as `wrote m.npz and m.png`."""
        written = self if paths is None else paths
        return f"wrote {' and '.join(str(path) for path in written if path is not None)}"


def choose_targets(
    output: Path | None, draw: Path | None, suffixes: Sequence[str], default_draw: str
) -> Targets:
    """The files to write: those given, or else a picture in the current folder.

    Args:
        output: file for the result.
        draw: file for its picture.
        suffixes: accepted for the result.
        default_draw: name of the picture when neither is given.

    Raises:
        FormatError: a suffix is not accepted, or a file cannot be written.
        OptionError: both are the same file.
    """
    from corr.formats.suffixes import PICTURE, check_output

    if output is None and draw is None:
        draw = Path(default_draw)
    if output is not None:
        check_output(output, suffixes)
    if draw is not None:
        check_output(draw, PICTURE)
    if output is not None and draw is not None and output.resolve() == draw.resolve():
        raise OptionError(f"--output and --draw are both '{output}'; give two names")
    return Targets(output, draw)


def check_images(images: Iterable[Path], targets: Iterable[Path | None]) -> None:
    """Refuse images that are not there, and targets that would replace one of them.

    Raises:
        ImageError: an image is missing or a folder.
        OptionError: a target is one of the images.
    """
    resolved = set()
    for image in images:
        if image.is_dir():
            raise ImageError(f"'{image}' is a folder, not a file")
        if not image.exists():
            raise ImageError(f"there is no file '{image}'")
        resolved.add(image.resolve())
    for target in targets:
        if target is not None and target.resolve() in resolved:
            raise OptionError(f"'{target}' is one of the images; give another name to write to")


def check_different(targets: Iterable[Path | None]) -> None:
    """Refuse two results in one file.

    Raises:
        OptionError: names it.
    """
    seen = set()
    for path in targets:
        if path is not None and path.resolve() in seen:
            raise OptionError(f"'{path}' is given for two results; give each a name of its own")
        if path is not None:
            seen.add(path.resolve())
