"""`corr datasets verify` on whole sets, and on sets with one thing wrong, which it names."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from published import DISPARITY, FLOW, SETS, TEXTURE, image

from corr.cli import main
from corr.data.cards import load_card
from corr.data.verify import verify
from corr.formats import (
    read_flo,
    read_image,
    write_disparity,
    write_flo,
    write_kitti_disparity,
    write_kitti_flow,
)

COUNTS = {
    "driving": (10, 4),
    "eth3d": (8, 2),
    "monkaa": (10, 4),
    "evd": (6, 2),
    "flying-chairs": (9, 3),
    "flyingthings3d": (8, 2),
    "hpatches-patches": (48, 0),
    "hpatches-sequences": (22, 10),
    "kitti-2012": (18, 4),
    "kitti-2015": (14, 4),
    "middlebury-2014": (8, 2),
    "middlebury-2021": (4, 1),
    "middlebury-flow": (8, 2),
    "middlebury-stereo": (19, 5),
    "oxford-affine": (22, 10),
    "sintel": (14, 4),
    "strecha": (8, 0),
    "synthetic-posed": (14, 2),
}
"""Files and pairs of the tiny sets."""


@pytest.mark.parametrize("name", SETS)
def test_whole_sets(publish, capsys, name):
    root = publish(name)
    assert main(["datasets", "verify", name, str(root)]) == 0
    files, pairs = COUNTS[name]
    explained = f", and {pairs} pairs agree with their ground truth" if pairs else ""
    said = f"{name}: {files} files in '{root}' are as the card says{explained}\n"
    assert capsys.readouterr().out == said


def swap(first: str, second: str):
    def damage(root: Path) -> None:
        (root / first).rename(root / "kept")
        (root / second).rename(root / first)
        (root / "kept").rename(root / second)

    return damage


def rewrite(write, file: str, values: np.ndarray):
    return lambda root: write(root / file, values)


def turn_sintel(root: Path) -> None:
    file = root / "training/flow/bamboo_2/frame_0001.flo"
    write_flo(file, -read_flo(file))


def double_teddy(root: Path) -> None:
    file = root / "teddy" / "disp2.png"
    cv2.imwrite(str(file), 2 * read_image(file)[..., 0])


def invert(file: str):
    def damage(root: Path) -> None:
        matrix = np.loadtxt(root / file)
        np.savetxt(root / file, np.linalg.inv(matrix))

    return damage


SMALLER = TEXTURE[:, :-10]
IMPLAUSIBLE = [
    (
        "kitti-2012",
        swap("training/image_0/000007_10.png", "training/image_1/000007_10.png"),
        ("disp_occ/000007_10.png", "the images are swapped"),
    ),
    (
        "kitti-2015",
        rewrite(write_kitti_disparity, "training/disp_occ_0/000000_10.png", DISPARITY / 2),
        ("disp_occ_0/000000_10.png", "2 times too small"),
    ),
    (
        "kitti-2015",
        rewrite(
            write_kitti_flow,
            "training/flow_occ/000007_10.png",
            np.dstack((DISPARITY, 0 * DISPARITY)),
        ),
        ("flow_occ/000007_10.png", "its sign is turned"),
    ),
    ("middlebury-stereo", double_teddy, ("teddy/disp2.png", "2 times too large")),
    (
        "middlebury-stereo",
        swap("Art/view1.png", "Art/view5.png"),
        ("Art/disp1.png", "the images are swapped"),
    ),
    (
        "middlebury-2014",
        rewrite(write_disparity, "trainingQ/Piano/disp0GT.pfm", 4 * DISPARITY),
        ("Piano/disp0GT.pfm", "4 times too large"),
    ),
    (
        "middlebury-2021",
        rewrite(write_disparity, "artroom1/disp0.pfm", -DISPARITY),
        ("artroom1/disp0.pfm", "its sign is turned"),
    ),
    (
        "middlebury-2021",
        rewrite(write_disparity, "artroom1/disp0.pfm", 0 * DISPARITY + 100),
        ("artroom1/disp0.pfm", "does not explain its images"),
    ),
    (
        "middlebury-2021",
        rewrite(write_disparity, "artroom1/disp0.pfm", 256 * DISPARITY),
        ("artroom1/disp0.pfm", "leads 100 % of its pixels out of the other image"),
    ),
    (
        "middlebury-2021",
        rewrite(write_disparity, "artroom1/disp0.pfm", np.nan * DISPARITY),
        ("artroom1/disp0.pfm", "holds no known value"),
    ),
    (
        "middlebury-2021",
        rewrite(image, "artroom1/im1.png", SMALLER),
        ("im1.png' has 150 x 96 pixels", "im0.png' 160 x 96"),
    ),
    (
        "middlebury-2021",
        rewrite(write_disparity, "artroom1/disp0.pfm", DISPARITY[:-1]),
        ("disp0.pfm' has 160 x 95 pixels", "im0.png' 160 x 96"),
    ),
    ("sintel", turn_sintel, ("bamboo_2/frame_0001.flo", "its sign is turned")),
    (
        "sintel",
        swap(
            "training/final/alley_1/frame_0001.png",
            "training/final/alley_1/frame_0002.png",
        ),
        ("alley_1/frame_0001.flo", "the images are swapped"),
    ),
    (
        "middlebury-flow",
        rewrite(write_flo, "other-gt-flow/Urban2/flow10.flo", FLOW[..., ::-1]),
        ("Urban2/flow10.flo", "its two components are exchanged"),
    ),
    (
        "flying-chairs",
        rewrite(write_flo, "data/00002_flow.flo", FLOW / 20),
        ("00002_flow.flo", "20 times too small"),
    ),
    ("oxford-affine", invert("wall/H1to4p"), ("wall/H1to4p", "the images are swapped")),
    (
        "hpatches-sequences",
        lambda root: (root / "graf" / "H_1_3").write_text("1 0 40\n0 1 25\n0 0 1"),
        ("graf/H_1_3", "does not explain its images"),
    ),
    ("evd", swap("1/graf.png", "2/graf.png"), ("h/graf.txt", "the images are swapped")),
]


@pytest.mark.parametrize(("name", "damage", "said"), IMPLAUSIBLE)
def test_implausible_ground_truth(publish, capsys, name, damage, said):
    root = publish(name)
    damage(root)
    refused(capsys, name, root, said)


DAMAGED = [
    ("evd", "h/adam.txt", b"see the readme", "h/adam.txt' is not a text file of numbers"),
    ("hpatches-patches", "v_wall/t5.png", None, "v_wall' has no file 't5.png'"),
    ("hpatches-patches", "v_wall/h2.png", b"", "h2.png' is empty"),
    ("hpatches-patches", "v_wall/e1.png", b"text", "e1.png' is not an image"),
    ("oxford-affine", "wall/H1to3p", b"1 0 0", "wall/H1to3p' holds 3 numbers"),
    ("hpatches-sequences", "wall/4.ppm", b"", "wall/4.ppm' is empty"),
    ("kitti-2012", "training/image_1/000000_10.png", b"", "000000_10.png' is empty"),
    ("kitti-2012", "training/disp_occ/000000_10.png", b"text", "is not a png"),
    ("kitti-2015", "training/flow_noc/000000_10.png", None, "lacks '000000_10.png'"),
    ("kitti-2015", "training/image_2/000007_11.png", None, "lacks '000007_11.png'"),
    ("sintel", "training/clean/alley_1/frame_0002.png", None, "lacks 'frame_0002.png'"),
    ("sintel", "training/flow/alley_1/frame_0001.flo", b"PIEH", "is not a .flo file"),
    ("middlebury-stereo", "teddy/im6.png", None, "teddy' has no file 'im6.png|im6.ppm'"),
    ("middlebury-stereo", "Art/disp5.png", None, "Art' has no file 'disp5.png'"),
    ("middlebury-2014", "trainingQ/Piano/calib.txt", b"Piano", "has no line 'ndisp='"),
    ("flying-chairs", "data/00003_img2.ppm", None, "lacks '00003_img2.ppm' or"),
    ("middlebury-flow", "other-gt-flow/Urban2/flow10.flo", None, "there is no 'flow10.flo'"),
    ("strecha", "castle-P4/images/0003.jpg", None, "images' lacks '0003.jpg'"),
    (
        "strecha",
        "castle-P4/gt_dense_cameras/0000.jpg.camera",
        None,
        "gt_dense_cameras' lacks '0000.jpg.camera'",
    ),
    ("strecha", "castle-P4/images/0002.jpg", b"text", "0002.jpg' is not an image"),
    ("strecha", "castle-P4/gt_dense_cameras/0001.jpg.camera", b"1 2", "holds 2 numbers"),
]


@pytest.mark.parametrize("case", DAMAGED, ids=lambda case: f"{case[0]}:{case[1]}")
def test_damaged_and_half_copied_sets(publish, capsys, case):
    name, file, content, said = case
    root = publish(name)
    if content is None:
        (root / file).unlink()
    else:
        (root / file).write_bytes(content)
    refused(capsys, name, root, (said,))


@pytest.mark.parametrize("name", SETS)
def test_another_set(publish, capsys, name):
    other = "sintel" if name != "sintel" else "kitti-2012"
    refused(capsys, name, publish(other), (f"looks like {other}, not {name}; expected files",))


def test_an_empty_folder(tmp_path, capsys):
    refused(capsys, "sintel", tmp_path, ("is an empty folder; expected files such as training/",))


def test_photographs_may_be_anything(publish):
    assert verify(load_card("photos-folder"), publish("middlebury-2021")) == (3, 0)


@pytest.mark.parametrize(
    ("name", "files", "pairs"),
    [
        ("oxford-affine", 44, 20),
        ("hpatches-sequences", 11, 5),
        ("middlebury-stereo", 11, 3),
        ("kitti-2012", 18, 4),
        ("sintel", 7, 2),
        ("middlebury-flow", 12, 4),
        ("flying-chairs", 15, 5),
        ("strecha", 22, 0),
    ],
)
def test_real_data(shared_data, name, files, pairs):
    assert verify(load_card(name), shared_data / name) == (files, pairs)


def refused(capsys, name: str, root: Path, said: tuple[str, ...]) -> None:
    """The command exits with 2 and one line that says all of this."""
    assert main(["datasets", "verify", name, str(root)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1, shown.err
    for words in said:
        assert words in shown.err
