"""The part of the small benchmark that is about whole images: quarters of photographs.

Source: what scikit-image installs; see `corr.data.mini`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import skimage.data

from corr.data.image_datamodule import HARD
from corr.data.photometric import PhotometricChange
from corr.data.views import Views, take_view
from corr.formats import as_image, write_image

TRAIN = ("brick", "camera", "coins", "grass", "gravel")
VAL = ("astronaut", "chelsea", "coffee", "rocket")
"""Photographs in colour; the others are grey."""

VIEWS_PER_INSTANCE = 3
SEED = 1
_VIEW_PX = 160
_QUARTERS = 4


def write_retrieval(folder: Path) -> None:
    """`train` and `val`: the quarters of each photograph, as photographs of their own."""
    for name, photos in (("train", TRAIN), ("val", VAL)):
        (folder / name).mkdir(parents=True)
        for photo in photos:
            for number in range(_QUARTERS):
                write_image(folder / name / f"{photo}-{number}.png", _quarter(photo, number))


def write_identities(folder: Path) -> None:
    """A folder for each quarter of the photographs in colour, with it and random views of it."""
    change, views = PhotometricChange(HARD), Views()
    for index, photo in enumerate(VAL):
        for number in range(_QUARTERS):
            identity = folder / f"{photo}-{number}"
            identity.mkdir(parents=True)
            image = _quarter(photo, number)
            write_image(identity / f"{identity.name}_0000.png", image)
            rng = np.random.default_rng((SEED, index, number))
            for view in range(1, VIEWS_PER_INSTANCE + 1):
                corners = views.draw((image.shape[0], image.shape[1]), rng)
                seen = change.colour(take_view(image, corners, _VIEW_PX), rng)
                write_image(identity / f"{identity.name}_{view:04d}.png", seen)


def _quarter(photo: str, number: int) -> np.ndarray:
    image = as_image(getattr(skimage.data, photo)())
    height, width = image.shape[0] // 2, image.shape[1] // 2
    row, column = divmod(number, 2)
    part = image[row * height : (row + 1) * height, column * width : (column + 1) * width]
    return np.ascontiguousarray(part)
