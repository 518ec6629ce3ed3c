"""`corr flow` and `corr show`, as a user types them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import skimage.data

from corr.classical.flow import METHODS
from corr.cli import main
from corr.formats import read_flow, read_image, write_disparity, write_flow, write_image
from corr.models import FlowNetC

SHIFT = (6, -2)
SIZE = (80, 120)


@pytest.fixture(scope="module")
def frames():
    """Four frames of a photograph that moves by `SHIFT` each."""
    photo = skimage.data.chelsea()
    places = [(100 - i * SHIFT[1], 150 - i * SHIFT[0]) for i in range(4)]
    return [np.ascontiguousarray(photo[y : y + SIZE[0], x : x + SIZE[1]]) for y, x in places]


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch, frames):
    monkeypatch.chdir(tmp_path)
    write_image("a.png", frames[0])
    write_image("b.png", frames[1])


def run(*arguments) -> int:
    return main([str(argument) for argument in arguments])


@pytest.fixture
def refused(capsys):
    """The sentence with which a command is refused; nothing is written."""

    def refusal(*arguments) -> str:
        before = files()
        assert run(*arguments) == 2
        assert files() == before
        captured = capsys.readouterr()
        assert captured.err.startswith("corr: error: ")
        assert captured.err.count("\n") == 1
        return captured.err.removeprefix("corr: error: ").strip()

    return refusal


def files() -> list[str]:
    return sorted(path.as_posix() for path in Path().rglob("*") if path.is_file())


def moved(name) -> np.ndarray:
    return np.median(read_flow(name).reshape(-1, 2), axis=0)


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


@pytest.fixture
def folder(frames):
    for name, frame in zip(("x/f9", "x/f10", "x/f11", "y/deep/p"), frames, strict=True):
        path = Path("in", f"{name}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(path, frame)
    write_image("in/y/deep/q.jpg", frames[2])
    return "in"


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


def make_video(name, codec, frames):
    writer = cv2.VideoWriter(name, cv2.VideoWriter.fourcc(*codec), 10, SIZE[::-1])
    assert writer.isOpened()
    for frame in frames:
        writer.write(frame[..., ::-1])
    writer.release()


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


def test_a_video_as_mp4(frames, capsys):
    make_video("v.mp4", "mp4v", frames)
    assert run("flow", "v.mp4", "--warped", "out", "--model", "dis") == 0
    assert "3 of 3 pairs measured" in capsys.readouterr().out
    assert [name for name in files() if name.endswith("2.png")] == ["out/frame_000002.png"]


def test_a_video_that_was_cut(frames, capsys, refused):
    make_video("v.avi", "MJPG", frames)
    whole = Path("v.avi").read_bytes()
    Path("cut.avi").write_bytes(whole[: round(0.7 * len(whole))])
    assert run("flow", "cut.avi", "-o", "out", "--model", "dis") == 0
    out = capsys.readouterr().out
    assert re.search(r"'cut\.avi' says that it has 4 frames; [23] could be decoded", out)
    make_video("one.avi", "MJPG", frames[:1])
    sentence = "'one.avi' has one frame that can be decoded, and flow needs two"
    assert refused("flow", "one.avi", "-o", "one") == sentence
    assert not Path("one").exists()


def test_a_video(frames, capsys):
    make_video("v.avi", "MJPG", frames)
    given = ["flow", "v.avi", "-o", "out", "--model", "dis"]
    assert run(*given) == 0
    assert "3 of 3 pairs measured" in capsys.readouterr().out
    for i in range(3):
        np.testing.assert_allclose(moved(f"out/frame_{i:06d}.flo"), SHIFT, atol=0.2)
    Path("out/frame_000001.flo").unlink()
    assert run(*given) == 0
    assert "1 of 3 pairs measured, 2 were there already" in capsys.readouterr().out
    Path("w.avi").write_bytes(Path("v.avi").read_bytes())
    assert run("flow", "w.avi", *given[2:]) == 2
    assert "'out' holds results of another of" in capsys.readouterr().err


@pytest.mark.parametrize("content", [b"", b"no video at all\n" * 100, b"RIFF\0\0\1\0AVI LIST"])
def test_a_video_that_cannot_be_decoded(refused, content):
    Path("v.mp4").write_bytes(content)
    assert refused("flow", "v.mp4", "-o", "out") == "'v.mp4' is not a video that can be decoded"
    assert not Path("out").exists()


def test_codecs_print_nothing_beside_the_sentence():
    """As a shell sees it: FFmpeg writes past Python to the process's own stream."""
    Path("v.mp4").write_text("no video at all\n" * 100)
    code = "from corr.cli import main; raise SystemExit(main(['flow', 'v.mp4', '-o', 'out']))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 2
    assert done.stderr == "corr: error: 'v.mp4' is not a video that can be decoded\n"


def test_show_says_what_a_file_holds(capsys):
    flow = np.zeros((30, 40, 2), np.float32)
    flow[..., 0], flow[0, 0] = 3, (-9, 12)
    flow[:15, :20] = np.nan
    write_flow("f.flo", flow)
    assert run("show", "f.flo") == 0
    out = capsys.readouterr().out
    assert out == (
        "f.flo: flow, 40 x 30 px, 75.0 % known, x 3.00 to 3.00, y 0.00 to 0.00 px, length up to "
        "3.00, median 3.00; wrote f-drawn.png\n"
    )
    assert read_image("f-drawn.png").shape[0] > 30
    disparity = np.linspace(1, 9, 1200, dtype=np.float32).reshape(30, 40)
    for name in ("d.pfm", "d.npy", "d16.png"):
        write_disparity(name, disparity)
        assert run("show", name, "-o", "d.jpg", "--max-value", "20") == 0
        assert (
            f"{name}: disparity, 40 x 30 px, 100.0 % known, 1.00 to 9.00" in capsys.readouterr().out
        )
    for name in ("k.png", "k.npy"):
        write_flow(name, flow)
        assert run("show", name) == 0
        assert f"{name}: flow, 40 x 30 px, 75.0 % known" in capsys.readouterr().out
    write_flow("n.flo", np.full((3, 4, 2), np.nan, np.float32))
    assert run("show", "n.flo") == 0
    assert "n.flo: flow, 4 x 3 px, 0.0 % known; wrote" in capsys.readouterr().out


def test_show_draws_sceneflows_flow(capsys):
    rows = np.zeros((3, 4, 3), np.float32)
    rows[..., 0] = 5
    Path("c.pfm").write_bytes(b"PF\n4 3\n-1.0\n" + rows.tobytes())
    assert run("show", "c.pfm") == 0
    assert "c.pfm: flow, 4 x 3 px, 100.0 % known, x 5.00 to 5.00" in capsys.readouterr().out


def test_show_refuses_what_is_broken(refused):
    write_flow("f.flo", np.zeros((3, 4, 2), np.float32))
    write_flow("k.png", np.zeros((3, 4, 2), np.float32))
    write_disparity("d.pfm", np.ones((3, 4), np.float32))
    for name in ("f.flo", "k.png", "d.pfm"):
        whole = Path(name).read_bytes()
        for content in (b"", whole[:10], whole[:-5]):
            Path(name).write_bytes(content)
            assert f"'{name}' is " in refused("show", name)
        Path(name).unlink()
        assert f"there is no file '{name}'" in refused("show", name)
    Path("f.flo").mkdir()
    assert "'f.flo' is a folder, not a file" in refused("show", "f.flo")


def test_show_refuses_what_is_neither(refused):
    write_image("a.jpg", read_image("a.png"))
    assert "is not accepted here; use .flo, .npy, .png or .pfm" in refused("show", "a.jpg")
    assert "has 8 bits and 3 channels" in refused("show", "a.png", "-o", "p.png")
    np.save("four.npy", np.zeros((2, 3, 4)))
    assert "'four.npy' holds (2, 3, 4) values; flow is (H, W, 2)" in refused("show", "four.npy")
    write_flow("f.flo", np.zeros((3, 4, 2), np.float32))
    assert "--max-value is -1.0" in refused("show", "f.flo", "--max-value", "-1")
    assert "'f.flo' cannot be written" not in refused("show", "f.flo", "-o", "p.gif")
    write_flow("x-drawn.png", np.zeros((3, 4, 2), np.float32))
    assert "is one of the images" in refused("show", "x-drawn.png", "-o", "x-drawn.png")
