"""`corr flow` of folders of frames."""

import json
from pathlib import Path

import numpy as np
from moving_frames import SHIFT, make_video, moved
from typed import files, run

from corr.classical.flow import METHODS
from corr.formats import read_image, write_image
from corr.models import FlowNetC


def test_a_folder_frame_by_frame_goes_on_where_it_stopped(folder, capsys):
    given = ["flow", folder, "-o", "out", "--draw", "drawn", "--warped", "back", "--model", "dis"]
    assert run(*given) == 0
    assert "3 of 3 pairs measured; in 'out' and 'drawn' and 'back'" in capsys.readouterr().out
    made = [name for name in files() if name.startswith(("out", "drawn", "back"))]
    names = ("x/f10", "x/f9", "y/deep/p")
    assert [name for name in made if "json" not in name] == [
        f"{place}/{name}.{suffix}"
        for place, suffix in (("back", "png"), ("drawn", "png"), ("out", "flo"))
        for name in names
    ]
    np.testing.assert_allclose(moved("out/x/f9.flo"), SHIFT, atol=0.1)
    np.testing.assert_allclose(moved("out/x/f10.flo"), SHIFT, atol=0.1)
    np.testing.assert_allclose(moved("out/y/deep/p.flo"), np.negative(SHIFT), atol=0.1)
    before = {name: Path(name).stat().st_mtime_ns for name in made}
    whole = Path("out/x/f10.flo").read_bytes()
    Path("out/x/f10.flo").unlink()
    assert run(*given) == 0
    assert "1 of 3 pairs measured, 2 were there already" in capsys.readouterr().out
    assert Path("out/x/f10.flo").read_bytes() == whole
    assert [name for name in made if Path(name).stat().st_mtime_ns != before[name]] == [
        "out/x/f10.flo"
    ]
    assert run(*given, "--no-both") == 2
    assert "'out' holds results of another both" in capsys.readouterr().err
    assert json.loads(Path("out/flow.json").read_text())["model"] == "dis"


def test_one_bad_frame_does_not_stop_the_others(folder, capsys):
    Path("in/x/f11.png").write_text("no image")
    assert run("flow", folder, "-o", "out", "--format", "png", "--model", "dis") == 1
    out = capsys.readouterr().out
    assert "failed: x/f10: 'in/x/f11.png' is not an image" in out
    assert "2 of 3 pairs measured, 1 failed" in out
    assert not Path("out/x/f10.png").exists()
    np.testing.assert_allclose(moved("out/x/f9.png"), SHIFT, atol=0.1)


def test_two_folders(frames, capsys):
    for place, frame in zip(("first", "second"), frames[:2], strict=True):
        Path(place, "s").mkdir(parents=True)
        write_image(Path(place, "s", "1.png"), frame)
    assert run("flow", "first", "second", "-o", "out", "--format", "npy", "--model", "dis") == 0
    np.testing.assert_allclose(moved("out/s/1.npy"), SHIFT, atol=0.1)
    assert run("flow", "first", "b.png", "-o", "out") == 2
    assert "'first' is a folder, not a file" in capsys.readouterr().err


def test_folders_that_are_refused(refused, folder):
    assert "give -o, --draw or --warped a FOLDER" in refused("flow", folder)
    assert "'a.png' is one image; give the second one, too" in refused("flow", "a.png")
    assert "name one folder" in refused("flow", folder, "-o", "out", "--draw", "out")
    assert "--bad-px takes one pair of images" in refused(
        "flow", folder, "-o", "out", "--bad-px", 2
    )
    assert "--truth takes one pair of images" in refused(
        "flow", folder, "-o", "o", "--truth", "t.flo"
    )
    Path("empty").mkdir()
    assert "'empty' holds no image" in refused("flow", "empty", "-o", "out")
    write_image("empty/one.png", read_image("a.png"))
    assert "holds no folder with two images" in refused("flow", "empty", "-o", "out")
    assert "is a pattern; give the one of the second" in refused("flow", "in/*/f9.png", "-o", "out")


def test_frames_of_different_sizes(folder, frames, capsys):
    write_image("in/x/f11.png", frames[2][:-1])
    assert run("flow", folder, "-o", "out", "--model", "dis") == 1
    out = capsys.readouterr().out
    assert "failed: x/f10: image 0 is 120 x 80 and image 1 120 x 79 pixels; flow needs one" in out
    assert "2 of 3 pairs measured, 1 failed" in out


def test_a_run_that_was_stopped_goes_on(folder, frames, capsys, monkeypatch):
    given = ["flow", folder, "--model", "dis", "-o"]
    assert run(*given, "whole") == 0
    method, calls = METHODS["dis"], []

    def stopped(*views):
        calls.append(views)
        if len(calls) == 3:  # of the second pair
            raise KeyboardInterrupt
        return method(*views)

    with monkeypatch.context() as patch:
        patch.setitem(METHODS, "dis", stopped)
        assert run(*given, "out") == 130
    assert "what is done is kept: the same command goes on" in capsys.readouterr().err
    assert files().count("out/x/f9.flo") == 1
    assert not Path("out/x/f10.flo").exists()
    assert run(*given, "out") == 0
    assert "2 of 3 pairs measured, 1 were there already" in capsys.readouterr().out
    for name in ("x/f9", "x/f10", "y/deep/p"):
        assert Path(f"out/{name}.flo").read_bytes() == Path(f"whole/{name}.flo").read_bytes()


def test_quoted_patterns(folder):
    assert run("flow", "in/*/f9.png", "in/*/f10.png", "-o", "out", "--model", "dis") == 0
    np.testing.assert_allclose(moved("out/x.flo"), SHIFT, atol=0.1)


def test_frames_are_looked_at_once(folder, frames, capsys, monkeypatch):
    looks = []
    features = FlowNetC.features
    monkeypatch.setattr(
        FlowNetC, "features", lambda network, images: looks.append(0) or features(network, images)
    )
    make_video("v.avi", "MJPG", frames)
    assert run("flow", "v.avi", "-o", "out", "--model", "flownetc") == 0
    assert len(looks) == 4
    looks.clear()
    assert run("flow", folder, "-o", "of-folder", "--model", "flownetc") == 0
    assert "3 of 3 pairs" in capsys.readouterr().out
    assert len(looks) == 5, "3 frames of one folder, 2 of another"
