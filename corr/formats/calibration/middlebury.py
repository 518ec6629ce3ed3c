"""Middlebury's `calib.txt` of 2014 and 2021, which ETH3D's two views have too.

Source: https://vision.middlebury.edu/stereo/data/scenes2014/ (the baseline is in mm)
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from corr.errors import FormatError
from corr.formats.calibration.cameras import RectifiedCameras, with_baseline

_MM = 1e-3
_LINE = re.compile(r"^\s*(\w+)\s*=\s*(.*?)\s*$", re.MULTILINE)


def is_middlebury(text: str) -> bool:
    """Whether a text is such a calibration."""
    return re.search(r"^\s*cam0\s*=", text, re.MULTILINE) is not None


def read_middlebury_calibration(path: Path, text: str) -> RectifiedCameras:
    """The cameras of a rectified pair.

    Raises:
        FormatError: a line is missing or damaged.
    """
    lines = dict(_LINE.findall(text))
    left, right = _camera(path, lines, "cam0"), _camera(path, lines, "cam1")
    offset = _number(path, lines, "doffs") if "doffs" in lines else right[0, 2] - left[0, 2]
    size = None
    if "width" in lines and "height" in lines:
        size = int(_number(path, lines, "height")), int(_number(path, lines, "width"))
    baseline_m = _MM * _number(path, lines, "baseline")
    return with_baseline(left, offset, baseline_m, size, path, "Middlebury")


def _camera(path: Path, lines: dict[str, str], name: str) -> Float64[np.ndarray, "3 3"]:
    try:
        rows = lines[name].strip("[]").split(";")
        matrix = np.array([[float(value) for value in row.split()] for row in rows])
    except (KeyError, ValueError):
        matrix = np.empty(0)
    if matrix.shape != (3, 3) or not matrix[0, 0] > 0:
        raise FormatError(f"'{path}' has no line '{name}=[f 0 cx; 0 f cy; 0 0 1]'")
    return matrix


def _number(path: Path, lines: dict[str, str], name: str) -> float:
    try:
        return float(lines[name])
    except (KeyError, ValueError):
        raise FormatError(f"'{path}' has no line '{name}=' with a number") from None
