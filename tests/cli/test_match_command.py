"""`corr match`, and what every command on two images does."""

import re

import numpy as np
import pytest
from typed import files, run
from wall import SHIFT

from corr.formats import read_flow, read_image, read_matches


def test_match_writes_what_is_asked(pair, capsys):
    assert run("match", *pair, "-o", "m.npz", "--draw", "m.png", "--max-keypoints", "300") == 0
    out = capsys.readouterr().out
    found = read_matches("m.npz")
    assert files() == ["m.npz", "m.png"]
    line = r"\d+ matches by rootsift, median score [01]\.\d{3}, in \d+\.\d\d s; (.*)\n"
    assert re.fullmatch(line, out)[1] == "wrote m.npz and m.png"
    assert out.startswith(f"{len(found['scores'])} matches")
    moved = found["keypoints0"] - found["keypoints1"]
    assert len(moved) > 50
    assert (np.abs(moved - [SHIFT, 0]).max(1) < 1).mean() > 0.95
    assert found["image_size0"].tolist() == [120, 240 - SHIFT]


@pytest.mark.parametrize(
    ("command", "picture"),
    [
        ("match", "matches-drawn.png"),
        ("disparity", "disparity-drawn.png"),
        ("flow", "flow-drawn.png"),
    ],
)
def test_every_command_draws_when_nothing_else_is_asked(pair, capsys, command, picture):
    assert run(command, *pair) == 0
    assert files() == [picture]
    assert f"wrote {picture}" in capsys.readouterr().out
    assert read_image(picture).shape[0] > 120


def test_match_verifies_and_takes_its_options(pair, capsys):
    options = ["--verify", "homography", "--model", "sift", "--ratio", "0.7", "--search", "exact"]
    assert run("match", *pair, "-o", "m.h5", *options, "--device", "cpu") == 0
    homography = read_matches("m.h5")["model"]
    np.testing.assert_allclose(
        homography / homography[2, 2], [[1, 0, -SHIFT], [0, 1, 0], [0, 0, 1]], atol=0.5
    )
    assert "by sift" in capsys.readouterr().out


def test_match_takes_pairs_that_are_not_mutual(pair):
    counts = []
    strict = ["--ratio", "0.2"]
    for options in (
        strict,
        [*strict, "--inconsistent-px", "1000"],
        ["--ratio", "1"],
        ["--ratio", "1", "--no-mutual", "--one-to-one"],
        ["--ratio", "1", "--no-mutual"],
    ):
        assert run("match", *pair, "-o", "m.npz", "--max-keypoints", "300", *options) == 0
        counts.append(len(read_matches("m.npz")["keypoints0"]))
    assert counts[0] < counts[1]
    assert counts[2] <= counts[3] < counts[4]


def test_flow(pair):
    assert run("flow", *pair, "-o", "f.flo", "--draw", "f.jpg") == 0
    flow = read_flow("f.flo")
    np.testing.assert_allclose(np.median(flow.reshape(-1, 2), axis=0), [-SHIFT, 0], atol=0.3)
    assert files() == ["f.flo", "f.jpg"]
