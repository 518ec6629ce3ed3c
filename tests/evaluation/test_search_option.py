"""Who finds nearest neighbours is an option of `corr evaluate`, and part of the protocol."""

import json

import numpy as np
import pytest
import skimage.data

from corr.cli import main
from corr.formats import write_image


@pytest.fixture
def root(tmp_path):
    """A sequence in HPatches' layout: a photograph, and the same moved by whole pixels."""
    folder = tmp_path / "data" / "v_moved"
    folder.mkdir(parents=True)
    photo = skimage.data.astronaut()[100:300, 100:350]
    write_image(folder / "1.png", photo)
    for k in range(2, 7):
        write_image(folder / f"{k}.png", np.roll(photo, (5 * k, -9 * k), axis=(0, 1)))
        np.savetxt(folder / f"H_1_{k}", np.array([[1.0, 0, -9 * k], [0, 1, 5 * k], [0, 0, 1]]))
    return folder.parent


def test_each_finds_the_same_under_a_protocol_of_its_own(root, tmp_path):
    pytest.importorskip("faiss")
    found = {}
    for search in ("auto", "exact", "faiss"):
        out = tmp_path / search
        given = ["evaluate", "homographies", "--root", root, "--models", "rootsift"]
        given += ["--search", search, "--out", out, "--cache", tmp_path / "cache"]
        assert main([str(value) for value in given]) == 0
        found[search] = json.loads((out / "homographies.json").read_text())
        assert found[search]["protocol"]["search"] == search
    hashes = {report["protocol_hash"] for report in found.values()}
    assert len(hashes) == 3
    scores = {search: report["rows"][0]["scores"] for search, report in found.items()}
    assert scores["auto"] == scores["exact"]
    assert scores["auto"]["num_correct"] > 50
    # The last bit of a score may order the matches otherwise, which an estimator notices.
    for figure in ("num_matches", "num_correct", *(f"mma_{t}" for t in range(1, 11))):
        assert scores["faiss"][figure] == scores["exact"][figure]


def test_an_unknown_one_is_refused(root, capsys):
    given = ["evaluate", "homographies", "--root", str(root), "--search", "annoy"]
    assert main(given) == 2
    assert "annoy" in capsys.readouterr().err
