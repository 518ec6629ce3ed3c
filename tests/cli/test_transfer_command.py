"""`corr transfer` as a user types it, and bad input to it."""

import re
from pathlib import Path

import numpy as np
import pytest
import skimage.data

from corr.cli import main
from corr.errors import FormatError
from corr.formats import read_image, read_points, read_transferred, write_image, write_transferred


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    photo = skimage.data.chelsea()
    write_image("a.png", photo[40:220, 60:300])
    write_image("b.png", photo[48:228, 70:310])
    return tmp_path


def test_points_go_in_and_out(capsys):
    Path("p.csv").write_text("x,y\n100,90\n150.5,120\n")
    arguments = ["a.png", "b.png", "--points", "p.csv", "--model", "dense-sift-nn"]
    arguments += ["--readout", "nearest"]
    assert main(["transfer", *arguments, "-o", "o.csv", "--draw", "t.png"]) == 0
    said = capsys.readouterr().out
    assert re.fullmatch(r"2 points by dense-sift-nn in \d+\.\d\d s; wrote o.csv and t.png\n", said)
    first, *rows = Path("o.csv").read_text().splitlines()
    assert first == "x0,y0,x1,y1"
    assert [row.split(",")[:2] for row in rows] == [["100", "90"], ["150.5", "120"]]
    assert np.abs(read_transferred("o.csv") - [[90, 82], [140.5, 112]]).max() < 2.0
    drawn = read_image("t.png")
    assert drawn.shape[1] >= 3 * 240  # both images and the warped one
    np.save("p.npy", np.array([[100, 90], [150.5, 120]]))
    arguments[3] = "p.npy"
    assert main(["transfer", *arguments, "-o", "o.npy"]) == 0
    assert np.allclose(np.load("o.npy"), read_transferred("o.csv"), atol=1e-4)


def test_image_1_is_shown_at_the_places_of_image_0():
    """Of two views of one scene the picture on the right resembles image 0, and not image 1."""
    by = ["--model", "dense-sift-nn", "--readout", "nearest"]
    assert main(["transfer", "a.png", "b.png", "--grid", "3", *by]) == 0
    drawn = read_image("transfer-drawn.png").astype(float)
    warped = drawn[40:140, 2 * 246 + 50 : 2 * 246 + 190]
    first, second = (read_image(name)[40:140, 50:190].astype(float) for name in ("a.png", "b.png"))
    assert np.abs(warped - first).mean() < 0.5 * np.abs(warped - second).mean()


def test_a_grid_is_in_the_middle_of_its_cells():
    assert (
        main(["transfer", "a.png", "b.png", "--grid", "4", "--model", "identity", "-o", "g.csv"])
        == 0
    )
    rows = np.loadtxt("g.csv", delimiter=",", skiprows=1)
    assert rows.shape == (12, 4)
    assert rows[0].tolist() == [29.5, 29.5, 29.5, 29.5]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1,2,3\n", "has 3 numbers in row 1; use 2 numbers with commas between: x,y"),
        ("1,2\n3\n", "has 1 numbers in row 2"),
        ("one,two\n", "is not a .csv of points"),
        ("nan,2\n", "holds a point that is not finite"),
        ("1000,2\n", "point 0 at (1000, 2) lies outside image 0, which has 240 x 180 pixels"),
    ],
)
def test_wrong_points_are_refused(content, message, capsys, folder):
    Path("p.csv").write_text(content)
    assert main(["transfer", "a.png", "b.png", "--points", "p.csv", "-o", "o.csv"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert message in err
    assert err.count("\n") == 1
    assert sorted(path.name for path in folder.iterdir()) == ["a.png", "b.png", "p.csv"]


def test_wrong_arguments_are_refused(capsys):
    np.save("p.npy", np.zeros((4, 3)))
    for options, message in (
        (["--points", "p.npy"], "holds (4, 3) numbers; points are (N, 2)"),
        (["--points", "none.csv"], "there is no file 'none.csv'"),
        (["--points", "p.txt"], "suffix '.txt' is not accepted"),
        (["--points", "p.npy", "--grid", "3"], "--points and --grid are both given"),
        (["--grid", "0"], "--grid is 0; use 1 or more"),
        (["--model", "orb"], "not transfer; use one of dense-sift-nn, dense-sift, identity"),
        (["--size", "2"], "size is 2; use 16 or more"),
        (["-o", "o.flo"], "suffix '.flo' is not accepted"),
    ):
        assert main(["transfer", "a.png", "b.png", *options]) == 2
        err = capsys.readouterr().err
        assert message in err
        assert err.count("\n") == 1


def test_files_of_points(tmp_path):
    points = np.array([[1.5, 2], [3, 4]])
    for name in ("t.csv", "t.npy"):
        write_transferred(name, points, points + 1)
        assert np.array_equal(read_transferred(name), points + 1)
    Path("empty.csv").write_text("x,y\n")
    assert read_points("empty.csv").shape == (0, 2)
    with pytest.raises(FormatError, match="has 4 numbers in row 1"):
        read_points("t.csv" if Path("t.csv").write_text("1,2,3,4\n") else "")
