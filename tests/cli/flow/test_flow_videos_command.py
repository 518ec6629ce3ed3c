"""`corr flow` of videos."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from moving_frames import SHIFT, make_video, moved
from typed import files, run


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
