"""A file appears whole or not at all."""

import os

import pytest

from corr.errors import FormatError
from corr.formats.atomic import check_writable, replacing
from corr.formats.suffixes import check_output


def test_file_appears_when_the_block_ends(tmp_path):
    target = tmp_path / "a.txt"
    with replacing(target) as temporary:
        temporary.write_text("new")
        assert temporary.suffix == ".txt"
        assert temporary.parent == tmp_path
        assert not target.exists()
    assert target.read_text() == "new"
    assert names(tmp_path) == ["a.txt"]


def names(folder):
    return [entry.name for entry in folder.iterdir()]


@pytest.mark.parametrize("failure", [ValueError("mine"), KeyboardInterrupt()])
def test_failure_leaves_the_older_file(tmp_path, failure):
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(type(failure)), replacing(target) as temporary:
        temporary.write_text("half")
        raise failure
    assert target.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_disk_errors_are_one_sentence(tmp_path):
    message = r"'.*a\.txt' cannot be written: No space"
    with pytest.raises(FormatError, match=message), replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise OSError(28, "No space left on device")
    assert names(tmp_path) == []


def test_permissions_follow_the_umask(tmp_path):
    plain = tmp_path / "plain"
    plain.write_text("")
    with replacing(tmp_path / "ours") as temporary:
        temporary.write_text("")
    assert (tmp_path / "ours").stat().st_mode == plain.stat().st_mode


def test_symbolic_link_stays_one(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with replacing(tmp_path / "link") as temporary:
        temporary.write_text("x")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real").read_text() == "x"


def test_refused_targets(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FormatError, match="there is no folder"):
        check_writable(tmp_path / "missing" / "a.txt")
    with pytest.raises(FormatError, match="is a folder; give the name of a file"):
        check_writable(tmp_path)
    with pytest.raises(FormatError, match="is not a folder"):
        check_writable(tmp_path / "file" / "a.txt")


def test_read_only_folder_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(FormatError, match="is read-only"):
        check_writable(tmp_path / "a.txt")


def test_suffixes(tmp_path):
    assert check_output(tmp_path / "A.PFM", (".pfm", ".npy")) == tmp_path / "A.PFM"
    with pytest.raises(
        FormatError, match=r"suffix '\.gif' is not accepted here; use \.pfm or \.npy"
    ):
        check_output(tmp_path / "a.gif", (".pfm", ".npy"))
    with pytest.raises(FormatError, match=r"no suffix was given; use \.csv"):
        check_output(tmp_path / "a", (".csv",))
