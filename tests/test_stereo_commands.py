"""`stereo-check`, `rectify`, `submit`, and what surrounds `disparity`, as a user types them."""

import json
import re
import warnings
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data
import torch

import corr
from corr.cli import main
from corr.errors import ImageError
from corr.evaluation import submission_layouts
from corr.formats import read_disparity, read_image, read_pfm, write_disparity, write_image
from corr.formats.ply import read_ply

SHIFT = 12


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A photograph, and the same one seen 12 px further to the right: a wall before two cameras."""
    folder = tmp_path_factory.mktemp("wall")
    photo = skimage.data.chelsea()[60:180]
    write_image(folder / "left.png", photo[:, : 240 - SHIFT])
    write_image(folder / "right.png", photo[:, SHIFT:240])
    return folder / "left.png", folder / "right.png"


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(*arguments) -> int:
    return main([str(argument) for argument in arguments])


def files() -> list[str]:
    return sorted(path.as_posix() for path in Path().rglob("*") if path.is_file())


def calibration(text="") -> Path:
    path = Path("calib.txt")
    path.write_text(
        "cam0=[300 0 114; 0 300 60; 0 0 1]\ncam1=[300 0 114; 0 300 60; 0 0 1]\ndoffs=0\n"
        f"baseline=80\nwidth=228\nheight=120\nndisp=32\n{text}"
    )
    return path


def test_a_wall_stands_where_it_is(pair, capsys):
    given = ["disparity", *pair, "--calib", calibration(), "--max-disparity", "32"]
    assert run(*given) == 0
    assert files() == ["calib.txt", "depth.pfm", "points.ply"]
    depth = read_pfm("depth.pfm")
    wall = 300 * 0.08 / SHIFT  # 2 m
    assert abs(np.median(depth) - wall) < 0.02
    points, colours, comments = read_ply("points.ply")
    assert abs(np.median(points[:, 2]) - wall) < 0.02
    assert len(points) == len(colours) > 20_000
    assert "unit: metre" in comments
    # The point that the middle of the image shows is straight ahead.
    ahead = np.hypot(points[:, 0], points[:, 1]).argmin()
    assert points[ahead] == pytest.approx([0, 0, wall], abs=0.03)
    assert colours[ahead].tolist() == read_image(pair[0])[60, 114].tolist()
    out = capsys.readouterr().out
    assert "wrote depth.pfm and points.ply" in out
    assert run(*given, "--draw-depth", "z.png") == 0
    assert files() == ["calib.txt", "depth.pfm", "points.ply", "z.png"]
    assert re.search(r"depth in metres along .* m \(baseline 0\.08 m, focal length 300 px", out)


def test_options_of_a_calibration_need_one(pair, capsys):
    for option in (["--depth", "d.pfm"], ["--cloud", "c.ply"], ["--draw-depth", "d.png"]):
        assert run("disparity", *pair, *option) == 2
        assert "needs --calib FILE" in capsys.readouterr().err
    calib = calibration()
    assert run("disparity", *pair, "--calib", calib, "--depth", "d.jpg") == 2
    assert run("disparity", *pair, "--calib", calib, "--max-depth", "-1") == 2
    assert run("disparity", *pair, "--calib", "none.txt") == 2
    assert "there is no file 'none.txt'" in capsys.readouterr().err
    calib.write_text("words\n")
    assert run("disparity", *pair, "--calib", calib) == 2
    assert "is not a calibration that corr reads" in capsys.readouterr().err
    assert files() == ["calib.txt"]


def test_truth_is_compared_and_drawn(pair, capsys):
    truth = np.full((120, 228), float(SHIFT), np.float32)
    truth[:, :40] = np.nan
    truth[:, 200:] += 5
    write_disparity("t.pfm", truth)
    drawn = ["--draw-error", "e.png", "--draw-confidence", "c.png"]
    assert run("disparity", *pair, "--truth", "t.pfm", *drawn, "--max-disparity", "32") == 0
    out = capsys.readouterr().out
    found = re.search(r"bad-0.5/1/2/4 (\S+) %, D1 \(above 3 px and 5 %\) (\S+) %", out)
    rates = [float(rate) for rate in found[1].split("/")]
    assert rates[2] == pytest.approx(100 * 28 / 188, abs=0.5)
    assert "of the 82 % of pixels with truth" in out
    assert files() == ["c.png", "e.png", "t.pfm"]
    assert (read_image("e.png")[60, 10] == 0).all(), "unknown truth is black"


def test_truth_of_eight_bits_brings_a_warning(pair, capsys):
    grey = np.full((120, 228), 4 * SHIFT, np.uint8)
    cv2.imwrite("t.png", grey)
    given = ["disparity", *pair, "--max-disparity", "32", "--truth", "t.png"]
    with pytest.warns(UserWarning, match=r"has 8 bits a pixel.* read as whole px"):
        assert run(*given) == 0
    rates = re.search(r"bad-0.5/1/2/4 (\S+) %", capsys.readouterr().out)[1].split("/")
    assert [float(rate) for rate in rates] == [100] * 4  # 48 px are not 12
    with pytest.warns(UserWarning, match=r"steps of 0.25 px up to 63.75 px"):
        assert run(*given, "--truth-scale", "4") == 0
    rates = re.search(r"bad-0.5/1/2/4 (\S+) %", capsys.readouterr().out)[1].split("/")
    assert [float(rate) for rate in rates[1:]] == pytest.approx([0, 0, 0], abs=2)
    assert run(*given, "--truth-scale", "0") == 2
    assert run(*given[:-2], "--truth-scale", "4") == 2
    assert "--truth-scale needs --truth" in capsys.readouterr().err


def test_truth_that_knows_nothing(pair, capsys):
    write_disparity("t.pfm", np.full((120, 228), np.nan, np.float32))
    assert run("disparity", *pair, "--truth", "t.pfm", "-o", "d.pfm") == 2
    assert "knows the disparity of no pixel" in capsys.readouterr().err
    assert not Path("d.pfm").exists()
    write_disparity("t.pfm", np.ones((5, 5), np.float32))
    assert run("disparity", *pair, "--truth", "t.pfm") == 2
    assert "'t.pfm' has 5 x 5 pixels, and the left image 228 x 120" in capsys.readouterr().err


@pytest.fixture
def folders(pair):
    for name in ("a/x", "a/y", "b"):
        for side, path in zip(("left", "right"), pair, strict=True):
            target = Path(side, f"{name}.png")
            target.parent.mkdir(parents=True, exist_ok=True)
            write_image(target, read_image(path)[:60])
    return "left", "right"


def test_folders_keep_tree_and_names_and_go_on(folders, capsys):
    given = ["disparity", *folders, "-o", "out", "--draw", "pictures", "--max-disparity", "32"]
    assert run(*given) == 0
    out = [name for name in files() if name.startswith(("out", "pictures"))]
    assert out == [
        "out/a/x.pfm",
        "out/a/y.pfm",
        "out/b.pfm",
        "out/disparity.json",
        "pictures/a/x.png",
        "pictures/a/y.png",
        "pictures/b.png",
        "pictures/disparity.json",
    ]
    assert abs(np.median(read_disparity("out/b.pfm")) - SHIFT) < 0.5
    assert "3 of 3 pairs measured" in capsys.readouterr().out
    before = Path("out/b.pfm").stat().st_mtime_ns
    Path("out/a/x.pfm").unlink()
    assert run(*given) == 0
    assert "1 of 3 pairs measured, 2 were there already" in capsys.readouterr().out
    assert Path("out/b.pfm").stat().st_mtime_ns == before
    assert Path("out/a/x.pfm").exists()
    assert run(*given[:-1], "48") == 2
    assert "'out' holds results of another max_disparity" in capsys.readouterr().err


def test_one_bad_pair_does_not_stop_the_others(folders, capsys):
    Path("right/b.png").write_text("no image")
    assert run("disparity", *folders, "-o", "out", "--max-disparity", "32") == 1
    out = capsys.readouterr().out
    assert "failed: left/b.png: 'right/b.png' is not an image" in out
    assert "2 of 3 pairs measured, 1 failed" in out
    assert not Path("out/b.pfm").exists()


def test_patterns_name_a_pair_by_their_wildcards(pair):
    for scene in ("teddy", "cones"):
        Path("data", scene).mkdir(parents=True)
        for i, path in enumerate(pair):
            write_image(Path("data", scene, f"im{i}.png"), read_image(path)[:60])
    given = ["disparity", "data/*/im0.png", "data/*/im1.png", "-o", "out"]
    assert run(*given, "--max-disparity", "32") == 0
    assert [name for name in files() if name.endswith("pfm")] == ["out/cones.pfm", "out/teddy.pfm"]


def test_folders_that_do_not_fit(folders, pair, capsys):
    Path("right/b.png").rename("b.png")
    assert run("disparity", *folders, "-o", "out") == 2
    assert "'left/b.png' has no partner in 'right'" in capsys.readouterr().err
    Path("b.png").rename("right/b.png")
    assert run("disparity", "left", pair[1], "-o", "out") == 2
    assert "'left' is a folder, not a file" in capsys.readouterr().err
    assert run("disparity", "left", "nowhere", "-o", "out") == 2
    assert run("disparity", *folders) == 2
    assert "for folders give -o FOLDER" in capsys.readouterr().err
    given = ["disparity", *folders, "-o", "out"]
    assert run(*given, "--truth", "t.pfm") == 2
    assert "there is no file or folder 't.pfm'" in capsys.readouterr().err
    for refused, said in [
        (["--truth", "empty"], "'empty' holds nothing of any pair, such as a/x.pfm or"),
        (["--calib", "empty"], "needs --depth, --cloud or --draw-depth"),
        (["--depth", "z"], "--depth needs --calib FILE"),
        (["--max-depth", "3"], "--max-depth needs --calib FILE"),
        (["--draw-error", "e"], "--draw-error needs --truth"),
        (["--draw", "out"], "one folder is given for two kinds of results"),
    ]:
        Path("empty").mkdir(exist_ok=True)
        assert run(*given, *refused) == 2
        assert said in capsys.readouterr().err
    assert run(*given[:-2], "--draw", "p", "--truth", "left") == 2
    assert "--truth needs -o FOLDER" in capsys.readouterr().err
    assert run("disparity", "empty", "empty", "-o", "out") == 2
    assert "'empty' holds no image" in capsys.readouterr().err
    assert not Path("out").exists()


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


def test_pixels_that_are_no_number(pair):
    nothing = torch.full((3, 20, 30), float("nan"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ImageError, match="holds values from nan to nan"):
            corr.disparity(nothing, nothing)
    one = torch.full((3, 20, 30), 0.5)
    one[1, 3, 4] = float("nan")
    with pytest.raises(ImageError, match="holds values from nan to nan"):
        corr.disparity(torch.full((3, 20, 30), 0.5), one)
