"""`corr disparity` of one pair: filling, candidates, a calibration, a true disparity."""

import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from typed import files, run
from wall import SHIFT, calibration

from corr.formats import read_disparity, read_image, read_pfm, write_disparity
from corr.formats.ply import read_ply


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


def test_disparity_and_what_fill_does(pair, capsys):
    assert run("disparity", *pair, "-o", "d.pfm", "--max-disparity", "32") == 0
    assert run("disparity", *pair, "-o", "holes.npy", "--max-disparity", "32", "--no-fill") == 0
    filled, holes = read_disparity("d.pfm"), read_disparity("holes.npy")
    assert np.isfinite(filled).all()
    assert np.isnan(holes).any()
    assert abs(np.nanmedian(holes) - SHIFT) < 0.5
    assert re.search(
        r"disparity by stereo: .* px, \d+ % matched, in .* wrote d\.pfm", capsys.readouterr().out
    )


def test_disparity_by_faiss_candidates(pair, capsys):
    pytest.importorskip("faiss")
    options = ("--max-disparity", "32", "--search", "faiss")
    assert run("disparity", *pair, "-o", "d.npy", *options, "--candidates", "12") == 0
    assert abs(np.median(read_disparity("d.npy")) - SHIFT) < 0.5
    capsys.readouterr()
    assert run("disparity", *pair, "-o", "e.npy", *options, "--model", "bm") == 2
    assert "model 'bm' does its own search" in capsys.readouterr().err
    assert not Path("e.npy").exists()


def test_disparity_as_kitti_png(pair):
    assert run("disparity", *pair, "-o", "d.png", "--max-disparity", "32", "--model", "sgbm") == 0
    assert abs(np.median(read_disparity("d.png")) - SHIFT) < 0.5
