"""Weight files that others publish."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from corr.errors import ModelError

MAX_NAMED = 6
"""Weights of another network that a message names."""


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


def load_weights(
    network: nn.Module, weights: Mapping[str, Any], path: str | Path, *, needed: str
) -> None:
    """Give a network the weights of a file, or refuse them.

    Args:
        network: what they are for.
        weights: by name. Files from before PyTorch 0.4.1 do not count the batches of a
            normalisation; those counts stay as they are.
        path: their file, for the message.
        needed: what would be accepted, likewise.

    Raises:
        ModelError: names those that are unknown or missing, or one of another shape.
    """
    wanted = network.state_dict()
    counts = {name: n for name, n in wanted.items() if name.endswith(".num_batches_tracked")}
    given = counts | dict(weights)
    for verb, names in (
        ("has unknown", given.keys() - wanted.keys()),
        ("misses", wanted.keys() - given.keys()),
    ):
        if names:
            raise ModelError(f"weights file '{path}' {verb} {_listed(names)}; {needed}")
    for name, value in given.items():
        shape = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
        if shape != list(wanted[name].shape):
            raise ModelError(
                f"weights file '{path}': '{name}' is {shape} instead of "
                f"{list(wanted[name].shape)}; {needed}"
            )
    network.load_state_dict(given)


def _listed(names: Collection[str]) -> str:
    first = ", ".join(f"'{name}'" for name in sorted(names)[:MAX_NAMED])
    more = len(names) - MAX_NAMED
    return first if more <= 0 else f"{first} and {more} more"
