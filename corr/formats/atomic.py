"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from corr.errors import FormatError, OptionError


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """A new path beside `path`, with the same suffix, for the caller to write to.

    What was written there becomes `path` when the block ends, and is removed when it fails, so an
    older file stays until the new one is complete. A symbolic link is followed.

    Raises:
        FormatError: the file cannot be written there.
    """
    target = check_writable(path).resolve()
    temporary = target.with_name(f".{target.stem}.{secrets.token_hex(4)}.part{target.suffix}")
    try:
        yield temporary
        temporary.replace(target)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise FormatError(f"'{path}' cannot be written: {error.strerror or error}") from error
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def check_writable(path: str | Path) -> Path:
    """The path, if a file can be written there; nothing is touched.

    Raises:
        FormatError: its folder is missing or read-only, or the path is a folder.
    """
    path = Path(path)
    folder = path.parent
    if path.is_dir():
        raise FormatError(f"'{path}' is a folder; give the name of a file")
    if not folder.exists():
        raise FormatError(f"'{path}' cannot be written: there is no folder '{folder}'")
    if not folder.is_dir():
        raise FormatError(f"'{path}' cannot be written: '{folder}' is not a folder")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise FormatError(f"'{path}' cannot be written: folder '{folder}' is read-only")
    return path


def make_folder(path: Path) -> None:
    """Make a folder to write to, and those above it.

    Raises:
        OptionError: it cannot be made or written to.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OptionError(f"folder '{path}' cannot be made: {error.strerror}") from error
    if not os.access(path, os.W_OK):
        raise OptionError(f"folder '{path}' cannot be written to; give another one")
