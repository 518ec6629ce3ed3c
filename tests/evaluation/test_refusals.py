"""Bad input to `corr evaluate` and `corr reproduce`: one sentence, status 2, nothing written."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import skimage.data

from corr.cli import main
from corr.data.mini import FLOW, SEQUENCES, STEREO
from corr.formats import write_disparity, write_image


@pytest.fixture
def data(mini, tmp_path, monkeypatch) -> Path:
    """A copy of whole, small data sets, beside which the command runs."""
    shutil.copytree(mini, tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "data"


@pytest.fixture
def refused(data, capsys):
    def run(*arguments) -> str:
        def names() -> list[str]:
            return sorted(path.as_posix() for path in data.parent.rglob("*"))

        before = names()
        status = main(["evaluate", *map(str, arguments), "--out", "out", "--cache", "cache"])
        out, err = capsys.readouterr()
        assert status == 2, f"status {status}, {out!r}, {err!r}"
        assert out == ""
        assert err.startswith("corr: error: ")
        assert err.count("\n") == 1, err
        assert names() == before
        return err

    return run


def test_an_unknown_benchmark_lists_the_known(refused):
    said = refused("hpatch", "--root", ".")
    assert "'hpatch' is not known; use homographies, pose, pck, invariance, unrelated, " in said
    assert "stereo, flow, patches, normalization, hpatches, brown, retrieval, " in said
    assert "verification, semantic, mini" in said


@pytest.mark.parametrize(
    ("benchmark", "model", "known"),
    [
        ("homographies", "siftt", "rootsift, sift, orb"),
        ("homographies", "census", "not match; use one of rootsift"),
        ("stereo", "rootsift", "not disparity; use one of census, sgbm, bm"),
        ("flow", "hardnet", "not flow; use one of dis"),
        ("patches", "orb", "does not describe given patches; use sift, rootsift"),
        ("hpatches", "orb", "does not describe given patches; use sift, rootsift"),
        ("brown", "orb", "does not describe given patches; use sift, rootsift"),
    ],
)
def test_a_model_that_cannot_lists_those_that_can(refused, data, benchmark, model, known):
    assert known in refused(benchmark, "--root", data, "--models", model)


def test_mini_lists_all_models(refused):
    assert "'siftt' is not known to mini; use " in refused("mini", "--models", "siftt")


def test_mini_takes_no_root(refused, data):
    assert "mini brings its own data" in refused("mini", "--root", data)


def test_the_others_need_one(refused):
    assert "stereo needs --root DIR" in refused("stereo", "--models", "sgbm")


@pytest.mark.parametrize(
    ("benchmark", "part", "looks_like"),
    [
        ("homographies", STEREO, "middlebury-2014"),
        ("patches", FLOW, "middlebury-flow"),
        ("stereo", SEQUENCES, "hpatches-sequences"),
        ("flow", STEREO, "middlebury-2014"),
        ("hpatches", STEREO, "middlebury-2014"),
        ("brown", SEQUENCES, "hpatches-sequences"),
    ],
)
def test_the_root_of_another_set_is_named(refused, data, benchmark, part, looks_like):
    assert f"looks like {looks_like}, not " in refused(benchmark, "--root", data / part)


@pytest.mark.parametrize(
    ("benchmark", "file"),
    [
        ("homographies", f"{SEQUENCES}/v_coffee/4.png"),
        ("patches", f"{SEQUENCES}/v_coffee/H_1_3"),
        ("stereo", f"{STEREO}/motorcycle/im1.png"),
        ("stereo", f"{STEREO}/motorcycle/calib.txt"),
        ("flow", f"{FLOW}/motorcycle/frame11.png"),
    ],
)
@pytest.mark.parametrize("damage", ["missing", "empty"])
def test_a_set_that_is_half_copied(refused, data, benchmark, file, damage):
    path = data / file
    path.unlink()
    if damage == "empty":
        path.touch()
    said = refused(benchmark, "--root", data / Path(file).parts[0])
    assert "the set is not whole" in said
    assert path.name in said


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("see the paper", "is not a text file of numbers"),
        ("1 0 0 0 1 0", "holds 6 numbers; a homography is 9"),
        ("0 0 0 0 0 0 0 0 0", "cannot be inverted"),
    ],
)
def test_a_homography_file_with_something_else(refused, data, text, sentence):
    path = data / SEQUENCES / "i_chelsea" / "H_1_5"
    path.write_text(text)
    said = refused("homographies", "--root", data / SEQUENCES)
    assert sentence in said
    assert "H_1_5" in said


def test_a_folder_that_holds_neither_network_nor_results(refused, data):
    Path("nothing").mkdir()
    said = refused("stereo", "--root", data / STEREO, "--models", "nothing")
    assert "holds no network ('network.yaml' is missing), nor results (.pfm, .npy, .png)" in said


class TestItems:
    """What is wrong with one item fails that item alone."""

    def evaluated(self, capsys, *arguments) -> str:
        status = main(["evaluate", *map(str, arguments), "--cache", "cache"])
        assert status == 0, capsys.readouterr().err
        return capsys.readouterr().out

    def test_a_damaged_image(self, data, capsys):
        path = data / SEQUENCES / "i_chelsea" / "3.png"
        path.write_bytes(path.read_bytes()[:400])
        root = data / SEQUENCES / "i_chelsea"
        shown = self.evaluated(capsys, "homographies", "--root", root, "--models", "orb,sift")
        for model in ("orb", "sift"):
            assert f"failed: {model}, i_chelsea/1-3: ImageError: " in shown
        assert "failed" in shown.splitlines()[-10]

    def test_results_that_lack_an_item_or_have_another_size(self, data, capsys):
        results = Path("results")
        (results / "other").mkdir(parents=True)
        write_disparity(results / "other" / "scene.pfm", np.ones((4, 4), np.float32))
        given = ("stereo", "--root", data / STEREO, "--models", "results")
        shown = self.evaluated(capsys, *given)
        assert (
            "failed: results, motorcycle: FormatError: 'results' has no 'motorcycle.pfm'" in shown
        )
        write_disparity(results / "motorcycle.pfm", np.ones((4, 6), np.float32))
        shown = self.evaluated(capsys, *given)
        assert "'results/motorcycle.pfm' has 6 x 4 pixels, and its image 741 x 500" in shown
        assert "100.0/100.0/100.0/100.0" in shown

    def test_nothing_to_see_in_an_image(self, data, capsys):
        folder = data / SEQUENCES / "i_chelsea"
        write_image(folder / "1.png", np.full_like(skimage.data.chelsea(), 90))
        models = "sift,rootsift"
        shown = self.evaluated(capsys, "homographies", "--root", folder, "--models", models)
        assert "0.0/0.0/0.0/0.0" in shown
        shown = self.evaluated(capsys, "patches", "--root", folder, "--models", models)
        assert "has 0 keypoints that both images show" in shown


def test_reproduce_names_the_networks_there_are(capsys):
    assert main(["reproduce", "hardnett"]) == 2
    said = capsys.readouterr().err
    refused = "'hardnett' is not a network that ships with corr; there are: flownetc, "
    assert refused in said
