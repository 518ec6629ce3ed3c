"""Calibrations of stereo cameras: KITTI's, Middlebury's and OpenCV's files."""

from corr.formats.calibration.cameras import RectifiedCameras, StereoRig
from corr.formats.calibration.read import read_rectified, read_rig
from corr.formats.calibration.write import write_rectification

__all__ = [
    "RectifiedCameras",
    "StereoRig",
    "read_rectified",
    "read_rig",
    "write_rectification",
]
