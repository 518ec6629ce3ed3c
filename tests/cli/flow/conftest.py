"""Frames of a photograph that moves, and how a command is refused."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data
from moving_frames import SHIFT, SIZE
from typed import files, run

from corr.formats import write_image


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


@pytest.fixture
def folder(frames):
    for name, frame in zip(("x/f9", "x/f10", "x/f11", "y/deep/p"), frames, strict=True):
        path = Path("in", f"{name}.png")
        path.parent.mkdir(parents=True, exist_ok=True)
        write_image(path, frame)
    write_image("in/y/deep/q.jpg", frames[2])
    return "in"
