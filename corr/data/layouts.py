"""Which published set a folder looks like, and that what its layout names is there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from corr.errors import DatasetError

PICTURES = (".png", ".ppm", ".pgm")
"""Suffixes of the published images; the first one found is read."""


_OLDER_SCENES = (
    {"im2", "im6", "disp2", "disp6"},
    {"view1", "view5", "disp1", "disp5"},
    {"im3", "im4", "disp3"},
    {"scene1.row3.col3", "scene1.row3.col4", "truedisp.row3.col3"},
)
"""Names of the files of Middlebury's scenes of 2001 to 2006."""

_SCENES_2021 = (
    "artroom",
    "bandsaw",
    "chess",
    "curule",
    "ladder",
    "octogons",
    "pendulum",
    "podium",
    "skates",
    "skiboots",
    "traproom",
)


def of_2021(scene: str) -> bool:
    """Whether Middlebury published a scene of that name in 2021; else it is one of 2014."""
    return scene.rstrip("0123456789") in _SCENES_2021


_ETH3D = re.compile(
    r"(delivery_area|electro|facade|forest|lakeside|playground|sand_box|storage_room"
    r"|storage_room_2|terrace|terrains|tunnel)_\d[ls]"
)
"""Scenes of ETH3D's two views: a place, a number, large or small."""


def of_eth3d(scene: str) -> bool:
    """Whether ETH3D has two views of that name."""
    return _ETH3D.fullmatch(scene) is not None


def sceneflow_set(root: Path) -> str:
    """Which of SceneFlow's sets a folder with `disparity` or `optical_flow` is, by its scenes."""
    kinds = (root / kind for kind in ("disparity", "optical_flow"))
    names = {path.name for kind in kinds if kind.is_dir() for path in kind.iterdir()}
    if names & {"TRAIN", "TEST"}:
        return "flyingthings3d"
    return "driving" if any(name.endswith("mm_focallength") for name in names) else "monkaa"


def recognise_all(root: Path) -> list[str]:
    """Names of the cards whose sets a folder looks like, from the names of its files alone.

    Looks into the folder, else into the folders in it, else into those in them; a half-copied set
    is still recognised.
    """
    level = [root] if root.is_dir() else []
    for _ in range(3):
        kinds = [kind for folder in level for kind in _kinds(folder)]
        if kinds:
            return list(dict.fromkeys(kinds))
        level = [path for folder in level for path in sorted(folder.iterdir()) if path.is_dir()]
    return []


def scene_folders(root: Path) -> list[Path]:
    """The root, the folders in it and those in them, where a scene may lie."""
    found = [root]
    for pattern in ("*", "*/*"):
        found += sorted(path for path in root.glob(pattern) if path.is_dir())
    return found


def refusal(root: Path, wanted: Sequence[str], expected: str) -> DatasetError:
    """Why nothing was found below a root: no folder, nothing in it, another set or no set at all.

    Args:
        root: what was given.
        wanted: names of the cards of the sets that were looked for.
        expected: what such a root holds, as it ends the sentence.
    """
    names = _listed(wanted)
    if not root.is_dir():
        return DatasetError(f"'{root}' is not a folder; give the root of {names}")
    if not any(root.iterdir()):
        return DatasetError(f"'{root}' is an empty folder; expected {expected}")
    found = [name for name in recognise_all(root) if name not in wanted]
    if found:
        return DatasetError(f"'{root}' looks like {found[0]}, not {names}; expected {expected}")
    return DatasetError(f"'{root}' holds nothing of {names}; expected {expected}")


def find(folder: Path, stem: str, suffixes: Sequence[str] = PICTURES) -> Path | None:
    """The file of that stem with the first suffix that is there."""
    paths = (folder / f"{stem}{suffix}" for suffix in suffixes)
    return next((path for path in paths if path.is_file()), None)


def require(folder: Path, stem: str, suffixes: Sequence[str] = PICTURES) -> Path:
    """The file of that stem with the first suffix that is there.

    Raises:
        DatasetError: there is none, or it is empty.
    """
    path = find(folder, stem, suffixes)
    if path is None:
        names = _listed([f"'{stem}{suffix}'" for suffix in suffixes])
        raise DatasetError(f"'{folder}' lacks {names}, so the set is not whole")
    if path.stat().st_size == 0:
        raise DatasetError(f"'{path}' is empty (0 bytes), so the set is not whole")
    return path


def _listed(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _kinds(folder: Path) -> list[str]:
    """The sets that have a folder with such entries."""
    names = {path.name for path in folder.iterdir()}
    stems = {name.rpartition(".")[0] for name in names if name.endswith(PICTURES)}
    signs = {
        "sintel": bool(names & {"clean", "final"}) and bool(names & {"flow", "occlusions"}),
        "kitti-2015": bool(names & {"image_2", "disp_occ_0", "disp_noc_0"}),
        "kitti-2012": bool(names & {"image_0", "colored_0", "disp_occ", "disp_noc"}),
        "eth3d": bool(names & {"two_view_training", "two_view_training_gt"})
        or any(of_eth3d(name) for name in names),
        "synthetic-posed": bool(names & {"cameras.json", "depth0.pfm", "occluded0.png"}),
        "strecha": "gt_dense_cameras" in names,
        "brown": "patches0000.bmp" in names,
        "hpatches-patches": len({"ref.png", "e1.png", "h1.png", "t1.png"} & names) > 1,
        "evd": names >= {"1", "2", "h"},
        "flying-chairs": any(stem.endswith("_img1") for stem in stems),
        "middlebury-flow": bool(names & {"other-gt-flow", "flow10.flo"}) or "frame10" in stems,
        "oxford-affine": "img1" in stems and any(name.startswith("H1to") for name in names),
        "hpatches-sequences": "1" in stems and any(name.startswith("H_1_") for name in names),
        "middlebury-stereo": any(len(stems & scene) > 1 for scene in _OLDER_SCENES),
        "spair-71k": "PairAnnotation" in names,
        "pf-pascal": names >= {"Annotations", "JPEGImages"} and "PairAnnotation" not in names,
        "cub-200-2011": bool(names & {"images.txt", "bounding_boxes.txt"}) and "parts" in names,
        "tss": bool(names & {"FG3DCar", "JODS"}) or names >= {"flow1.flo", "mask1.png"},
        "pf-willow": _marked_images(names),
        "skimage-photos": names >= {"astronaut.png", "rocket.jpg"},
        "middlebury-2014": "motorcycle_left.png" in names,
    }
    found = [card for card, there in signs.items() if there]
    if names & {"disparity", "optical_flow"} and names & {"frames_cleanpass", "frames_finalpass"}:
        found.append(sceneflow_set(folder))
    if {"im0", "im1"} <= stems and any(name == "calib.txt" or ".pfm" in name for name in names):
        newer = "middlebury-2021" if of_2021(folder.name) else "middlebury-2014"
        found.append("eth3d" if of_eth3d(folder.name) else newer)
    return found


def _marked_images(names: set[str]) -> bool:
    """Whether images have annotations of MATLAB beside them."""
    marked = {name.removesuffix(".mat") for name in names if name.endswith(".mat")}
    return any(name.rpartition(".")[0] in marked for name in names if not name.endswith(".mat"))
