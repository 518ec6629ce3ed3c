"""Sizes of images as they are typed: `256x320`."""

from __future__ import annotations

import re

from corr.errors import OptionError


def parsed_size(text: str, example: str) -> tuple[int, int]:
    """Height and width.

    Args:
        text: as typed after `--size`.
        example: of what is accepted, for the message.

    Raises:
        OptionError: it is laid out in another way.
    """
    found = re.fullmatch(r"(\d+)x(\d+)", text)
    if found is None:
        raise OptionError(f"--size is '{text}'; give HEIGHTxWIDTH, such as {example}")
    return int(found[1]), int(found[2])
