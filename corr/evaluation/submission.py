"""Disparity maps for a test server: computed, packed, and checked before they are sent."""

from __future__ import annotations

import os
import re
import tempfile
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from corr.data.progress import progress_bar
from corr.errors import CorrError, DatasetError, OptionError
from corr.evaluation.submission_layouts import SERVERS, TestFrame
from corr.formats import (
    read_disparity,
    read_image,
    read_kitti_disparity,
    replacing,
    write_disparity,
)
from corr.formats.atomic import make_folder
from corr.formats.images import read_image_size
from corr.pipeline.stereo import disparity

_NAME = re.compile(r"[A-Za-z0-9_-]{1,32}")
_SECONDS = re.compile(r"\d+(\.\d+)?([eE][+-]?\d+)?\s*")
_LARGEST_PX = 255.99
"""KITTI's png holds no more."""


def test_frames(server: str, root: Path) -> list[TestFrame]:
    """The frames that a server asks for, as far as they are below a root.

    Raises:
        DatasetError: there are none, or one is not whole.
        OptionError: the server is not known.
    """
    if server not in SERVERS:
        raise OptionError(f"server '{server}' is not known; use {', '.join(SERVERS)}")
    frames = SERVERS[server].frames(root) if root.is_dir() else []
    if not frames:
        raise DatasetError(f"'{root}' holds no frame of {server}; expected {SERVERS[server].root}")
    return frames


test_frames.__test__ = False  # type: ignore[attr-defined]  # not a test of pytest


def write_submission(
    server: str, root: Path, folder: Path, method: str, options: Mapping[str, Any]
) -> Path:
    """Compute what is missing in the folder, and pack it; the path of the `.zip` beside it.

    Args:
        server: `kitti-2012`, `kitti-2015` or `middlebury-v3`.
        root: of its test data.
        folder: for the maps, in the server's own layout.
        method: its name, of letters, digits, `-` and `_`.
        options: of `corr.disparity`.

    Raises:
        DatasetError, FormatError, ImageError, OptionError: something cannot be read or written.
    """
    if not _NAME.fullmatch(method):
        raise OptionError(
            f"the method's name '{method}' is not accepted; use up to 32 letters, digits, - and _"
        )
    frames = test_frames(server, root)
    with progress_bar() as progress:
        for frame in progress.track(frames, description="frames"):
            _compute(frame, folder, method, options)
    package = folder.with_name(f"{folder.name}.zip")
    with replacing(package) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in _names(frames, method):
            archive.write(folder / name, name, zipfile.ZIP_DEFLATED)
    return package


def check_submission(server: str, root: Path, package: Path, method: str) -> list[str]:
    """What a server would refuse, a sentence each; nothing when the package is whole.

    Args:
        server: as in `write_submission`.
        root: of its test data.
        package: a `.zip`.
        method: its name.

    Raises:
        DatasetError, OptionError: the test data cannot be read.
    """
    frames = test_frames(server, root)
    asked = SERVERS[server].num_frames
    problems = []
    if len(frames) != asked:
        problems.append(
            f"{server} asks for {asked} frames, and {len(frames)} are below '{root}': the data is "
            "not whole"
        )
    try:
        with zipfile.ZipFile(package) as archive:
            names = {name for name in archive.namelist() if not name.endswith("/")}
            expected = set(_names(frames, method))
            problems += [f"'{name}' is missing" for name in sorted(expected - names)]
            problems += [f"'{name}' does not belong there" for name in sorted(names - expected)]
            with tempfile.TemporaryDirectory() as scratch:
                for frame in frames:
                    problems += _check(archive, frame, method, names, Path(scratch))
    except (OSError, zipfile.BadZipFile) as error:
        problems.append(f"'{package}' is not a .zip file, or it is damaged ({error})")
    return problems


def _names(frames: list[TestFrame], method: str) -> list[str]:
    files = [name for frame in frames for name in (frame.file, frame.time_file) if name]
    return [name.format(method=method) for name in files]


def _compute(frame: TestFrame, folder: Path, method: str, options: Mapping[str, Any]) -> None:
    target = folder / frame.file.format(method=method)
    clock = folder / frame.time_file.format(method=method) if frame.time_file else None
    if target.exists() and (clock is None or clock.exists()):
        return
    make_folder(target.parent)
    left, right = read_image(frame.left), read_image(frame.right)
    bound = options.get("max_disparity") or frame.max_disparity
    start = time.perf_counter()
    found = disparity(left, right, **{**options, "max_disparity": bound}).disparity
    seconds = time.perf_counter() - start
    if target.suffix == ".png":
        found = np.minimum(found, np.float32(_LARGEST_PX))
    if clock is not None:
        with replacing(clock) as temporary:
            temporary.write_text(f"{seconds:.4f}\n", encoding="utf-8")
    write_disparity(target, found)


def _check(
    archive: zipfile.ZipFile, frame: TestFrame, method: str, names: set[str], scratch: Path
) -> list[str]:
    """What is wrong with the files of one frame."""
    problems = []
    name = frame.file.format(method=method)
    if name in names:
        file = scratch / f"map{os.path.splitext(name)[1]}"  # noqa: PTH122 - a name, not a path
        file.write_bytes(archive.read(name))
        try:
            strict = read_kitti_disparity if file.suffix == ".png" else read_disparity
            found = strict(file)  # 8 bits are no map of KITTI's
            fault = _fault(found, frame)
        except CorrError as error:
            fault = str(error).replace(f"'{file}'", "it")
        problems += [f"'{name}': {fault}"] if fault else []
    clock = frame.time_file.format(method=method) if frame.time_file else None
    if clock in names and clock is not None:
        text = archive.read(clock).decode(errors="replace")
        if not _SECONDS.fullmatch(text) or not float(text) > 0:
            problems.append(f"'{clock}': it holds '{text.strip()[:20]}', not seconds above 0")
    return problems


def _fault(found: np.ndarray, frame: TestFrame) -> str | None:
    width, height = read_image_size(frame.left)
    if found.shape != (height, width):
        return (
            f"it has {found.shape[1]} x {found.shape[0]} pixels, and its image {width} x {height}"
        )
    known = np.isfinite(found)
    if not known.any():
        return "it knows no disparity"
    if float(found[known].min()) < 0:
        return f"it has a disparity of {found[known].min():.2f} px; they are 0 or more"
    if float(found[known].max()) > width:
        return f"it has a disparity of {found[known].max():.2f} px, wider than the image"
    return None
