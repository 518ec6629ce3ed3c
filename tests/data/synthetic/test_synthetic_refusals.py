"""Bad input: one sentence that says what was wrong, given and accepted."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage.data

from corr.cli import main
from corr.data.synthetic.bank import read_photographs
from corr.data.synthetic.config import (
    AppearanceRanges,
    FlowRanges,
    PosedRanges,
    StereoRanges,
    Surfaces,
    SyntheticConfig,
)
from corr.data.synthetic.datamodule import SyntheticDataModule
from corr.data.synthetic.ranges import settings_from
from corr.data.synthetic.scenes import SyntheticScenes
from corr.errors import DatasetError, OptionError
from corr.formats import write_image


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: SyntheticConfig(height=31), "height is 31 px; use 32 to 4096"),
        (lambda: SyntheticConfig(width=5000), "width is 5000 px; use 32 to 4096"),
        (lambda: SyntheticConfig(num_objects=(6.5, 9)), "use whole numbers"),
        (lambda: SyntheticConfig(num_objects=(9, 3)), "num_objects is 9 to 3; give the lower"),
        (lambda: AppearanceRanges(blur=(2.0, 1.0)), "blur is 2 to 1; give the lower value first"),
        (
            lambda: AppearanceRanges(noise=(0.0, 0.9)),
            r"noise is 0 to 0.9; use values in \[0, 0.5\]",
        ),
        (lambda: AppearanceRanges(probability=1.5), r"probability is 1.5; use a value in \[0, 1\]"),
        (lambda: Surfaces(photo_share=0.9, poor_share=0.2), "add up to more than 1"),
        (lambda: Surfaces(num_tiles=2), "num_tiles is 2; use 8 to 1024"),
        (lambda: StereoRanges(max_disparity=(0.1, 0.4)), r"use values in \[0.005, 0.25\]"),
        (lambda: FlowRanges(speed=((0.0, 0.0), (1.0, 5.0), (0.5, 9.0))), "share 0 to share 1"),
        (lambda: FlowRanges(speed=((0.0, 4.0), (1.0, 2.0))), "the speeds of speed fall"),
        (lambda: PosedRanges(depth=(3.0, 1.0)), "depth is 3 to 1; give the lower value first"),
        (lambda: SyntheticDataModule(batch_size=0), "batch_size is 0; use 1 or more"),
        (lambda: SyntheticScenes(seed=-1), "seed is -1; use 0 or more"),
    ],
)
def test_settings(make, said):
    with pytest.raises(OptionError, match=said):
        make()


def test_settings_by_name():
    found = settings_from(
        SyntheticConfig, {"view": "stereo", "second": {"blur": [0.5, 1]}, "stereo": {"slant": 0.1}}
    )
    assert found.second.blur == (0.5, 1)
    assert found.stereo.slant == 0.1
    with pytest.raises(OptionError, match=r"'second.blurr' is not known; use prob"):
        settings_from(SyntheticConfig, {"second": {"blurr": [0, 1]}})
    with pytest.raises(OptionError, match="'second' is 3; give settings by name"):
        settings_from(SyntheticConfig, {"second": 3})
    with pytest.raises(OptionError, match="hold a value of another kind"):
        settings_from(SyntheticConfig, {"second": {"blur": 3}})


def test_values_of_another_kind(tmp_path):
    """In a process of its own, without the type checks that tests have."""
    refused = {
        "height: abc": "height is abc px; use 32 to 4096",
        "width: 64.5": "width is 64.5 px; use 32 to 4096",
        "flow: {speed: [[0, 1], [1, fast]]}": "settings 'flow.' hold a value of another kind",
    }
    for number, settings in enumerate(refused):
        (tmp_path / f"{number}.yaml").write_text(settings)
    code = (
        "from corr.cli import main\n"
        "synth = ['datasets', 'synth', 'flow', '-n', '1', '--out', 'out', '--config']\n"
        "print([main([*synth, f'{number}.yaml']) for number in range(3)])"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.stdout.strip() == "[2, 2, 2]"
    errors = done.stderr.splitlines()
    assert all(said in error for said, error in zip(refused.values(), errors, strict=True))


def test_photographs(tmp_path: Path):
    with pytest.raises(DatasetError, match="does not exist"):
        read_photographs(tmp_path / "none")
    with pytest.raises(DatasetError, match="holds no photo"):
        read_photographs(tmp_path)
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff not a picture")
    with pytest.raises(DatasetError, match=r"none of the 1 photos of .* can be read"):
        read_photographs(tmp_path)
    write_image(tmp_path / "coffee.png", skimage.data.coffee())
    found = read_photographs(tmp_path)
    assert (len(found.pixels), found.num_damaged) == (1, 1)
    assert max(found.pixels[0].shape) == 512
    write_image(tmp_path / "cat.png", np.ascontiguousarray(skimage.data.chelsea()[:, ::-1]))
    assert read_photographs(tmp_path).digest != found.digest


def test_a_damaged_photo_is_counted(tmp_path, capsys):
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    write_image(photos / "coffee.png", skimage.data.coffee())
    (photos / "broken.png").write_bytes(b"nothing")
    settings = tmp_path / "settings.yaml"
    settings.write_text("surfaces: {num_tiles: 8}")
    arguments = ["--size", "32x40", "--photos", str(photos), "--out", str(out)]
    arguments += ["--config", str(settings)]
    assert main(["datasets", "synth", "flow", "-n", "1", *arguments]) == 0
    assert "left out 1 photos that cannot be read" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["synth", "depth", "-n", "1", "--out", "x"], "'synth' makes planar, stereo, flow, posed"),
        (["synth"], "'synth' makes planar"),
        (["synth", "flow", "out"], "'synth' takes one name, not 'out' too"),
        (["synth", "flow"], "say how many and where to"),
        (
            ["synth", "flow", "-n", "1", "--out", "x", "--size", "big"],
            "--size is 'big'; give HEIGHT",
        ),
        (["synth", "flow", "-n", "1", "--out", "x", "--size", "8x900"], "height is 8 px; use 32"),
        (["synth", "flow", "-n", "0", "--out", "x"], "number of samples is 0; use 1 or more"),
        (
            ["synth", "flow", "-n", "1", "--out", "x", "--config", "no.yaml"],
            "'no.yaml' is not a YAML",
        ),
        (["synth", "flow", "-n", "1", "--out", "x", "--photos", "no"], "'no' of photos does not"),
        (["statistics"], "name a folder of pairs, or synth:flow"),
        (["statistics", "synth:depth"], "'synth:depth' is not known; use synth:planar"),
        (["statistics", "nowhere"], "'nowhere' is not a folder"),
        (["show", "sintel", "--preview"], "'show' takes no options"),
    ],
)
def test_commands(capsys, monkeypatch, tmp_path, arguments, said):
    monkeypatch.chdir(tmp_path)
    assert main(["datasets", *arguments]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert not (tmp_path / "x" / "data").exists()
