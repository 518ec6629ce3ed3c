"""What is known of each pixel beside its truth, as the colours of one picture.

Red where the other picture does not show the point, green at an edge, where the colour is a mixture
of surfaces, blue where the truth is not known: black is what both pictures show clearly.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool

from corr.formats import read_image, write_image


class Masks(NamedTuple):
    """Of the pixels of one picture; see `samples.Pair`."""

    occluded: Bool[np.ndarray, "H W"]
    edge: Bool[np.ndarray, "H W"]
    valid: Bool[np.ndarray, "H W"]


def write_masks(path: Path, masks: Masks) -> None:
    """Write a PNG.

    Raises:
        FormatError: it cannot be written.
    """
    marked = np.stack([masks.occluded, masks.edge, ~masks.valid], -1)
    write_image(path, marked.astype(np.uint8) * 255)


def read_masks(path: Path) -> Masks:
    """The masks in a file that `write_masks` wrote.

    Raises:
        ImageError: it is not a readable image.
    """
    occluded, edge, unknown = np.moveaxis(read_image(path) > 127, -1, 0)
    return Masks(occluded, edge, ~unknown)
