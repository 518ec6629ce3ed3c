"""Ranges of random settings, and their refusal in the user's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, TypeVar, get_type_hints

import numpy as np

from corr.errors import OptionError

Number = int | float
Range = tuple[Number, Number]
"""Lowest and highest value."""

Settings = TypeVar("Settings")


def check_range(name: str, given: Range, lowest: Number, highest: Number) -> None:
    """Refuse a range whose ends are exchanged or outside what is accepted.

    Raises:
        OptionError: says which.
    """
    if len(given) != 2:
        raise OptionError(f"{name} is {given}; give the lowest and the highest value")
    low, high = given
    if low > high:
        raise OptionError(f"{name} is {low:g} to {high:g}; give the lower value first")
    if not (lowest <= low and high <= highest):
        raise OptionError(f"{name} is {low:g} to {high:g}; use values in [{lowest:g}, {highest:g}]")


def check_share(name: str, given: Number) -> None:
    """Refuse what is no share.

    Raises:
        OptionError: it is not in [0, 1].
    """
    if not 0 <= given <= 1:
        raise OptionError(f"{name} is {given}; use a value in [0, 1]")


def uniform(rng: np.random.Generator, given: Range) -> float:
    """A value within the range, each as likely."""
    return float(rng.uniform(*given))


def log_uniform(rng: np.random.Generator, given: Range) -> float:
    """A value within a range above 0, each ratio as likely."""
    return float(np.exp(rng.uniform(*np.log(given))))


def settings_from(kind: type[Settings], given: Mapping[str, Any], where: str = "") -> Settings:
    """Settings from a mapping such as a YAML file holds; those not given have their defaults.

    Args:
        kind: a dataclass, whose fields may be dataclasses again.
        given: name -> value.
        where: names of the settings around it, for the sentence.

    Raises:
        OptionError: a key is not known, or a value is refused.
    """
    hints = get_type_hints(kind)
    known = [entry.name for entry in fields(kind)]  # type: ignore[arg-type]  # a dataclass
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known:
            raise OptionError(f"'{where}{key}' is not known; use {', '.join(known)}")
        inner = hints[key]
        if is_dataclass(inner) and isinstance(inner, type):
            if not isinstance(value, Mapping):
                raise OptionError(f"'{where}{key}' is {value!r}; give settings by name")
            values[key] = settings_from(inner, value, f"{where}{key}.")
        else:
            values[key] = _as_tuple(value)
    try:
        return kind(**values)
    except OptionError:
        raise
    except (TypeError, ValueError) as error:
        place = where or kind.__name__
        raise OptionError(f"settings '{place}' hold a value of another kind: {error}") from error


def _as_tuple(value: Any) -> Any:
    """What a file holds as lists, as the tuples that settings are."""
    return tuple(map(_as_tuple, value)) if isinstance(value, list) else value
