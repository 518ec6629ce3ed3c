"""The command line itself: help, version, options from signatures, processes and their ends."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest
from typed import run

import corr
from corr.cli import COMMANDS
from corr.cli.parser import build_parser
from corr.errors import OptionError


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command(command, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(command, "--help")
    assert stopped.value.code == 0
    assert f"usage: corr {command}" in capsys.readouterr().out


def test_without_arguments_help_is_shown(capsys):
    with pytest.raises(SystemExit):
        run()
    shown = capsys.readouterr().out
    for command in COMMANDS:
        assert f"\n    {command} " in shown or f"\n    {command}\n" in shown


def test_version(capsys):
    with pytest.raises(SystemExit):
        run("--version")
    assert capsys.readouterr().out == f"corr {corr.__version__}\n"
    assert re.fullmatch(r"\d+\.\d+\.\d+", corr.__version__)


def test_options_are_the_signature():
    def both(
        first: Path,
        several: list[int],
        *,
        output: Path | None = None,
        kind: Literal["a", "b"] = "a",
        yes: bool = True,
        share: float = 0.5,
    ) -> None:
        """Do it.

        Args:
            first: one.
            several: two
                lines, 100 %.
            output: three.
            kind: four.
            yes: five.
            share: six.
        """

    parser = build_parser({"both": both}, "1")
    parsed = vars(parser.parse_args(["both", "x", "1", "2", "-o", "y", "--no-yes", "--kind", "b"]))
    assert parsed.pop("command") is both
    assert parsed == {
        "first": Path("x"),
        "several": [1, 2],
        "output": Path("y"),
        "kind": "b",
        "yes": False,
        "share": 0.5,
    }
    for wrong in (["both", "x"], ["both", "x", "one"], ["both", "x", "1", "--kind", "c"], ["none"]):
        with pytest.raises(OptionError, match="see 'corr"):
            parser.parse_args(wrong)


def test_interruption_is_130(monkeypatch, capsys):
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("corr.cli.build_parser", interrupted)
    assert run("models") == 130
    assert capsys.readouterr().err == "corr: interrupted\n"


def process(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=300, check=False
    )


def test_help_loads_nothing_heavy():
    code = (
        "import sys\nfrom corr.cli import main\n"
        "try:\n    main(['match', '--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'numpy', 'cv2', 'matplotlib', 'pytorch_lightning', 'numba'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or None)"
    )
    done = process("-c", code)
    assert done.returncode == 0, done.stderr
    assert "usage: corr match" in done.stdout


def test_the_installed_command(pair):
    command = Path(sys.executable).with_name("corr")
    if not command.exists():
        pytest.skip("corr is not installed beside this Python")
    done = subprocess.run(
        [command, "match", *pair], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "wrote matches-drawn.png" in done.stdout
    assert done.stderr == ""


def test_a_reader_that_leaves_is_no_error():
    reading, writing = os.pipe()
    code = (
        "import sys\nfrom corr.cli import main\nsys.exit(main(['recipes', 'show', 'smoke/patch']))"
    )
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=300,
        check=False,
    )
    os.close(writing)
    assert done.returncode == 141
    assert done.stderr == b""
