"""Options, models, weights and recipes that are refused, with a sentence that says why."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from corr.cli import main
from corr.models import HardNet, save_network


def test_unknown_models(refused):
    for command, known in [
        ("match", "rootsift, sift, orb"),
        ("disparity", "census, sgbm, bm"),
        ("flow", "dis"),
    ]:
        sentence = refused(command, "good.png", "good.png", "--model", "sfit")
        assert "model 'sfit' is not known" in sentence
        assert known in sentence
    assert "rootsift" in refused("extract", "good.png", "--model", "sfit")
    assert "does disparity, not" in refused("match", "good.png", "good.png", "--model", "census")
    assert "model 'x' is not known" in refused("models", "show", "x")


def test_wrong_weights(refused):
    match = ("match", "good.png", "good.png", "--model")
    Path("nothing").mkdir()
    assert "holds no network" in refused(*match, "nothing")
    save_network(HardNet(), "run")
    whole = Path("run/weights.safetensors").read_bytes()
    for content in (b"", b"text", whole[:100], whole[:-100]):
        Path("run/weights.safetensors").write_bytes(content)
        assert "weights.safetensors' is damaged" in refused(*match, "run")
    save_file({"other": torch.zeros(3)}, "run/weights.safetensors")
    assert "weights.safetensors' does not fit HardNet" in refused(*match, "run")
    Path("run/network.yaml").write_text("class_path: os.system\ninit_args: {command: 'echo'}\n")
    assert "asks for 'os.system', which is not known" in refused(*match, "run")
    Path("run/network.yaml").write_text("{")
    assert "network.yaml' is damaged" in refused(*match, "run")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["match", "good.png"], "the following arguments are required: IMAGE1"),
        (["match", "good.png", "good.png", "--modle", "sift"], "unrecognized arguments: --modle"),
        (
            ["match", "good.png", "good.png", "--verify", "affine"],
            "'none', 'homography', 'fundamental'",
        ),
        (["match", "good.png", "good.png", "--ratio", "1.5"], "ratio is 1.5"),
        (["match", "good.png", "good.png", "--ratio", "nan"], "ratio is nan"),
        (["match", "good.png", "good.png", "--inconsistent-px", "-2"], "inconsistent_px is -2.0"),
        (
            ["match", "good.png", "good.png", "--inconsistent-px", "2", "--ratio", "1"],
            "the ratio test that it is for is off",
        ),
        (["match", "good.png", "good.png", "--max-keypoints", "0"], "max_keypoints is 0"),
        (["match", "good.png", "good.png", "--max-keypoints", "many"], "invalid int value: 'many'"),
        (["match", "good.png", "good.png", "--device", "abacus"], "device 'abacus' is not known"),
        (["disparity", "good.png", "good.png", "--max-disparity", "0"], "max_disparity is 0"),
        (["disparity", "good.png", "good.png", "--max-disparity", "-3"], "max_disparity is -3"),
        (["discover"], "invalid choice: 'discover'"),
        (["recipes", "show"], "'show' needs a name"),
        (["recipes", "show", "smoke/pathc"], "recipe 'smoke/pathc' is not known"),
        (["datasets", "show", "kitti"], "data set 'kitti' is not known; there are cards of"),
        (["train"], "the following arguments are required: RECIPE"),
        (["train", "smoke/pathc"], "recipe 'smoke/pathc' is neither"),
        (
            ["evaluate", "homographies", "--root", "none", "--models", "sift"],
            "'none' is not a folder",
        ),
        (["evaluate", "homographies", "--root", ".", "--models", "sift,"], "has an empty name"),
        (["evaluate", "homographies", "--root", ".", "--models", "shift"], "'shift' is not known"),
        (
            ["evaluate", "hpatch", "--root", ".", "--models", "sift"],
            "benchmark 'hpatch' is not known",
        ),
    ],
    ids=" ".join,
)
def test_options(refused, arguments, sentence):
    assert sentence in refused(*arguments)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("dropout:", "dropuot:"), "dropuot"),
        (("TripletLoss", "TripletLos"), "TripletLos"),
        (("batch_size:", "batchsize:"), "batchsize"),
        (("seed_everything: 0", "seed_everything: yes please"), "seed_everything"),
        (("model:", "modell:"), "modell"),
        (("trainer: {", "trainer: {{"), "YAML"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[1],
)
def test_a_recipe_with_a_typo(refused, capsys, change, sentence):
    assert main(["recipes", "copy", "smoke/patch", "mine.yaml"]) == 0
    capsys.readouterr()
    text = Path("mine.yaml").read_text()
    assert change[0] in text
    Path("mine.yaml").write_text(text.replace(*change, 1))
    said = refused("train", "mine.yaml", "--out", "run")
    assert sentence in said
    assert "mine.yaml" in said
