"""Queries with their first answers beside them."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from jaxtyping import Bool, Float, UInt8

from corr.drawing.strip import Strip

Picture = UInt8[np.ndarray, "_ _ 3"]

_TILE_PX = 160
_FRAME_PX = 5
_GAP_PX = 8
_RIGHT, _WRONG = (30, 150, 60), (215, 40, 40)


def draw_ranking(
    queries: Sequence[Picture],
    answers: Sequence[Sequence[Picture]],
    scores: Float[np.ndarray, "Q K"],
    correct: Bool[np.ndarray, "Q K"] | None = None,
) -> Picture:
    """A row for each query: itself at the left, then its answers, best first.

    Args:
        queries: images of any size; each is shown in a square of its own.
        answers: for each query its answers.
        scores: of the answers, written below each row.
        correct: frames right answers green and wrong ones red.
    """
    rows = []
    for number, (query, found) in enumerate(zip(queries, answers, strict=True)):
        tiles = [np.pad(_tile(query), ((0, 0), (0, 3 * _GAP_PX), (0, 0)), constant_values=255)]
        for place, answer in enumerate(found):
            frame = None if correct is None else _RIGHT if correct[number, place] else _WRONG
            tiles.append(_labelled(_tile(answer, frame), f"{scores[number, place]:.2f}"))
        tiles[0] = _labelled(tiles[0], "query")
        rows.append(np.concatenate(tiles, axis=1))
    strip = Strip(np.concatenate(rows))
    strip.add_text("query, then its answers: best first, similarity below")
    if correct is not None:
        strip.add_swatch(_RIGHT, "right")
        strip.add_swatch(_WRONG, "wrong")
    return strip.below()


def _tile(image: Picture, frame: tuple[int, int, int] | None = None) -> Picture:
    """An image in the middle of a square, with a frame."""
    inner = _TILE_PX - 2 * _FRAME_PX
    scale = inner / max(image.shape[:2])
    size = [max(1, round(scale * length)) for length in image.shape[1::-1]]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    small = cv2.resize(image, size, interpolation=method)
    tile = np.full((_TILE_PX, _TILE_PX, 3), 255, np.uint8)
    y, x = ((_TILE_PX - length) // 2 for length in small.shape[:2])
    if frame is not None:
        top, left = y - _FRAME_PX, x - _FRAME_PX
        tile[top : y + small.shape[0] + _FRAME_PX, left : x + small.shape[1] + _FRAME_PX] = frame
    tile[y : y + small.shape[0], x : x + small.shape[1]] = small
    return tile


def _labelled(tile: Picture, text: str) -> Picture:
    label = np.full((22, tile.shape[1], 3), 255, np.uint8)
    font, scale = cv2.FONT_HERSHEY_SIMPLEX, 0.45
    (width, _), _ = cv2.getTextSize(text, font, scale, 1)
    cv2.putText(
        label, text, ((_TILE_PX - width) // 2, 15), font, scale, (30, 30, 30), 1, cv2.LINE_AA
    )
    joined: Picture = np.concatenate((tile, label))
    return joined
