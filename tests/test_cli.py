"""Commands as a user types them: what is written, and the line that says so."""

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Literal

import h5py
import numpy as np
import pytest
import skimage.data

import corr
from corr.cli import COMMANDS, main
from corr.cli.parser import build_parser
from corr.errors import OptionError
from corr.formats import (
    read_disparity,
    read_features,
    read_flow,
    read_image,
    read_matches,
    write_image,
)

SHIFT = 12


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A photograph, and the same one seen 12 px further to the right: a rectified pair."""
    folder = tmp_path_factory.mktemp("pair")
    photo = skimage.data.chelsea()[60:220]
    write_image(folder / "left.png", photo[:, : 300 - SHIFT])
    write_image(folder / "right.png", photo[:, SHIFT:300])
    return folder / "left.png", folder / "right.png"


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(*arguments) -> int:
    return main([str(argument) for argument in arguments])


def files() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


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
    assert found["image_size0"].tolist() == [160, 300 - SHIFT]


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
    assert read_image(picture).shape[0] > 160


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


def test_disparity_and_what_fill_does(pair, capsys):
    assert run("disparity", *pair, "-o", "d.pfm", "--max-disparity", "32") == 0
    assert run("disparity", *pair, "-o", "holes.npy", "--max-disparity", "32", "--no-fill") == 0
    filled, holes = read_disparity("d.pfm"), read_disparity("holes.npy")
    assert np.isfinite(filled).all()
    assert np.isnan(holes).any()
    assert abs(np.nanmedian(holes) - SHIFT) < 0.5
    assert re.search(
        r"disparity by stereo: .* px, \d+ % matched, in .* wrote d\.pfm", capsys.readouterr().out
    )


def test_disparity_by_faiss_candidates(pair, capsys):
    pytest.importorskip("faiss")
    options = ("--max-disparity", "32", "--search", "faiss")
    assert run("disparity", *pair, "-o", "d.npy", *options, "--candidates", "12") == 0
    assert abs(np.median(read_disparity("d.npy")) - SHIFT) < 0.5
    capsys.readouterr()
    assert run("disparity", *pair, "-o", "e.npy", *options, "--model", "bm") == 2
    assert "model 'bm' does its own search" in capsys.readouterr().err
    assert not Path("e.npy").exists()


def test_disparity_as_kitti_png(pair):
    assert run("disparity", *pair, "-o", "d.png", "--max-disparity", "32", "--model", "sgbm") == 0
    assert abs(np.median(read_disparity("d.png")) - SHIFT) < 0.5


def test_flow(pair):
    assert run("flow", *pair, "-o", "f.flo", "--draw", "f.jpg") == 0
    flow = read_flow("f.flo")
    np.testing.assert_allclose(np.median(flow.reshape(-1, 2), axis=0), [-SHIFT, 0], atol=0.3)
    assert files() == ["f.flo", "f.jpg"]


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
    assert files() == ["a", "a-x-keypoints.png", "b", "b-x-keypoints.png", "f.h5"]


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


def test_recipes(capsys):
    assert run("recipes") == 0
    listed = capsys.readouterr().out
    assert re.search(r"^smoke/patch  +\w", listed, re.MULTILINE)
    assert run("recipes", "show", "smoke/patch") == 0
    shown = capsys.readouterr().out
    assert run("recipes", "copy", "smoke/patch") == 0
    assert capsys.readouterr().out == "wrote patch.yaml\n"
    assert Path("patch.yaml").read_text().rstrip() == shown.rstrip()
    assert run("recipes", "copy", "smoke/patch") == 2
    assert "'patch.yaml' is there already" in capsys.readouterr().err
    assert run("recipes", "copy", "smoke/patch", "mine.yaml") == 0


def test_datasets(capsys):
    assert run("datasets") == 0
    assert "kitti-2012" in capsys.readouterr().out
    assert run("datasets", "show", "kitti-2012") == 0
    assert "CC BY-NC-SA" in capsys.readouterr().out
    photos = Path(skimage.data.__file__).parent
    assert run("datasets", "verify", "skimage-photos", photos) == 0
    assert "9 files in" in capsys.readouterr().out
    assert run("datasets", "verify", "kitti-2012", photos) == 2
    assert "looks like skimage-photos, not kitti-2012; expected files" in capsys.readouterr().err
    assert run("datasets", "verify", "kitti-2012") == 2
    assert "name the folder of the data" in capsys.readouterr().err


def test_models(capsys):
    assert run("models") == 0
    listed = capsys.readouterr().out
    for name in ("rootsift", "orb", "census", "sgbm", "dis"):
        assert re.search(rf"^{name} ", listed, re.MULTILINE)
    assert run("models", "show", "census") == 0
    assert capsys.readouterr().out.startswith("census: ")
    assert run("models", "copy", "census") == 2
    assert "has no weights to copy" in capsys.readouterr().err


@pytest.mark.parametrize("output", ["net.onnx", "net.pt2"])
def test_export(capsys, output):
    pytest.importorskip("onnxruntime", reason="needs the extra 'export'")
    assert run("export", "hardnet", "-o", output) == 0
    line = rf"wrote {output}; its results differ from the network's by \d\.\de[-+]\d\d at most\n"
    out, err = capsys.readouterr()
    assert re.fullmatch(line, out)
    assert err == ""
    assert files() == [output]


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
