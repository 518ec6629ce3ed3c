"""Folders of identities, and the pairs that LFW's files list."""

from pathlib import Path

import numpy as np
import pytest

from corr.cli import main
from corr.data.identities import (
    draw_verification_pairs,
    read_identities,
    read_lfw_pairs,
    read_lfw_people,
)
from corr.errors import DatasetError
from corr.formats import write_image


@pytest.fixture
def root(tmp_path) -> Path:
    root = tmp_path / "lfw"
    for name, count in (("Mary_Ann", 3), ("Bo", 1), ("Zoe", 2)):
        (root / name).mkdir(parents=True)
        for number in range(1, count + 1):
            write_image(root / name / f"{name}_{number:04d}.jpg", np.zeros((8, 8, 3), np.uint8))
    return root


def write_pairs(root: Path, *lines: str) -> Path:
    path = root.parent / "pairs.txt"
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def test_identities_are_folders_in_order(root):
    (root / "notes.txt").write_text("beside the folders")
    (root / "Nobody").mkdir()
    found = read_identities(root)
    assert found.names == ("Bo", "Mary_Ann", "Zoe")
    assert found.labels == (0, 1, 1, 1, 2, 2)
    assert [path.name for path in found.paths][:2] == ["Bo_0001.jpg", "Mary_Ann_0001.jpg"]
    assert all(path.is_file() for path in found.paths)


def test_folders_without_identities(tmp_path):
    with pytest.raises(DatasetError, match="is not a folder; give one with a folder for each"):
        read_identities(tmp_path / "nothing")
    (tmp_path / "one").mkdir()
    with pytest.raises(DatasetError, match="holds 0 folders with images"):
        read_identities(tmp_path)
    write_image(tmp_path / "one" / "a.png", np.zeros((4, 4, 3), np.uint8))
    with pytest.raises(DatasetError, match="holds 1 folders with images"):
        read_identities(tmp_path)


def test_pairs_of_two_folds(root):
    path = write_pairs(
        root, "2\t1", "Mary_Ann\t1\t3", "Bo\t1\tZoe\t2", "Zoe\t1\t2", "Zoe\t1\tMary_Ann\t2"
    )
    pairs = read_lfw_pairs(path, root)
    assert [pair.same for pair in pairs] == [True, False, True, False]
    assert [pair.fold for pair in pairs] == [0, 0, 1, 1]
    names = [(pair.path0.name, pair.path1.name) for pair in pairs]
    assert names[:2] == [
        ("Mary_Ann_0001.jpg", "Mary_Ann_0003.jpg"),
        ("Bo_0001.jpg", "Zoe_0002.jpg"),
    ]


def test_pairs_without_folds(root):
    pairs = read_lfw_pairs(write_pairs(root, "1", "Zoe 1 2", "Bo 1 Zoe 1"), root)
    assert [(pair.same, pair.fold) for pair in pairs] == [(True, 0), (False, 0)]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "line 1 is not the number of folds"),
        (["one"], "line 1 is not the number of folds"),
        (["0 5"], "line 1 is not the number of folds"),
        (["1 2 3"], "line 1 is not the number of folds"),
        (["1", "Zoe 1 2"], "holds 1 pairs, and its first line says 2"),
        (["1", "Zoe 1 Bo 1", "Bo 1 Zoe 1"], "line 2 is not a name and two numbers"),
        (["1", "Zoe 1 2", "Bo Zoe"], "line 3 is not two names, a number after each"),
        (["1", "Zoe 1 two", "Bo 1 Zoe 1"], "line 2 is not a name and two numbers"),
        (["1", "", "Bo 1 Zoe 1"], "line 2 is not a name and two numbers"),
        (["1", "Zoe 1 3", "Bo 1 Zoe 1"], r"names '.*Zoe_0003.jpg', which is not there"),
    ],
)
def test_wrong_pairs(root, lines, message):
    with pytest.raises(DatasetError, match=message):
        read_lfw_pairs(write_pairs(root, *lines), root)


def test_pairs_that_are_not_there(root):
    with pytest.raises(DatasetError, match="there is no file"):
        read_lfw_pairs(root / "pairs.txt", root)


def test_verify(root, capsys):
    for name in ("lfw", "identities-folder"):
        assert main(["datasets", "verify", name, str(root)]) == 0
        assert capsys.readouterr().out.startswith(f"{name}: 6 files in")
    (root / "Bo" / "Bo_0001.jpg").write_bytes(b"no image")
    assert main(["datasets", "verify", "lfw", str(root)]) == 2
    assert "Bo_0001.jpg' is not an image" in capsys.readouterr().err


def test_verify_checks_lfws_pairs(root, capsys):
    """In the folder of the images, or beside it."""
    path = write_pairs(root, "1", "Zoe 1 2", "Bo 1 Zoe 1")
    assert main(["datasets", "verify", "lfw", str(root)]) == 0
    assert capsys.readouterr().out.startswith("lfw: 6 files in")
    path.write_text("1\nZoe 1 3\nBo 1 Zoe 1\n")
    assert main(["datasets", "verify", "lfw", str(root)]) == 2
    assert "Zoe_0003.jpg', which is not there" in capsys.readouterr().err
    path.unlink()
    (root / "pairsDevTest.txt").write_text("2\nZoe 1 2\n")
    assert main(["datasets", "verify", "lfw", str(root)]) == 2
    assert "holds 1 pairs, and its first line says 4" in capsys.readouterr().err


def test_people(tmp_path):
    path = tmp_path / "people.txt"
    path.write_text("2\nMary_Ann\t3\n\nZoe\t2\n")
    assert read_lfw_people(path) == ("Mary_Ann", "Zoe")
    path.write_text("2\n")
    with pytest.raises(DatasetError, match="holds no name"):
        read_lfw_people(path)


def test_drawn_pairs(root):
    found = read_identities(root)
    pairs = draw_verification_pairs(found, 2, seed=0)
    assert [pair.same for pair in pairs] == [True] * 3 + [False] * 3
    for pair in pairs:
        assert pair.path0 != pair.path1
        assert (pair.path0.parent == pair.path1.parent) == pair.same
    assert draw_verification_pairs(found, 2, seed=0) == pairs
