"""Two images of different things of one kind, and points -> where those points are in the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from corr.errors import ModelError


def transfer(
    image0: Any,
    image1: Any,
    points0: Float[np.ndarray, "N 2"],
    *,
    model: Any = None,
    device: str | torch.device | None = None,
) -> Float[np.ndarray, "N 2"]:
    """No points yet: this version has no network that matches by meaning, and says so.

    Args:
        image0: the image in which the points are given.
        image1: the image in which they are looked for.
        points0: px in image 0.
        model: name, folder or network of a dense semantic descriptor.
        device: where to compute.

    Raises:
        ModelError: always.
    """
    asked = "" if model is None else f" (asked for {model!r})"
    raise ModelError(
        f"transfer needs a universal correspondence network, which this version does not have"
        f"{asked}; use match for two views of one scene"
    )
