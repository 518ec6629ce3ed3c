"""`corr extract`: of one image and of several."""

from pathlib import Path

import h5py
import numpy as np
from typed import files, run

from corr.formats import read_features


def test_extract_several_images_into_groups(pair, capsys):
    assert run("extract", *pair, "-o", "f.h5", "--max-keypoints", "50") == 0
    with h5py.File("f.h5") as file:
        assert sorted(file) == ["left.png", "right.png"]
    assert read_features("f.h5", "left.png")["keypoints"].shape == (50, 2)
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 3
    assert out[0].startswith(f"{pair[0]}: 50 keypoints by rootsift in ")
    assert out[2] == "wrote f.h5"


def test_extract_one_image_as_npz_with_picture(pair):
    assert run("extract", pair[0], "-o", "f.npz", "--draw", "f.png", "--model", "orb") == 0
    assert read_features("f.npz")["descriptors"].dtype == np.uint8
    assert files() == ["f.npz", "f.png"]


def test_extract_draws_each_image(pair):
    assert run("extract", *pair) == 0
    assert files() == ["left-keypoints.png", "right-keypoints.png"]


def test_extract_tells_images_of_one_name_apart(pair):
    for folder in ("a", "b"):
        Path(folder).mkdir()
        Path(folder, "x.png").write_bytes(pair[0].read_bytes())
    assert run("extract", "a/x.png", "b/../b/x.png", "-o", "f.h5") == 0
    with h5py.File("f.h5") as file:
        assert sorted(file) == ["a", "b"]
        assert "keypoints" in file["a/x.png"]
    assert run("extract", "a/x.png", "b/x.png") == 0
    assert files() == ["a-x-keypoints.png", "a/x.png", "b-x-keypoints.png", "b/x.png", "f.h5"]
