"""Options as they are typed, read and refused in one sentence."""

from __future__ import annotations

from dataclasses import dataclass

from corr.errors import OptionError
from corr.resources import available_memory, resolve_device

ROUNDS = 5
"""Timed calls of each method when no number is given."""


@dataclass(frozen=True)
class Options:
    """What was typed; None where nothing was. Each benchmark takes some of it."""

    sizes: str | None = None
    """Rows of a table, or widths of images in px, with commas between."""
    dim: int | None = None
    """Numbers of a descriptor."""
    backends: str | None = None
    """Who searches."""
    descriptors: str | None = None
    """What is searched."""
    models: str | None = None
    """Who works on images."""
    rounds: int | None = None
    """Timed calls of each method."""
    limit: float | None = None
    """A search that would take more seconds is skipped."""
    large: bool = False
    rowband: bool = False

    @property
    def num_rounds(self) -> int:
        """As given, or the default.

        Raises:
            OptionError: below 1.
        """
        return int(not_below("--rounds", self.rounds, ROUNDS, least=1))


def read_names(option: str, text: str | None) -> list[str] | None:
    """The names between commas, each once; None where nothing was given.

    Raises:
        OptionError: a name is empty.
    """
    if text is None:
        return None
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise OptionError(f"{option} '{text}' has an empty name; write names as 'first,second'")
    return list(dict.fromkeys(names))


def read_sizes(text: str | None, default: str, *, least: int, most: int) -> list[int]:
    """The whole numbers between commas, or the default; each once, smallest first.

    Raises:
        OptionError: something else was given.
    """
    text = default if text is None else text
    parts = [part.strip() for part in text.split(",")]
    whole = all(part.isascii() and part.isdigit() for part in parts)
    if not whole or not all(least <= int(part) <= most for part in parts):
        raise OptionError(
            f"--sizes '{text}' are not whole numbers of {least} to {most}, such as 512,1024"
        )
    return sorted(set(map(int, parts)))


def not_below(
    option: str, value: int | float | None, default: int | float, *, least: int
) -> int | float:
    """The number given, or the default.

    Raises:
        OptionError: it is too small.
    """
    if value is None:
        return default
    if not value >= least:  # NaN fails every comparison
        raise OptionError(f"{option} is {value}; use {least} or more")
    return value


def read_size(case: str, text: str | None, default: int, *, least: int, most: int) -> int:
    """The one size of a case that measures a single one.

    Raises:
        OptionError: there are several, or something else was given.
    """
    sizes = read_sizes(text, str(default), least=least, most=most)
    if len(sizes) > 1:
        raise OptionError(f"{case} takes one of --sizes, not {len(sizes)}")
    return sizes[0]


def check_memory(num_bytes: int, what: str) -> None:
    """Refuse tables that would not fit.

    Raises:
        OptionError: says how much they take.
    """
    room = available_memory(resolve_device("cpu"))
    if room is not None and num_bytes > room:
        raise OptionError(
            f"{what} take {num_bytes / 1e9:.1f} GB, and {room / 1e9:.1f} GB are free; "
            "use smaller --sizes"
        )
