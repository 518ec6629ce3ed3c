"""What the test servers of KITTI and Middlebury take: which frames, under which names.

Source: the development kits of https://www.cvlibs.net/datasets/kitti/eval_scene_flow.php?benchmark=stereo
and https://vision.middlebury.edu/stereo/submit3/ (MiddEval3).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from corr.data.layouts import require
from corr.errors import DatasetError


@dataclass(frozen=True)
class TestFrame:
    """A pair whose disparity a server judges."""

    __test__ = False  # not a test of pytest

    left: Path
    right: Path
    file: str
    """Of its disparity in the package, with `{method}` for the method's name."""
    time_file: str | None
    """Of its seconds in the package; None where the server asks for none."""
    max_disparity: int | None
    """Published with the pair; None where it is not."""


@dataclass(frozen=True)
class Server:
    """One test server."""

    frames: Callable[[Path], list[TestFrame]]
    """Those below a root."""
    num_frames: int
    """That it asks for."""
    root: str
    """What the root holds, in words."""


_TRAINING = [
    "Adirondack",
    "ArtL",
    "Jadeplant",
    "Motorcycle",
    "MotorcycleE",
    "Piano",
    "PianoL",
    "Pipes",
    "Playroom",
    "Playtable",
    "PlaytableP",
    "Recycle",
    "Shelves",
    "Teddy",
    "Vintage",
]
_TEST = [
    "Australia",
    "AustraliaP",
    "Bicycle2",
    "Classroom2",
    "Classroom2E",
    "Computer",
    "Crusade",
    "CrusadeP",
    "Djembe",
    "DjembeL",
    "Hoops",
    "Livingroom",
    "Nkuba",
    "Plants",
    "Staircase",
]


def _kitti_2012(root: Path) -> list[TestFrame]:
    cameras = (("colored_0", "colored_1"), ("image_0", "image_1"))
    return _kitti(root, cameras, "")


def _kitti_2015(root: Path) -> list[TestFrame]:
    return _kitti(root, (("image_2", "image_3"),), "disp_0/")


def _kitti(root: Path, cameras: tuple[tuple[str, str], ...], folder: str) -> list[TestFrame]:
    testing = root / "testing" if (root / "testing").is_dir() else root
    for left, right in cameras:
        frames = sorted(path.stem for path in (testing / left).glob("*_10.png"))
        if frames:
            return [
                TestFrame(
                    require(testing / left, frame, (".png",)),
                    require(testing / right, frame, (".png",)),
                    f"{folder}{frame}.png",
                    None,
                    None,
                )
                for frame in frames
            ]
    return []


def _middlebury(root: Path) -> list[TestFrame]:
    """At the one size that is there.

    Raises:
        DatasetError: there are several sizes, or a scene is not whole.
    """
    sizes = [size for size in "QHF" if (root / f"training{size}").is_dir()]
    if len(sizes) > 1:
        raise DatasetError(
            f"'{root}' has training{' and training'.join(sizes)}; a package is of one size: keep "
            "one of them"
        )
    frames = []
    for size in sizes:
        for kind, scenes in ((f"training{size}", _TRAINING), (f"test{size}", _TEST)):
            for scene in scenes:
                folder = root / kind / scene
                if not folder.is_dir():
                    continue
                calibration = require(folder, "calib", (".txt",))
                found = re.search(r"^ndisp\s*=\s*(\d+)", calibration.read_text(), re.MULTILINE)
                if found is None:
                    raise DatasetError(f"'{calibration}' has no line 'ndisp=' with a number")
                frames.append(
                    TestFrame(
                        require(folder, "im0", (".png",)),
                        require(folder, "im1", (".png",)),
                        f"{kind}/{scene}/disp0{{method}}.pfm",
                        f"{kind}/{scene}/time{{method}}.txt",
                        int(found[1]),
                    )
                )
    return frames


SERVERS: Mapping[str, Server] = {
    "kitti-2012": Server(_kitti_2012, 195, "'testing' with colored_0 or image_0"),
    "kitti-2015": Server(_kitti_2015, 200, "'testing' with image_2 and image_3"),
    "middlebury-v3": Server(_middlebury, 30, "trainingH and testH (or Q, or F)"),
}
