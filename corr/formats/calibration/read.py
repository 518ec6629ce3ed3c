"""The calibration in a file, whichever of the three kinds it is."""

from __future__ import annotations

from pathlib import Path

from corr.errors import FormatError, OptionError
from corr.formats.calibration.cameras import RectifiedCameras, StereoRig
from corr.formats.calibration.kitti import is_kitti, read_kitti, read_kitti_rig
from corr.formats.calibration.middlebury import is_middlebury, read_middlebury_calibration
from corr.formats.calibration.opencv import UNITS, read_opencv, read_opencv_rig
from corr.formats.suffixes import read_bytes

_ACCEPTED = (
    "use KITTI's calib/000000.txt ('P0: ...') or calib_cam_to_cam.txt, Middlebury's calib.txt "
    "('cam0=[...]'), or what OpenCV's FileStorage wrote (YAML, XML or JSON)"
)


def read_rectified(
    path: str | Path, *, unit: str = "m", cameras: tuple[int, int] = (0, 1)
) -> RectifiedCameras:
    """What turns disparity into depth, from the calibration of a rectified pair.

    Args:
        path: KITTI's, Middlebury's or OpenCV's file.
        unit: of the lengths in OpenCV's file, which does not say: `m`, `cm` or `mm`. KITTI's are
            metres and Middlebury's millimetres.
        cameras: numbers of KITTI's left and right camera: (0, 1) grey, (2, 3) colour.

    Raises:
        FormatError: the file cannot be read, or is no calibration of a rectified pair.
        OptionError: the unit is not known.
    """
    path, text = _text(path, unit)
    if _of_opencv(text):  # first: it has lines 'P1:' too
        return read_opencv(path, text, unit)
    if is_middlebury(text):
        return read_middlebury_calibration(path, text)
    if is_kitti(text):
        return read_kitti(path, text, cameras)
    raise FormatError(f"'{path}' is not a calibration that corr reads; {_ACCEPTED}")


def read_rig(path: str | Path, *, unit: str = "m", cameras: tuple[int, int] = (0, 1)) -> StereoRig:
    """The cameras of a pair that is not rectified yet.

    Args:
        path: OpenCV's file with M1, D1, M2, D2, R and T, or KITTI's calib_cam_to_cam.txt.
        unit: as in `read_rectified`.
        cameras: as in `read_rectified`.

    Raises:
        FormatError: the file cannot be read, or does not hold such cameras.
        OptionError: the unit is not known.
    """
    path, text = _text(path, unit)
    if _of_opencv(text):
        return read_opencv_rig(path, text, unit)
    if is_middlebury(text):
        raise FormatError(f"'{path}' is of a pair that is rectified already")
    if is_kitti(text):
        return read_kitti_rig(path, text, cameras)
    raise FormatError(f"'{path}' is not a calibration that corr reads; {_ACCEPTED}")


def _text(path: str | Path, unit: str) -> tuple[Path, str]:
    if unit not in UNITS:
        raise OptionError(f"unit '{unit}' is not known; use {', '.join(UNITS)}")
    return Path(path), read_bytes(path).decode(errors="replace")


def _of_opencv(text: str) -> bool:
    return text.lstrip().startswith(("%YAML", "<?xml", "{")) or "!!opencv-matrix" in text
