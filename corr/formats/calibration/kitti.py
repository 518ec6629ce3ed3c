"""KITTI's calibrations: `calib/000000.txt` of the benchmarks, `calib_cam_to_cam.txt` of raw drives.

Source: the development kits, https://www.cvlibs.net/datasets/kitti/setup.php
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from jaxtyping import Float64

from corr.errors import FormatError
from corr.formats.calibration.cameras import RectifiedCameras, StereoRig, rectified

_RECTIFIED = re.compile(r"^P(?:_rect_0)?(\d):", re.MULTILINE)


def is_kitti(text: str) -> bool:
    """Whether a text is one of KITTI's calibrations."""
    return _RECTIFIED.search(text) is not None or "K_00:" in text


def read_kitti(path: Path, text: str, cameras: tuple[int, int]) -> RectifiedCameras:
    """The rectified cameras of those numbers.

    Raises:
        FormatError: a line is missing or damaged.
    """
    rows = _rows(path, text)
    left, right = (_matrix(path, rows, (f"P{i}", f"P_rect_0{i}"), (3, 4)) for i in cameras)
    size = rows.get(f"S_rect_0{cameras[0]}")
    return rectified(
        left,
        right,
        unit_m=1.0,
        image_size=None if size is None else (int(size[1]), int(size[0])),
        path=path,
        source=f"KITTI, cameras P{cameras[0]} and P{cameras[1]}",
    )


def read_kitti_rig(path: Path, text: str, cameras: tuple[int, int]) -> StereoRig:
    """The cameras before rectification, of `calib_cam_to_cam.txt`.

    Raises:
        FormatError: a line is missing or damaged; the benchmarks' files have none of them.
    """
    rows = _rows(path, text)
    poses = []
    for i in cameras:
        pose = np.eye(4)
        pose[:3, :3] = _matrix(path, rows, (f"R_0{i}",), (3, 3))
        pose[:3, 3] = _matrix(path, rows, (f"T_0{i}",), (3,))
        poses.append(pose)
    left_to_right = poses[1] @ np.linalg.inv(poses[0])
    intrinsics = [_matrix(path, rows, (f"K_0{i}",), (3, 3)) for i in cameras]
    lenses = [_matrix(path, rows, (f"D_0{i}",), (5,)) for i in cameras]
    size = _matrix(path, rows, (f"S_0{cameras[0]}",), (2,))
    return StereoRig(
        (intrinsics[0], intrinsics[1]),
        (lenses[0], lenses[1]),
        left_to_right[:3, :3],
        left_to_right[:3, 3],
        (int(size[1]), int(size[0])),
        f"KITTI, cameras {cameras[0]} and {cameras[1]} before rectification",
    )


def _rows(path: Path, text: str) -> dict[str, Float64[np.ndarray, " N"]]:
    """The numbers after each `name:`; lines with words, such as the date, are left out."""
    rows = {}
    for line in text.splitlines():
        name, colon, values = line.partition(":")
        try:
            numbers = np.array([float(value) for value in values.split()])
        except ValueError:
            continue
        if colon and len(numbers):
            rows[name.strip()] = numbers
    if not rows:
        raise FormatError(f"'{path}' has no line of numbers such as 'P0: ...'")
    return rows


def _matrix(
    path: Path,
    rows: dict[str, Float64[np.ndarray, " N"]],
    names: tuple[str, ...],
    shape: tuple[int, ...],
) -> np.ndarray:
    name = next((name for name in names if name in rows), None)
    if name is None:
        raise FormatError(
            f"'{path}' has no line '{names[0]}:'; it has {', '.join(sorted(rows)[:12])}"
        )
    if rows[name].size != np.prod(shape):
        raise FormatError(
            f"'{path}' has {rows[name].size} numbers in line '{name}:', where "
            f"{int(np.prod(shape))} belong"
        )
    return rows[name].reshape(shape)
