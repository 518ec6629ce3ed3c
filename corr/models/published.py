"""Weight files that the authors of HardNet and SOSNet publish, read into corr's networks."""

from __future__ import annotations

import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from corr.errors import ModelError
from corr.geometry import PATCH_SIGMAS
from corr.models.hardnet import HardNet
from corr.models.sosnet import SOSNet

_NEEDED = "a file of HardNet's or SOSNet's authors is needed"


def load_published(path: str | Path, *, sigmas: float = PATCH_SIGMAS) -> HardNet | SOSNet:
    """The network of a published PyTorch file, on the CPU in evaluation mode; no code of it runs.

    What it gives can be written by `save_network`, and then be named by `--model`.

    Source: `checkpoint_liberty_with_aug.pth` of github.com/DagnyT/hardnet, which holds
    `state_dict` with `features.0.weight` and so on; `sosnet_32x32_liberty.pth` of
    github.com/yuruntian/SOSNet, whose `layers.0` normalises the patch and has no weights.

    Args:
        path: the file.
        sigmas: side of the image region in a patch, in sigmas of its keypoint; no file states it.

    Raises:
        ModelError: the file is missing, damaged or laid out in another way.
        OptionError: sigmas is not above 0.
    """
    content = _read(Path(path))
    kind: type[HardNet]
    if isinstance(inner := content.get("state_dict"), Mapping):
        kind, weights = HardNet, _renamed(inner, "features", first=0)
    else:
        kind, weights = SOSNet, _renamed(content, "layers", first=1)
    last = weights.get("layers.19.weight")
    if not isinstance(last, Tensor) or last.ndim != 4 or len(last) == 0:
        raise ModelError(f"weights file '{path}' has another layout; {_NEEDED}")
    network = kind(descriptor_dim=len(last), sigmas=sigmas)
    wanted = network.state_dict()
    for name, value in wanted.items():  # which files from before PyTorch 0.4.1 do not have
        if name.endswith(".num_batches_tracked"):
            weights.setdefault(name, value)
    for name in sorted(weights.keys() ^ wanted.keys()):
        found = "misses" if name in wanted else "has an unknown"
        raise ModelError(f"weights file '{path}' {found} '{name}' of {kind.__name__}; {_NEEDED}")
    for name, value in weights.items():
        shape = list(value.shape) if isinstance(value, Tensor) else type(value).__name__
        if shape != list(wanted[name].shape):
            raise ModelError(
                f"weights file '{path}': '{name}' is {shape} instead of "
                f"{list(wanted[name].shape)}; {_NEEDED}"
            )
    network.load_state_dict(weights)
    return network.float().eval()


def _read(path: Path) -> Mapping[Any, Any]:
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
            f"weights file '{path}' is damaged, or holds more than weights; {_NEEDED}"
        ) from error
    if not isinstance(content, Mapping):
        raise ModelError(f"weights file '{path}' has another layout; {_NEEDED}")
    return content


def _renamed(weights: Mapping[Any, Any], prefix: str, *, first: int) -> dict[str, Any]:
    """`features.3.weight` as `layers.3.weight`, counted from 0; other names stay."""

    def renamed(name: str) -> str:
        found = re.fullmatch(rf"{prefix}\.(\d+)\.(\w+)", name)
        return f"layers.{int(found[1]) - first}.{found[2]}" if found else name

    return {renamed(str(name)): value for name, value in weights.items()}
