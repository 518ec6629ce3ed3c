"""Commands that list what there is, show it, copy it and export it."""

import re
from pathlib import Path

import pytest
import skimage.data
from typed import files, run


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
