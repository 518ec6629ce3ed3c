"""`corr disparity` of folders and patterns: many pairs, one after the other."""

from pathlib import Path

import numpy as np
import pytest
from typed import files, run
from wall import SHIFT

from corr.formats import read_disparity, read_image, write_image


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
