"""What rectified a pair, as a file that OpenCV and `corr disparity --calib` read."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from corr.formats.atomic import replacing


def write_rectification(
    path: str | Path,
    matrices: Mapping[str, np.ndarray],
    image_size: tuple[int, int],
    *,
    unit: str | None = None,
) -> None:
    """Write matrices by OpenCV's `FileStorage` as YAML.

    Args:
        path: `.yaml` or `.yml`.
        matrices: by name.
        image_size: (height, width) of the rectified images.
        unit: of the lengths in them, such as `m`; None where they have no scale.

    Raises:
        FormatError: the file cannot be written.
    """
    flags = cv2.FILE_STORAGE_WRITE | cv2.FILE_STORAGE_MEMORY | cv2.FILE_STORAGE_FORMAT_YAML
    storage = cv2.FileStorage("", flags)
    storage.write("image_width", image_size[1])
    storage.write("image_height", image_size[0])
    if unit is not None:
        storage.write("unit", unit)
    for name, matrix in matrices.items():
        storage.write(name, np.asarray(matrix, np.float64))
    text = storage.releaseAndGetString()
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
