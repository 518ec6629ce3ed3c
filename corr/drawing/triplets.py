"""Triplets: an anchor, its positive and its hardest negative, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float, UInt8
from PIL import Image, ImageDraw

from corr.drawing.strip import Colour, Picture, Strip

WHITE, RIGHT, WRONG = (255, 255, 255), (40, 160, 60), (210, 40, 40)
_COLUMNS = 4
_TILE_PX = 80
_FRAME_PX = 3
_GAP_PX = 14


def draw_triplets(
    anchors: Sequence[UInt8[np.ndarray, "_ _ 3"]],
    positives: Sequence[UInt8[np.ndarray, "_ _ 3"]],
    negatives: Sequence[UInt8[np.ndarray, "_ _ 3"]],
    positive_distance: Float[np.ndarray, " N"],
    negative_distance: Float[np.ndarray, " N"],
) -> Picture:
    """Rows of triplets; the frame of a negative is red where it is nearer than the positive.

    Args:
        anchors: pictures of any size.
        positives: of the same points or things.
        negatives: of others.
        positive_distance: of each anchor to its positive, written below it.
        negative_distance: of each anchor to its negative.
    """
    side = _TILE_PX + 2 * _FRAME_PX
    line_px = Strip(np.zeros((1, 1, 3), np.uint8)).height
    cell = (3 * side + _GAP_PX, side + line_px)
    num_rows = -(-len(anchors) // _COLUMNS)
    size = _COLUMNS * cell[0] + _GAP_PX, max(num_rows, 1) * cell[1] + _GAP_PX
    canvas = Image.new("RGB", size, "white")
    distances = zip(positive_distance, negative_distance, strict=True)
    for index, (near, far) in enumerate(distances):
        left = _GAP_PX + index % _COLUMNS * cell[0]
        top = _GAP_PX + index // _COLUMNS * cell[1]
        colour = WRONG if far <= near else RIGHT
        triplet = (anchors[index], WHITE), (positives[index], RIGHT), (negatives[index], colour)
        for place, (tile, frame) in enumerate(triplet):
            canvas.paste(_framed(tile, frame), (left + place * side, top))
        caption = Strip(np.zeros((0, 3 * side, 3), np.uint8))
        caption.margin = _FRAME_PX
        caption.add_text(f"positive {near:.2f}, negative {far:.2f}")
        canvas.paste(Image.fromarray(caption.below()), (left, top + side))
    strip = Strip(np.asarray(canvas))
    strip.add_text("anchor, positive, hardest negative; distances of descriptors")
    strip.add_swatch(WRONG, "the negative is nearer")
    return strip.below()


def _framed(tile: Picture, colour: Colour) -> Image.Image:
    side = _TILE_PX + 2 * _FRAME_PX
    framed = Image.new("RGB", (side, side), "white")
    ImageDraw.Draw(framed).rectangle((0, 0, side - 1, side - 1), fill=colour)
    picture = Image.fromarray(np.ascontiguousarray(tile))
    shrink = _TILE_PX / max(picture.size)
    inner = [max(1, round(length * shrink)) for length in picture.size]
    inside = picture.resize((inner[0], inner[1]), Image.Resampling.BICUBIC)
    framed.paste(inside, ((side - inner[0]) // 2, (side - inner[1]) // 2))
    return framed
