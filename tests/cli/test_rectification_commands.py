"""`corr stereo-check` and `corr rectify`, on a real pair and on one that is turned."""

import re
from pathlib import Path

import cv2
import pytest
import skimage.data
from typed import files, run
from wall import calibration

from corr.formats import read_image, write_image


@pytest.fixture(scope="module")
def motorcycle(tmp_path_factory):
    folder = tmp_path_factory.mktemp("motorcycle")
    left, right, _ = skimage.data.stereo_motorcycle()
    write_image(folder / "left.png", left)
    write_image(folder / "right.png", right)
    size = right.shape[1], right.shape[0]
    turned = cv2.warpAffine(right, cv2.getRotationMatrix2D((370, 250), 1.0, 1.0), size)
    write_image(folder / "turned.png", turned)
    return folder


def test_check_says_yes_no_and_cannot(motorcycle, capsys):
    left, right = motorcycle / "left.png", motorcycle / "right.png"
    assert run("stereo-check", left, right) == 0
    out = capsys.readouterr().out
    assert out.startswith("fit for disparity\n")
    assert re.search(r"disparities from [\d.]+ to [\d.]+ px: --max-disparity \d+", out)
    assert files() == ["stereo-check.png"]
    assert run("stereo-check", right, left, "--draw", "s.png") == 1
    assert "- the views are swapped" in capsys.readouterr().out
    write_image("small.png", read_image(right)[:, :-1])
    assert run("stereo-check", left, "small.png") == 2
    assert run("stereo-check", left, "none.png") == 2
    assert run("stereo-check", left, right, "--draw", "s.txt") == 2
    assert "none.png" in capsys.readouterr().err


def test_rectify_makes_a_pair_that_is_fit(motorcycle, capsys):
    left, turned = motorcycle / "left.png", motorcycle / "turned.png"
    assert run("stereo-check", left, turned) == 1
    assert "turned by" in capsys.readouterr().out
    assert run("rectify", left, turned, "-o", "made") == 0
    assert "fit for disparity" in capsys.readouterr().out
    assert run("stereo-check", "made/left.png", "made/right.png") == 0
    made = ["made/left.png", "made/right.png"]
    assert run("disparity", *made, "--calib", "made/rectification.yaml") == 2
    assert "has no matrix 'P1'" in capsys.readouterr().err
    assert run("rectify", left, turned, "-o", "other", "--calib", calibration()) == 2
    assert "rectified already" in capsys.readouterr().err
    assert not Path("other").exists()
