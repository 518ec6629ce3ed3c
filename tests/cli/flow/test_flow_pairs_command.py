"""`corr flow` of two images, as a user types it."""

import re
from pathlib import Path

import numpy as np
import pytest
from moving_frames import SHIFT, SIZE, moved
from typed import files, run

from corr.formats import read_image, write_flow


def test_one_pair_in_every_form(capsys, frames):
    pictures = ["--draw", "f.png", "--warped", "w.png", "--draw-confidence", "c.png"]
    assert run("flow", "a.png", "b.png", "-o", "f.flo", *pictures, "--max-flow", "10") == 0
    assert files() == ["a.png", "b.png", "c.png", "f.flo", "f.png", "w.png"]
    out = capsys.readouterr().out
    line = r"flow by dis-varref: median 6\.\d\d, largest \S+ px, \d+ % occluded, in \S+ s; wrote "
    assert re.match(line + r"f\.flo and f\.png and w\.png and c\.png", out)
    np.testing.assert_allclose(moved("f.flo"), SHIFT, atol=0.1)
    warped = read_image("w.png")[20:60, 20:90].astype(int)
    assert np.abs(warped - frames[0][20:60, 20:90]).mean() < 4
    assert (read_image("w.png")[40, 117] != frames[1][40, 117]).any(), "occluded is shaded"
    for name in ("f.npy", "g.png"):
        assert run("flow", "a.png", "b.png", "-o", name, "--model", "dis", "--no-both") == 0
        np.testing.assert_allclose(moved(name), SHIFT, atol=0.1)
    assert "occluded" not in capsys.readouterr().out


def test_truth_is_compared_and_drawn(capsys):
    truth = np.tile(np.float32(SHIFT), (*SIZE, 1))
    truth[:, :30] = np.nan
    truth[:, 90:] += (30, 0)
    write_flow("t.flo", truth)
    assert run("flow", "a.png", "b.png", "--truth", "t.flo", "--draw-error", "e.png") == 0
    assert files() == ["a.png", "b.png", "e.png", "t.flo"]
    out = capsys.readouterr().out
    scores = re.search(
        r"of the 75 % .* error (\S+) px .*: (\S+)/(\S+)/(\S+), Fl-all .* (\S+) %", out
    )
    epe, slow, middle, fast, outliers = scores.groups()
    assert float(slow) < 1
    assert float(middle) == pytest.approx(30, abs=2)
    assert fast == "-"
    assert float(epe) == pytest.approx(10, abs=1)
    assert float(outliers) == pytest.approx(100 / 3, abs=2)
    error = read_image("e.png")
    assert (error[40, 10] == 0).all(), "unknown truth is black"
    assert error[40, 50, 2] > error[40, 50, 0], "right is blue"
    assert error[40, 100, 0] > error[40, 100, 2], "wrong is red"


def test_truth_that_does_not_fit(refused):
    write_flow("t.flo", np.full((*SIZE, 2), np.nan, np.float32))
    given = ("flow", "a.png", "b.png", "-o", "f.flo", "--truth")
    assert "'t.flo' knows the flow of no pixel" in refused(*given, "t.flo")
    write_flow("t.flo", np.zeros((3, 4, 2), np.float32))
    sentence = refused(*given, "t.flo")
    assert sentence == "'t.flo' has 4 x 3 pixels, and the first image 120 x 80"
    whole = Path("t.flo").read_bytes()
    Path("t.flo").write_bytes(whole[:-5])
    assert "'t.flo' is damaged: 4 x 3 vectors need 108 bytes, it has 103" in refused(
        *given, "t.flo"
    )
    assert "is damaged" in refused("show", "t.flo")
    Path("t.flo").write_bytes(b"PIEX" + whole[4:])
    assert "does not begin with 202021.25" in refused(*given, "t.flo")
    assert "there is no file 'no.flo'" in refused(*given, "no.flo")
    assert "--draw-error needs --truth" in refused(*given[:5], "--draw-error", "e.png")


def test_options_that_are_refused(refused):
    pair = ("flow", "a.png", "b.png")
    assert "'d.png' is given for two results" in refused(
        *pair, "--draw", "d.png", "--warped", "d.png"
    )
    assert "--max-flow is 0.0" in refused(*pair, "--max-flow", "0")
    assert "--bad-px is -1.0" in refused(*pair, "--bad-px", "-1")
    assert "needs the way back" in refused(*pair, "--no-both", "--draw-confidence", "c.png")
    assert "--format is for folders" in refused(*pair, "--format", "npy")
    assert "'a.png' is one image; give the second one" in refused("flow", "a.png", "-o", "out")
    assert "invalid choice: 'some'" in refused(*pair, "--refine", "some")
    assert "there is no file 'nothing'" in refused("flow", "nothing", "-o", "out")
    assert "'a.png' is one of the images" in refused(*pair, "--warped", "a.png")
