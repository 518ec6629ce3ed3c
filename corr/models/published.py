"""Weight files that the authors of HardNet and SOSNet publish, read into corr's networks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from corr.errors import ModelError
from corr.geometry import PATCH_SIGMAS
from corr.models.hardnet import HardNet
from corr.models.sosnet import SOSNet
from corr.models.weight_files import load_weights, read_weights

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
    content = read_weights(Path(path), needed=_NEEDED)
    kind: type[HardNet]
    if isinstance(inner := content.get("state_dict"), Mapping):
        kind, weights = HardNet, _renamed(inner, "features", first=0)
    else:
        kind, weights = SOSNet, _renamed(content, "layers", first=1)
    last = weights.get("layers.19.weight")
    if not isinstance(last, Tensor) or last.ndim != 4 or len(last) == 0:
        raise ModelError(f"weights file '{path}' has another layout; {_NEEDED}")
    network = kind(descriptor_dim=len(last), sigmas=sigmas)
    load_weights(network, weights, path, needed=_NEEDED)
    return network.float().eval()


def _renamed(weights: Mapping[Any, Any], prefix: str, *, first: int) -> dict[str, Any]:
    """`features.3.weight` as `layers.3.weight`, counted from 0; other names stay."""

    def renamed(name: str) -> str:
        found = re.fullmatch(rf"{prefix}\.(\d+)\.(\w+)", name)
        return f"layers.{int(found[1]) - first}.{found[2]}" if found else name

    return {renamed(str(name)): value for name, value in weights.items()}
