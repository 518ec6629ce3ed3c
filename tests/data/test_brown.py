"""Brown's patches: sheets in the published layout, made here, and what is wrong with others."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from published import brown_set

from corr.cli import main
from corr.data.brown import read_brown, read_brown_pairs
from corr.errors import DatasetError, OptionError

NUM = 300
"""Patches: one whole sheet and a part of the second."""


@pytest.fixture
def patches() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (NUM, 64, 64), dtype=np.uint8)


@pytest.fixture
def folder(tmp_path, patches) -> Path:
    """Sheets written patch by patch, as the authors describe them."""
    folder = tmp_path / "phototour" / "liberty"
    brown_set(folder, patches, np.arange(NUM) // 3)
    (folder / "m50_4_4_0.txt").write_text("0 0 1 2 0 3 0\n0 0 1 3 1 2 0\n299 99 4 298 99 1 0\n")
    return folder


def test_patches_and_their_points(folder, patches):
    found = read_brown(folder, side=64)
    np.testing.assert_array_equal(found.patches, patches)
    np.testing.assert_array_equal(found.point_ids, np.arange(NUM) // 3)


def test_reduced_patches_are_means_of_their_own_pixels(folder, patches):
    found = read_brown(folder).patches
    means = patches.reshape(NUM, 32, 2, 32, 2).mean((2, 4))
    assert np.abs(found - means).max() <= 0.5
    with pytest.raises(OptionError, match="side is 30; use a divisor of 64"):
        read_brown(folder, side=30)


def test_pairs(folder):
    pairs = read_brown_pairs(folder / "m50_4_4_0.txt", read_brown(folder).point_ids)
    assert pairs.first.tolist() == [0, 0, 299]
    assert pairs.second.tolist() == [2, 3, 298]
    assert pairs.matching.tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0 0 1 300 0 3 0", r"line 2 names patch 300, and the set has 300"),
        ("0 0 1 -1 0 3 0", r"line 2 names patch -1, and the set has 300"),
        ("0 5 1 2 0 3 0", r"line 2 gives a patch another point than info.txt"),
        ("0 0 1 2 0 3", r"line 2 is not 7 whole numbers"),
        ("0 0 1 2 0 3 --1", r"line 2 is not 7 whole numbers"),
        ("0 0 1 2 0 3 99999999999999999999", r"line 2 is not 7 whole numbers"),
        ("0 0 1 2 0 3 x", r"line 2 is not 7 whole numbers"),
    ],
)
def test_wrong_pairs(folder, line, message):
    path = folder / "m50_4_4_0.txt"
    path.write_text(f"0 0 1 2 0 3 0\n{line}\n")
    with pytest.raises(DatasetError, match=message):
        read_brown_pairs(path, np.arange(NUM) // 3)


def test_what_is_missing_or_damaged_is_named(folder, tmp_path):
    with pytest.raises(DatasetError, match=r"'.*nothing' is not a folder; give the root of brown"):
        read_brown(tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match=r"is an empty folder; expected files such as patches"):
        read_brown(tmp_path / "empty")
    info = folder / "info.txt"
    whole = info.read_text()
    for text, message in [
        (whole + 300 * "0 0\n", "names 600 patches, and there are 2 sheets of 256"),
        ("0 0\n", "names 1 patches, and there are 2 sheets"),
        ("0 0\n0\n", r"info.txt': line 2 is not 2 whole numbers"),
        ("", r"info.txt' is empty"),
        ("\xff\xfe", "cannot be read as text"),
    ]:
        info.write_text(text, encoding="latin-1")
        with pytest.raises(DatasetError, match=message):
            read_brown(folder)
    info.unlink()
    with pytest.raises(DatasetError, match=r"there is no file '.*info.txt'"):
        read_brown(folder)
    info.write_text(whole)
    first, second = folder / "patches0000.bmp", folder / "patches0001.bmp"
    content = second.read_bytes()
    second.write_bytes(content[:5000])
    with pytest.raises(DatasetError, match=r"a sheet of patches cannot be used: .*patches0001"):
        read_brown(folder)
    cv2.imwrite(str(second), np.zeros((512, 1024), np.uint8))
    with pytest.raises(DatasetError, match=r"has 1024 x 512 pixels instead of 1024 x 1024"):
        read_brown(folder)
    second.write_bytes(content)
    first.unlink()
    with pytest.raises(DatasetError, match=r"lacks 'patches0000.bmp', so the set is not whole"):
        read_brown(folder)


def test_verify_says_what_is_missing_or_corrupt(folder, capsys):
    root = folder.parent
    assert main(["datasets", "verify", "brown", str(root)]) == 0
    assert capsys.readouterr().out == f"brown: 4 files in '{root}' are as the card says\n"
    for name, line in (("info.txt", "7 0 x\n"), ("m50_4_4_0.txt", "0 5 1 2 0 3 0\n")):
        text = (folder / name).read_text()
        (folder / name).write_text(text + line)
        assert main(["datasets", "verify", "brown", str(root)]) == 2
        assert f"{name}': line " in capsys.readouterr().err
        (folder / name).write_text(text)
    whole = (folder / "patches0001.bmp").read_bytes()
    (folder / "patches0001.bmp").write_bytes(whole[:5000])
    assert main(["datasets", "verify", "brown", str(root)]) == 2
    assert "patches0001.bmp' is damaged" in capsys.readouterr().err
    (folder / "patches0001.bmp").write_bytes(whole)
    (folder / "info.txt").unlink()
    assert main(["datasets", "verify", "brown", str(root)]) == 2
    assert "has no file 'info.txt'" in capsys.readouterr().err
