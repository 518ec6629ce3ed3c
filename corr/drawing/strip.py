"""The white strip below a picture that says what its colours mean."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
from jaxtyping import UInt8
from PIL import Image, ImageDraw, ImageFont

Picture = UInt8[np.ndarray, "_ _ 3"]
Colour = tuple[int, int, int]

INK: Colour = (30, 30, 30)
_MARGIN = 0.6
"""Space around what is in the strip, in font heights."""


class Strip:
    """A strip that grows from left to right, as wide as the picture that it explains or wider."""

    def __init__(self, picture: Picture, lines: float = 1.0) -> None:
        """An empty strip of so many lines of text, sized to the picture."""
        self._picture = picture
        self.font_px: int = round(min(max(max(picture.shape[:2]) / 45, 11), 28))
        self.margin = round(_MARGIN * self.font_px)
        self.height = round(lines * self.font_px * 1.3) + 2 * self.margin
        self._font = ImageFont.load_default(self.font_px)
        self._parts: list[tuple[int, int, Image.Image]] = []
        self._x = self.margin

    @property
    def left(self) -> int:
        """Free width in the picture's own width, px."""
        return int(self._picture.shape[1] - self._x - self.margin)

    def text_width(self, text: str) -> int:
        """Width of a text in this strip, px."""
        return math.ceil(self._font.getlength(text))

    def add_text(self, text: str) -> None:
        """A line of text, centred in height."""
        box = Image.new("RGB", (self.text_width(text) + 1, round(self.font_px * 1.3)), "white")
        ImageDraw.Draw(box).text((0, 0), text, INK, self._font)
        self._add(box)

    def add_swatch(self, colour: Colour, text: str) -> None:
        """A square of a colour, and what it means."""
        side = self.font_px
        box = Image.new("RGB", (side, side), colour)
        self._add(box, gap=round(0.4 * side))
        self.add_text(text)

    def add_picture(self, picture: Picture) -> None:
        """A small picture, centred in height."""
        self._add(Image.fromarray(picture))

    def add_bar(self, colours: UInt8[np.ndarray, "N 3"], labels: dict[float, str]) -> None:
        """A bar of colours with labels below, wide enough that these do not touch.

        Args:
            colours: from left to right, stretched over the bar.
            labels: texts at positions in [0, 1] of the bar.
        """
        overhang = self._overhang(labels)
        width = max(self.left, self.least_width(labels)) - 2 * overhang
        height = round(2.2 * self.font_px)
        box = Image.new("RGB", (width + 2 * overhang, height), "white")
        index = np.arange(width) * len(colours) // width
        bar = np.repeat(colours[index][None], round(0.8 * self.font_px), axis=0)
        box.paste(Image.fromarray(bar), (overhang, 0))
        draw = ImageDraw.Draw(box)
        for position, text in labels.items():
            x = overhang + position * (width - 1)
            draw.line((x, bar.shape[0], x, bar.shape[0] + 3), INK)
            draw.text((x, height), text, INK, self._font, anchor="md")
        self._add(box)

    def least_width(self, labels: dict[float, str]) -> int:
        """Width of the narrowest bar on which these labels do not touch, px."""
        gap = 0.5 * self.font_px
        needed = [
            ((self.text_width(labels[a]) + self.text_width(labels[b])) / 2 + gap) / (b - a)
            for a, b in pairwise(sorted(labels))
        ]
        return math.ceil(max([4 * self.font_px, *needed])) + 1 + 2 * self._overhang(labels)

    def _overhang(self, labels: dict[float, str]) -> int:
        """How far a label may reach beyond the bar, px."""
        return max(self.text_width(text) for text in labels.values()) // 2 + 1

    def below(self) -> Picture:
        """The picture with this strip below it."""
        height, width = self._picture.shape[:2]
        canvas = Image.new(
            "RGB", (max(width, self._x - self.margin), height + self.height), "white"
        )
        canvas.paste(Image.fromarray(np.ascontiguousarray(self._picture)), (0, 0))
        for x, y, part in self._parts:
            canvas.paste(part, (x, height + y))
        return np.array(canvas)

    def _add(self, part: Image.Image, gap: int | None = None) -> None:
        self._parts.append((self._x, (self.height - part.height) // 2, part))
        self._x += part.width + (2 * self.margin if gap is None else gap)


def round_steps(limit: float, most: int) -> list[float]:
    """Round numbers from 0 to `limit`, at most `most` of them, evenly spaced."""
    rough = limit / max(most - 1, 1)
    power = 10.0 ** math.floor(math.log10(rough))
    steps = [power * k for k in (0.1, 0.2, 0.5, 1, 2, 5, 10)]
    step = next(size for size in steps if size >= rough * (1 - 1e-9))
    if step > limit:
        step = max(size for size in steps if size <= limit)
    return [step * k for k in range(int(limit / step * (1 + 1e-9)) + 1)]
