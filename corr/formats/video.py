"""The frames of a video, as OpenCV decodes them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import cv2
import numpy as np
from jaxtyping import UInt8

from corr.errors import ImageError
from corr.formats.images import check_pixels

_FFMPEG_LEVEL = "OPENCV_FFMPEG_LOGLEVEL"
"""Variable by which OpenCV is told what FFmpeg prints; -8 is nothing."""


def count_frames(path: str | Path) -> int | None:
    """How many frames the file says that it has, which may be wrong; None where it does not say.

    Raises:
        ImageError: it is missing, a folder, or not a video that can be decoded.
    """
    with _Capture(path) as capture:
        count = int(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    return count if count > 0 else None


def read_frames(path: str | Path) -> Iterator[UInt8[np.ndarray, "_ _ 3"]]:
    """The frames as RGB, one after another, as far as the file can be decoded.

    Raises:
        ImageError: not even the first can be decoded.
    """
    with _Capture(path) as capture:
        number = 0
        while True:
            there, frame = capture.read()
            if not there:
                break
            check_pixels((frame.shape[1], frame.shape[0]), f"a frame of '{path}'")
            yield np.ascontiguousarray(frame[..., ::-1])
            number += 1
    if number == 0:
        raise ImageError(f"'{path}' is not a video that can be decoded")


class _Capture:
    """OpenCV's reader, closed in the end; what its codecs print goes nowhere."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)

    def __enter__(self) -> cv2.VideoCapture:
        if self._path.is_dir():
            raise ImageError(f"'{self._path}' is a folder, not a video")
        if not self._path.exists():
            raise ImageError(f"there is no file '{self._path}'")
        with _silence():
            self._capture = cv2.VideoCapture(str(self._path), cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise ImageError(f"'{self._path}' is not a video that can be decoded")
        return self._capture

    def __exit__(self, *_: object) -> None:
        self._capture.release()


@contextmanager
def _silence() -> Iterator[None]:
    """Nothing from OpenCV; nor from FFmpeg, which asks once, when the first video is opened."""
    level, asked = cv2.utils.logging.getLogLevel(), _FFMPEG_LEVEL in os.environ
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_SILENT)
    os.environ.setdefault(_FFMPEG_LEVEL, "-8")
    try:
        yield
    finally:
        cv2.utils.logging.setLogLevel(level)
        if not asked:
            del os.environ[_FFMPEG_LEVEL]
