"""Colours of a scale from low to high."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import UInt8


def turbo() -> UInt8[np.ndarray, "256 3"]:
    """The turbo colours, RGB: the most hues, for telling many things apart.

    Source: Mikhailov 2019, "Turbo, An Improved Rainbow Colormap for Visualization".
    """
    return _colours(cv2.COLORMAP_TURBO)


def viridis() -> UInt8[np.ndarray, "256 3"]:
    """The viridis colours, RGB: equal steps of the value look equal, to the colour-blind too.

    Source: Smith and van der Walt 2015, https://bids.github.io/colormap/
    """
    return _colours(cv2.COLORMAP_VIRIDIS)


def _colours(kind: int) -> UInt8[np.ndarray, "256 3"]:
    levels = np.arange(256, dtype=np.uint8)[:, None]
    colours: np.ndarray = cv2.applyColorMap(levels, kind)[:, 0, ::-1]
    return np.ascontiguousarray(colours)
