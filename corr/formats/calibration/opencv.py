"""Calibrations that OpenCV wrote by `FileStorage`: YAML, XML or JSON.

The names are those of OpenCV's sample `stereo_calib.cpp`: M1, D1, M2, D2 in `intrinsics.yml`, and
R, T, R1, R2, P1, P2, Q in `extrinsics.yml`; either file, or one with all of them. A file has no
unit: its lengths are those of the squares on the board that was used.

Source: https://docs.opencv.org/4.x/d9/d0c/group__calib3d.html (stereoCalibrate, stereoRectify)
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from corr.errors import FormatError
from corr.formats.calibration.cameras import (
    RectifiedCameras,
    StereoRig,
    rectified,
    with_baseline,
)
from corr.formats.suffixes import read_bytes

_NAMES = {
    "M1": ("M1", "K1", "cameraMatrix1"),
    "M2": ("M2", "K2", "cameraMatrix2"),
    "D1": ("D1", "distCoeffs1"),
    "D2": ("D2", "distCoeffs2"),
    "size": ("size", "imageSize", "image_size"),
}
"""Other names that a matrix goes by."""

UNITS = {"m": 1.0, "cm": 0.01, "mm": 0.001}
"""Metres in each unit of length."""


class OpenCVFile:
    """The matrices of a file, by name."""

    def __init__(self, path: Path, text: str) -> None:
        """Parse it.

        Raises:
            FormatError: OpenCV cannot.
        """
        self.path = path
        flags = cv2.FILE_STORAGE_READ | cv2.FILE_STORAGE_MEMORY
        try:
            self._storage = cv2.FileStorage(text, flags)
            opened = self._storage.isOpened()
        except (cv2.error, SystemError) as error:  # the binding raises either
            raise FormatError(f"'{path}' is not a file that OpenCV wrote, or is damaged") from error
        if not opened:
            raise FormatError(f"'{path}' is not a file that OpenCV wrote, or is damaged")

    def find(self, name: str) -> np.ndarray | None:
        """A matrix, or a list of numbers; None where it is not there."""
        for other in _NAMES.get(name, (name,)):
            node = self._storage.getNode(other)
            if node.isMap():
                matrix = node.mat()
                return None if matrix is None else matrix.astype(np.float64)
            if node.isSeq():
                return np.array([node.at(i).real() for i in range(node.size())])
        return None

    def require(self, name: str, shape: tuple[int, ...]) -> np.ndarray:
        """A matrix.

        Raises:
            FormatError: it is not there, or has another shape.
        """
        matrix = self.find(name)
        if matrix is None:
            raise FormatError(f"'{self.path}' has no matrix '{name}'")
        if matrix.size != np.prod(shape):
            raise FormatError(f"'{self.path}' has a '{name}' of {matrix.shape}, not {shape}")
        return matrix.reshape(shape)

    @property
    def unit(self) -> str | None:
        """Of its lengths, where corr wrote it."""
        node = self._storage.getNode("unit")
        return node.string() if node.isString() else None

    @property
    def image_size(self) -> tuple[int, int] | None:
        """(height, width); None where the file does not say."""
        size = self.find("size")
        if size is not None and size.size == 2:
            return int(size.ravel()[1]), int(size.ravel()[0])
        width, height = (self._storage.getNode(f"image_{side}") for side in ("width", "height"))
        both = width.isInt() and height.isInt()
        return (int(height.real()), int(width.real())) if both else None


def read_opencv(path: Path, text: str, unit: str) -> RectifiedCameras:
    """The rectified cameras: P1 and P2, or Q.

    Raises:
        FormatError: neither is there, or they are not of a rectified pair.
    """
    file = OpenCVFile(path, text)
    unit = _known(path, file.unit or unit)
    source = f"OpenCV, lengths in {unit}"
    if file.find("P1") is not None or file.find("Q") is None:
        return rectified(
            file.require("P1", (3, 4)),
            file.require("P2", (3, 4)),
            unit_m=UNITS[unit],
            image_size=file.image_size,
            path=path,
            source=source,
        )
    q = file.require("Q", (4, 4))
    focal, baseline = q[2, 3], 1 / q[3, 2] if q[3, 2] else 0.0
    intrinsics = np.array([[focal, 0, -q[0, 3]], [0, focal, -q[1, 3]], [0, 0, 1.0]])
    return with_baseline(
        intrinsics, q[3, 3] * baseline, UNITS[unit] * baseline, file.image_size, path, source
    )


def read_opencv_rig(path: Path, text: str, unit: str) -> StereoRig:
    """The cameras before rectification: M1, D1, M2, D2, R and T.

    Where only R and T are there, the others are sought in `intrinsics.yml` beside it, as OpenCV's
    sample writes them.

    Raises:
        FormatError: one of them is missing.
    """
    file = inner = OpenCVFile(path, text)
    beside = path.with_name("intrinsics.yml")
    if file.find("M1") is None and file.find("R") is not None and beside.is_file():
        inner = OpenCVFile(beside, read_bytes(beside).decode(errors="replace"))
    lenses = [inner.find(name) for name in ("D1", "D2")]
    d0, d1 = (np.zeros(5) if lens is None else lens.ravel() for lens in lenses)
    unit = _known(path, file.unit or unit)
    return StereoRig(
        (inner.require("M1", (3, 3)), inner.require("M2", (3, 3))),
        (d0, d1),
        file.require("R", (3, 3)),
        UNITS[unit] * file.require("T", (3,)),
        file.image_size or inner.image_size,
        f"OpenCV, lengths in {unit}",
    )


def _known(path: Path, unit: str) -> str:
    if unit not in UNITS:
        raise FormatError(f"'{path}' has lengths in '{unit}'; known are {', '.join(UNITS)}")
    return unit
