"""Words of random letters."""

from __future__ import annotations

import string
from functools import lru_cache

import numpy as np
from jaxtyping import Float32
from PIL import Image, ImageDraw, ImageFont

_LETTERS = string.ascii_lowercase * 3 + string.ascii_uppercase + string.digits


def random_words(rng: np.random.Generator, num_letters: int) -> str:
    """Words of one to nine letters, of that length together."""
    letters = [_LETTERS[index] for index in rng.integers(len(_LETTERS), size=num_letters)]
    place = int(rng.integers(1, 10))
    while place < num_letters:
        letters[place] = " "
        place += int(rng.integers(2, 10))
    return "".join(letters)


def written(text: str, height: int) -> Float32[np.ndarray, "H W"]:
    """A line of text: 1 where there is ink, 0 around it."""
    font = _font(height)
    left, top, right, bottom = (round(value) for value in font.getbbox(text))
    image = Image.new("L", (max(1, right - left), max(1, bottom - top)))
    ImageDraw.Draw(image).text((-left, -top), text, 255, font)
    return np.asarray(image, np.float32) / 255


@lru_cache(maxsize=64)
def _font(height: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(height)
