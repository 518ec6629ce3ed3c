"""`corr submit`: packages for the servers of KITTI and Middlebury."""

import json
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from typed import run
from wall import SHIFT

from corr.evaluation import submission_layouts
from corr.formats import read_disparity, read_image, write_image


@pytest.fixture
def testing(pair):
    for i, path in enumerate(pair):
        for frame in ("000000", "000001"):
            target = Path(f"testing/image_{i + 2}/{frame}_10.png")
            target.parent.mkdir(parents=True, exist_ok=True)
            write_image(target, read_image(path)[:60])
    return Path()


def test_submit_writes_what_kitti_takes(testing, monkeypatch, capsys):
    given = ["submit", "kitti-2015", "--root", ".", "-o", "out", "--max-disparity", "32"]
    assert run(*given) == 1
    out = capsys.readouterr().out
    assert "asks for 200 frames, and 2 are below" in out
    servers = dict(submission_layouts.SERVERS)
    two = servers["kitti-2015"]
    servers["kitti-2015"] = submission_layouts.Server(two.frames, 2, two.root)
    monkeypatch.setattr("corr.evaluation.submission.SERVERS", servers)
    assert run(*given) == 0
    assert "out.zip is whole: upload it to kitti-2015" in capsys.readouterr().out
    with zipfile.ZipFile("out.zip") as archive:
        assert archive.namelist() == ["disp_0/000000_10.png", "disp_0/000001_10.png"]
        archive.extractall("unpacked")
    assert abs(np.median(read_disparity("unpacked/disp_0/000000_10.png")) - SHIFT) < 0.5
    # Broken by hand: 8 bits, another size, a file too many, one missing.
    check = ["submit", "kitti-2015", "--root", ".", "--check", "broken.zip"]
    with zipfile.ZipFile("broken.zip", "w") as archive:
        archive.writestr(
            "disp_0/000000_10.png", cv2.imencode(".png", np.ones((60, 228), np.uint8))[1].tobytes()
        )
        archive.writestr("disp_0/notes.txt", "x")
    assert run(*check) == 1
    out = capsys.readouterr().out
    assert "'disp_0/000001_10.png' is missing" in out
    assert "'disp_0/notes.txt' does not belong there" in out
    assert "'disp_0/000000_10.png': it has 8 bits" in out
    with zipfile.ZipFile("broken.zip", "w") as archive:
        for frame in ("000000", "000001"):
            content = cv2.imencode(".png", np.ones((60, 200), np.uint16))[1].tobytes()
            archive.writestr(f"disp_0/{frame}_10.png", content)
    assert run(*check) == 1
    assert "it has 200 x 60 pixels, and its image 228 x 60" in capsys.readouterr().out
    Path("broken.zip").write_text("no")
    assert run(*check) == 1
    assert "is not a .zip file" in capsys.readouterr().out


def test_submit_to_middlebury(pair, capsys):
    for kind, scene in (("trainingQ", "Piano"), ("testQ", "Plants")):
        folder = Path(kind, scene)
        folder.mkdir(parents=True)
        for i, path in enumerate(pair):
            write_image(folder / f"im{i}.png", read_image(path)[:60])
        (folder / "calib.txt").write_text("ndisp=32\n")
    given = ["submit", "middlebury-v3", "--root", ".", "-o", "out"]
    assert run(*given, "--method", "census") == 1
    out = capsys.readouterr().out
    assert "asks for 30 frames, and 2 are below" in out
    assert out.count("\n- ") + out.startswith("- ") == 1, out
    with zipfile.ZipFile("out.zip") as archive:
        assert sorted(archive.namelist()) == [
            "testQ/Plants/disp0census.pfm",
            "testQ/Plants/timecensus.txt",
            "trainingQ/Piano/disp0census.pfm",
            "trainingQ/Piano/timecensus.txt",
        ]
        assert float(archive.read("testQ/Plants/timecensus.txt")) > 0
    assert json.loads(Path("out/submission.json").read_text())["method"] == "census"
    assert run(*given, "--method", "a/b") == 2
    Path("trainingH").mkdir()
    assert run("submit", "middlebury-v3", "--root", ".", "-o", "new") == 2
    assert "a package is of one size" in capsys.readouterr().err
    assert run("submit", "kitti-2012", "--root", ".", "-o", "new") == 2
    assert "holds no frame of kitti-2012" in capsys.readouterr().err
    assert run("submit", "kitti-2012", "--root", ".") == 2
    assert not Path("new").exists()
