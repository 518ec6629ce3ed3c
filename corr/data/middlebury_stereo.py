"""Middlebury's stereo scenes: 2001 to 2006 with 8-bit disparities, 2014 and 2021 with floats.

Source: https://vision.middlebury.edu/stereo/data/ and the pages of each year.
"""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float32

from corr.data.ground_truth import StereoPair, StereoTruth, search_bound
from corr.data.layouts import find, of_2021, require, scene_folders
from corr.errors import DatasetError
from corr.formats import read_disparity, read_image

_SCENES: tuple[tuple[str, str, str, str | None], ...] = (
    ("scene1.row3.col3", "scene1.row3.col4", "truedisp.row3.col3", None),
    ("im2", "im6", "disp2", "disp6"),
    ("view1", "view5", "disp1", "disp5"),
    ("im3", "im4", "disp3", "disp4"),
)
"""Left, right, disparity of the left and of the right image, in scenes of 2001 to 2006."""

_PLANAR = ("barn", "bull", "map", "poster", "sawtooth", "venus")
"""Scenes of 2001 besides tsukuba."""

_STRUCTURED_LIGHT = ("cones", "teddy")
"""Scenes of 2003."""

OCCLUDED = 128
"""Value in `mask0nocc.png`; 255 is seen in both images, 0 unknown."""


def read_middlebury(root: Path) -> list[StereoPair]:
    """The pairs of every scene at most two folders below the root, by folder; none if none is.

    Raises:
        DatasetError: a scene is not whole, or its name does not tell the scale of its disparity.
    """
    pairs = []
    for folder in scene_folders(root):
        name = folder.relative_to(root).as_posix() if folder != root else folder.resolve().name
        pair = _with_floats(folder, name) or _with_bytes(folder, name) or _installed(folder)
        if pair is not None:
            pairs.append(pair)
    return pairs


def disparity_scale(scene: str, left: str, width: int, height: int) -> int:
    """What a disparity of 1 px is stored as, in a scene of 2001 to 2006.

    Args:
        scene: its folder, which tells the year of `im2` and `im6`.
        left: stem of the left image.
        width: of the images, px; tells at which size the scenes of 2003 were published.
        height: of the images, px; tells at which size those of 2005 and 2006 were.

    Raises:
        DatasetError: the scene is not one of 2001 or 2003.
    """
    name = scene.lower()
    if left in ("im3", "scene1.row3.col3") or name.startswith("tsukuba"):
        return 16
    if left == "view1":
        return 1 if height > 832 else 2 if height > 462 else 3
    if name.startswith(_STRUCTURED_LIGHT):
        return 1 if width > 1350 else 2 if width > 675 else 4
    if name.startswith(_PLANAR):
        return 8
    raise DatasetError(
        f"scene '{scene}' is not one of Middlebury 2001 or 2003, so the scale of its disparity is "
        f"not known; name its folder as published: tsukuba, {', '.join(_PLANAR)}, cones or teddy"
    )


def occluded_by_consistency(
    left: Float32[np.ndarray, "H W"], right: Float32[np.ndarray, "H W"]
) -> Bool[np.ndarray, "H W"]:
    """Where the right view's disparity does not lead back to the left one, within 1 px.

    A known disparity that leaves the right image, or meets an unknown one there, is occluded too.
    """
    height, width = left.shape
    known = np.isfinite(left)
    x, y = np.meshgrid(np.arange(width), np.arange(height))
    target = np.rint(x - np.where(known, left, 0)).astype(np.int64)
    inside = (target >= 0) & (target < width)
    back = right[y, target.clip(0, width - 1)]
    agrees = np.abs(back - left) <= 1
    occluded: Bool[np.ndarray, "H W"] = known & ~(inside & agrees)
    return occluded


def _with_floats(folder: Path, name: str) -> StereoPair | None:
    """A scene of 2014 or 2021, in the form of its own page or of the evaluation's third version."""
    truth = find(folder, "disp0", (".pfm", "GT.pfm"))
    calibration = find(folder, "calib", (".txt",))
    images = [find(folder, stem, (".png",)) for stem in ("im0", "im1")]
    if not any(images) or (truth is None and calibration is None):
        return None
    if truth is None and folder.parent.name.lower().startswith("test"):
        return None  # its truth is not published
    left, right = (require(folder, stem, (".png",)) for stem in ("im0", "im1"))
    truth = require(folder, "disp0", (".pfm", "GT.pfm"))
    calibration = require(folder, "calib", (".txt",))
    mask = find(folder, "mask0nocc", (".png",))
    right_truth = find(folder, "disp1", (".pfm", "GT.pfm"))
    files = tuple(file for file in (truth, calibration, mask or right_truth) if file is not None)
    read = partial(_read_floats, truth, calibration, mask, right_truth)
    year = 2021 if of_2021(folder.name) else 2014
    return StereoPair(name, f"middlebury-{year}", left, right, files, read)


def _read_floats(
    path: Path, calibration: Path, mask: Path | None, right: Path | None
) -> StereoTruth:
    disparity = read_disparity(path)
    found = re.search(r"^ndisp\s*=\s*(\d+)", calibration.read_text(errors="replace"), re.MULTILINE)
    if found is None:
        raise DatasetError(f"'{calibration}' has no line 'ndisp=' with a number")
    occluded = None
    if mask is not None:
        values = read_image(mask)[..., 0]
        _same_size(path, disparity, mask, values)
        occluded = (values == OCCLUDED) & np.isfinite(disparity)
    elif right is not None:
        back = read_disparity(right)
        _same_size(path, disparity, right, back)
        occluded = occluded_by_consistency(disparity, back)
    return StereoTruth(disparity, occluded, int(found[1]))


def _with_bytes(folder: Path, name: str) -> StereoPair | None:
    """A scene of 2001 to 2006."""
    scenes = _SCENES
    if folder.name.lower().startswith("map"):
        scenes = (("im0", "im1", "disp0", "disp1"),)
    for left, right, truth, right_truth in scenes:
        if not any(find(folder, stem) for stem in (left, right, truth)):
            continue
        images = require(folder, left), require(folder, right)
        maps = [require(folder, truth)]
        if right_truth is not None and find(folder, right_truth):
            maps.append(require(folder, right_truth))
        scene = folder.resolve().name
        year = "2005-2006" if left == "view1" else "2001"
        year = "2003" if scene.lower().startswith(_STRUCTURED_LIGHT) else year
        read = partial(_read_bytes, scene, left, *maps)
        return StereoPair(name, f"middlebury-{year}", *images, tuple(maps), read)
    return None


def _read_bytes(scene: str, left: str, path: Path, right: Path | None = None) -> StereoTruth:
    raw = read_image(path)[..., 0].astype(np.float32)
    scale = np.float32(disparity_scale(scene, left, raw.shape[1], raw.shape[0]))
    disparity = np.where(raw == 0, np.float32(np.nan), raw / scale)
    occluded = None
    if right is not None:
        back = read_image(right)[..., 0].astype(np.float32)
        _same_size(path, raw, right, back)
        back = np.where(back == 0, np.float32(np.nan), back / scale)
        occluded = occluded_by_consistency(disparity, back)
    return StereoTruth(disparity, occluded, search_bound(disparity))


def _installed(folder: Path) -> StereoPair | None:
    """The motorcycle of 2014 at quarter size, as scikit-image installs it."""
    if find(folder, "motorcycle_left") is None:
        return None
    left, right = (require(folder, f"motorcycle_{side}") for side in ("left", "right"))
    truth = require(folder, "motorcycle_disp", (".npz",))
    return StereoPair(
        "motorcycle", "middlebury-2014", left, right, (truth,), partial(_read_installed, truth)
    )


def _read_installed(path: Path) -> StereoTruth:
    try:
        with np.load(path) as content:
            values = content["arr_0"].astype(np.float32)
    except (OSError, ValueError, KeyError) as error:
        raise DatasetError(f"'{path}' is damaged: it holds no disparity") from error
    disparity = np.where(np.isfinite(values), values, np.float32(np.nan))
    return StereoTruth(disparity, None, search_bound(disparity))


def _same_size(path: Path, first: np.ndarray, other: Path, second: np.ndarray) -> None:
    if first.shape != second.shape:
        sizes = [" x ".join(map(str, values.shape[::-1])) for values in (first, second)]
        raise DatasetError(f"'{path}' has {sizes[0]} pixels and '{other}' {sizes[1]}")
