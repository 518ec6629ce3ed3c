"""`corr datasets verify strecha`: every picture with its camera, and of its size."""

from pathlib import Path

import cv2
import pytest
from published import TEXTURE, image

from corr.cli import main
from corr.data.cards import load_card
from corr.data.verify import verify


def test_a_scene_without_any_camera_beside_a_whole_one(publish, capsys):
    root = publish("strecha")
    image(root / "entry-P1" / "images" / "0000.png", TEXTURE)
    refused(capsys, root, "entry-P1/gt_dense_cameras' lacks '0000.png.camera'")


@pytest.mark.parametrize(
    ("width", "height", "fits"),
    [
        (320, 192, True),  # as the camera's file says
        (160, 96, True),
        (107, 64, True),  # a third, to whole pixels
        (80, 48, True),
        (96, 160, False),  # turned
        (150, 96, False),  # cut
        (160, 90, False),
        (320, 193, False),
    ],
)
def test_a_picture_is_as_large_as_its_camera_says_or_in_its_proportions(
    publish, capsys, width, height, fits
):
    root = publish("strecha")
    picture = root / "castle-P4" / "images" / "0003.jpg"
    image(picture, cv2.resize(TEXTURE, (width, height)))
    if fits:
        assert verify(load_card("strecha"), root) == (8, 0)
        return
    camera = root / "castle-P4" / "gt_dense_cameras" / "0003.jpg.camera"
    said = f"'{picture}' has {width} x {height} pixels, and '{camera}' is of an image of 320 x 192"
    refused(capsys, root, said)


def test_a_scene_of_one_view_is_checked_too(publish, capsys):
    root = publish("strecha")
    for view in (1, 2, 3):
        (root / "castle-P4" / "images" / f"{view:04d}.jpg").unlink()
        (root / "castle-P4" / "gt_dense_cameras" / f"{view:04d}.jpg.camera").unlink()
    assert verify(load_card("strecha"), root) == (2, 0)
    image(root / "castle-P4" / "images" / "0000.jpg", TEXTURE[:, :-10])
    refused(capsys, root, "0000.jpg' has 150 x 96 pixels")


def refused(capsys, root: Path, said: str) -> None:
    """The command exits with 2 and one line that says this."""
    assert main(["datasets", "verify", "strecha", str(root)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1, shown.err
    assert said in shown.err
