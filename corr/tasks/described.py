"""A batch as a loss takes it: descriptors, and what is known of their rows."""

from __future__ import annotations

from typing import Any, NamedTuple

from jaxtyping import Float
from torch import Tensor

from corr.losses import Labels


class Described(NamedTuple):
    """Descriptors of a batch, and its labels."""

    anchors: Float[Tensor, "B D"]
    positives: Float[Tensor, "B D"]
    """Row i shows what row i of the anchors shows."""
    labels: Labels | None = None
    """What else is known of the rows, if anything."""


def labels_of(batch: Any) -> Labels | None:
    """The labels among the fields of a batch; None where it has none of them."""
    known = {name: getattr(batch, name, None) for name in ("tracks", "points", "images")}
    if known["tracks"] is None and known["points"] is None:
        return None  # a photo alone says nothing of a row
    return Labels(**known)
