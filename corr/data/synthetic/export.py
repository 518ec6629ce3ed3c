"""Synthetic samples as files, laid out as published sets are, so that any reader reads them.

What those layouts have no place for, the masks of stereo and flow, lies in a folder `masks` of its
own, see `corr.data.masks`.

Every file appears whole or not at all, and what is there already is not made again: a run that was
stopped goes on where it was.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, UInt8
from torch import Tensor

from corr.data.flying_chairs import SPLIT_FILES
from corr.data.homographies import NUM_IMAGES
from corr.data.masks import Masks, write_masks
from corr.data.posed_pairs import FILES
from corr.data.progress import progress_bar
from corr.data.synthetic.config import View
from corr.data.synthetic.samples import Pair, PlanarSample, PosedSample, StereoSample
from corr.data.synthetic.scenes import SyntheticScenes
from corr.errors import OptionError
from corr.formats import write_disparity, write_flo, write_image
from corr.formats.atomic import make_folder, replacing

IDENTITY = "synthetic.json"
"""File that says which data set is in a folder."""

_VAL_EVERY = 10
"""One pair of so many is listed for validation."""


class Written(NamedTuple):
    """What a run did."""

    num_written: int
    num_kept: int
    """Samples that were there already."""


def write_data_set(scenes: SyntheticScenes, count: int, root: Path) -> Written:
    """The first `count` samples, below a folder.

    Raises:
        OptionError: the folder holds another data set.
        FormatError: a file cannot be written.
    """
    make_folder(root)
    _identify(scenes, root)
    view = scenes.config.view
    if view == "flow":
        split = [2 if (index + 1) % _VAL_EVERY == 0 else 1 for index in range(count)]
        _write_text(root / SPLIT_FILES[0], "".join(f"{line}\n" for line in split))
    files, write = _FILES[view], _WRITERS[view]
    num_kept = 0
    with progress_bar() as progress:
        for index in progress.track(range(count), description=f"{view} samples"):
            if all((root / file).is_file() for file in files(index)):
                num_kept += 1
                continue
            for folder in {(root / file).parent for file in files(index)}:
                make_folder(folder)
            write(scenes, index, root)
    return Written(count - num_kept, num_kept)


def _identify(scenes: SyntheticScenes, root: Path) -> None:
    """Say which data set this is, and refuse a folder that holds another."""
    path = root / IDENTITY
    if path.is_file():
        try:
            found = json.loads(path.read_text(encoding="utf-8"))["digest"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise OptionError(f"'{path}' is damaged; give another folder to write to") from error
        if found != scenes.digest:
            raise OptionError(
                f"'{root}' holds data set {found}, not {scenes.digest}; give another folder, or "
                "the seed, size and photos that it was written with"
            )
        return
    identity = {
        "digest": scenes.digest,
        "seed": scenes.seed,
        "num_photos": scenes.num_photos,
        "config": asdict(scenes.config),
    }
    _write_text(path, json.dumps(identity, indent=2) + "\n")


def _write_text(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def picture(image: Float[Tensor, "3 H W"]) -> UInt8[np.ndarray, "H W 3"]:
    """A sample's image as a picture of 8 bits."""
    values: np.ndarray = (image.permute(1, 2, 0).cpu().numpy() * 255).round().astype(np.uint8)
    return values


def _write_pictures(paths: Sequence[Path], pair: Pair) -> None:
    for path, image in zip(paths, (pair.image0, pair.image1), strict=True):
        write_image(path, picture(image))


def _write_masks(paths: Sequence[Path], pair: Pair) -> None:
    first = pair.occluded0, pair.edge0, pair.valid0
    second = pair.occluded1, pair.edge1, pair.valid1
    for path, masks in zip(paths, (first, second), strict=True):
        write_masks(path, Masks._make(mask.cpu().numpy() for mask in masks))


def _planar_files(index: int) -> list[str]:
    numbers = range(1, NUM_IMAGES + 1)
    pictures = [f"v_{index:05d}/{k}.png" for k in numbers]
    return pictures + [f"v_{index:05d}/H_1_{k}" for k in numbers[1:]]


def _write_planar(scenes: SyntheticScenes, index: int, root: Path) -> None:
    """HPatches' full sequences: one view, and five others of the same scene."""
    folder = root / f"v_{index:05d}"
    for number in range(2, NUM_IMAGES + 1):
        sample = scenes.sample(index, second=number - 2)
        assert isinstance(sample, PlanarSample)
        if number == 2:
            write_image(folder / "1.png", picture(sample.pair.image0))
        write_image(folder / f"{number}.png", picture(sample.pair.image1))
        rows = sample.homography_0to1.double().tolist()
        text = "\n".join(" ".join(f"{value:.9g}" for value in row) for row in rows)
        _write_text(folder / f"H_1_{number}", text + "\n")


def _stereo_files(index: int) -> list[str]:
    place = f"TRAIN/A/{index:05d}"
    sides = ("left", "right")
    pictures = [f"frames_finalpass/{place}/{side}/0006.png" for side in sides]
    maps = [f"disparity/{place}/{side}/0006.pfm" for side in sides]
    return pictures + maps + [f"masks/{place}/{side}/0006.png" for side in sides]


def _write_stereo(scenes: SyntheticScenes, index: int, root: Path) -> None:
    """FlyingThings3D of SceneFlow."""
    sample = scenes.sample(index)
    assert isinstance(sample, StereoSample)
    paths = [root / file for file in _stereo_files(index)]
    _write_pictures(paths[:2], sample.pair)
    for path, disparity in zip(paths[2:4], (sample.disparity0, sample.disparity1), strict=True):
        write_disparity(path, disparity[0].cpu().numpy())
    _write_masks(paths[4:], sample.pair)


def _flow_files(index: int) -> list[str]:
    number = f"{index + 1:05d}"
    files = [f"data/{number}_{end}" for end in ("img1.png", "img2.png", "flow.flo")]
    return files + [f"masks/{number}_{picture}.png" for picture in ("img1", "img2")]


def _write_flow(scenes: SyntheticScenes, index: int, root: Path) -> None:
    """FlyingChairs."""
    sample = scenes.sample(index)
    assert isinstance(sample, Pair)
    paths = [root / file for file in _flow_files(index)]
    _write_pictures(paths[:2], sample)
    write_flo(paths[2], sample.flow_0to1.permute(1, 2, 0).cpu().numpy())
    _write_masks(paths[3:], sample)


def _posed_files(index: int) -> list[str]:
    return [f"{index:05d}/{file}" for file in FILES]


def _write_posed(scenes: SyntheticScenes, index: int, root: Path) -> None:
    """See `corr.data.posed_pairs`."""
    sample = scenes.sample(index)
    assert isinstance(sample, PosedSample)
    paths = [root / file for file in _posed_files(index)]
    _write_pictures(paths[:2], sample.pair)
    for path, depth in zip(paths[2:4], (sample.depth0, sample.depth1), strict=True):
        write_disparity(path, depth[0].cpu().numpy())
    _write_masks(paths[4:6], sample.pair)
    cameras = {
        "intrinsics": sample.intrinsics.double().tolist(),
        "pose_0to1": sample.pose_0to1.double().tolist(),
    }
    _write_text(paths[6], json.dumps(cameras, indent=2) + "\n")


_FILES: dict[View, Callable[[int], list[str]]] = {
    "planar": _planar_files,
    "stereo": _stereo_files,
    "flow": _flow_files,
    "posed": _posed_files,
}
_WRITERS: dict[View, Callable[[SyntheticScenes, int, Path], None]] = {
    "planar": _write_planar,
    "stereo": _write_stereo,
    "flow": _write_flow,
    "posed": _write_posed,
}
