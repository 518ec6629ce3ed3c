"""Weight files that others publish."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from corr.errors import ModelError


def read_weights(path: Path, *, needed: str) -> Mapping[Any, Any]:
    """What a PyTorch file holds, on the CPU; no code of it runs.

    Args:
        path: the file.
        needed: what would be accepted, for the message.

    Raises:
        ModelError: the file is missing, damaged, or holds something else.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of pickle protocols, before it refuses what they hold
            content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise ModelError(f"there is no weights file '{path}'") from error
    except OSError as error:
        reason = error.strerror or error
        raise ModelError(f"weights file '{path}' cannot be read: {reason}") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, LookupError) as error:
        raise ModelError(
            f"weights file '{path}' is damaged, or holds more than weights; {needed}"
        ) from error
    if not isinstance(content, Mapping):
        raise ModelError(f"weights file '{path}' has another layout; {needed}")
    return content


def check_weights(
    weights: Mapping[str, Any], wanted: Mapping[str, Tensor], path: str | Path, *, needed: str
) -> None:
    """Refuse weights that are not those of a network.

    Args:
        weights: by name.
        wanted: those of the network.
        path: their file, for the message.
        needed: what would be accepted, likewise.

    Raises:
        ModelError: names those that are unknown or missing, or one of another shape.
    """
    for verb, names in (
        ("has unknown", weights.keys() - wanted.keys()),
        ("misses", wanted.keys() - weights.keys()),
    ):
        if names:
            listed = ", ".join(f"'{name}'" for name in sorted(names))
            raise ModelError(f"weights file '{path}' {verb} {listed}; {needed}")
    for name, value in weights.items():
        shape = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
        if shape != list(wanted[name].shape):
            raise ModelError(
                f"weights file '{path}': '{name}' is {shape} instead of "
                f"{list(wanted[name].shape)}; {needed}"
            )
