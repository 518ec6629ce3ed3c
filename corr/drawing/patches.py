"""Patches side by side, in rows with names."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

from corr.drawing.strip import INK, Picture

_ZOOM = 2
_GAP = 4
"""px of white around a patch."""
_FONT_PX = 14


def draw_patches(rows: Mapping[str, UInt8[np.ndarray, "_ P P"]]) -> Picture:
    """A row of grey patches for each name, which stands above it.

    Args:
        rows: column i of every row belongs together.
    """
    font = ImageFont.load_default(_FONT_PX)
    line = round(1.5 * _FONT_PX)
    strips = {name: np.hstack([_framed(patch) for patch in side]) for name, side in rows.items()}
    width = max(strip.shape[1] for strip in strips.values())
    height = sum(strip.shape[0] + line for strip in strips.values())
    canvas = Image.new("RGB", (width, height), "white")
    y = 0
    for name, strip in strips.items():
        ImageDraw.Draw(canvas).text((_GAP, y + line - 3), name, INK, font, anchor="ls")
        canvas.paste(Image.fromarray(strip), (0, y + line))
        y += line + strip.shape[0]
    return np.array(canvas)


def _framed(patch: UInt8[np.ndarray, "P P"]) -> UInt8[np.ndarray, "_ _ 3"]:
    large = np.repeat(np.repeat(patch, _ZOOM, axis=0), _ZOOM, axis=1)
    framed = np.pad(large, _GAP // 2, constant_values=255)
    return np.repeat(framed[:, :, None], 3, axis=2)
