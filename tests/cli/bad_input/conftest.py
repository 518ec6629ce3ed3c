"""Bad input: one sentence on stderr, exit status 2, no traceback, nothing half-written."""

import pytest
import skimage.data
from refused_files import everything

from corr.cli import main
from corr.formats import write_image


@pytest.fixture
def photo():
    return skimage.data.chelsea()[60:180, 100:240]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch, photo):
    """Where the command runs: it holds one good photograph."""
    monkeypatch.chdir(tmp_path)
    write_image("good.png", photo)
    return tmp_path


@pytest.fixture
def refused(folder, capsys):
    """Runs a command that has to be refused, and returns its sentence."""

    def run(*arguments) -> str:
        before = everything(folder)
        status = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        assert status == 2, f"status {status}, {out!r}, {err!r}"
        assert out == ""
        assert err.startswith("corr: error: ")
        assert err.endswith("\n")
        assert err.count("\n") == 1, err
        assert everything(folder) == before
        return err.removeprefix("corr: error: ").rstrip()

    return run
