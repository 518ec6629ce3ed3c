"""Training as a user meets it: the folder, what is logged and said, refusals."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
import torch
from short_runs import SOFT, TINY, rows, run

from corr.errors import CorrError, ModelError, OptionError, RecipeError
from corr.models import HardNet, load_network
from corr.tasks.training import train


def test_a_run_leaves_everything_that_is_promised(finished: Path):
    files = {path.name for path in finished.iterdir()}
    assert files == {
        "config.yaml",
        "metrics.csv",
        "last.ckpt",
        "weights.safetensors",
        "network.yaml",
        "curves.png",
        "hardest.png",
    }
    assert cv2.imread(str(finished / "curves.png")).shape[0] > 100
    assert sorted(rows(finished)) == list(range(10))


def test_the_network_in_the_folder_is_the_one_of_the_last_step(finished: Path):
    network = load_network(finished)
    stored = torch.load(finished / "last.ckpt", weights_only=True)
    assert isinstance(network, HardNet)
    assert not network.training
    assert stored["global_step"] == 10
    for name, value in network.state_dict().items():
        torch.testing.assert_close(value, stored["state_dict"][f"network.{name}"], rtol=0, atol=0)


def test_fpr95_is_logged_before_the_first_step_in_each_epoch_and_at_the_end(finished: Path):
    learned, rootsift = rows(finished, "val/fpr95"), rows(finished, "val/fpr95_rootsift")
    assert sorted(learned) == [0, 3, 7, 10]
    assert len({float(value) for value in rootsift.values()}) <= 2  # float32 and float64 of one
    assert all(0 <= float(value) <= 1 for value in (*learned.values(), *rootsift.values()))


def test_the_output_says_what_came_out_and_no_more(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    folder = run(tmp_path / "said", 2)
    output, errors = capfd.readouterr()
    assert "only the 7 photographs" in output
    assert "FPR95" in output
    assert "RootSIFT" in output
    assert f"corr match A B --model {folder}" in output
    assert errors == ""
    for noise in ("GPU available", "Tip:", "Seed set", "warn", "max_steps"):
        assert noise not in output


def test_the_average_is_what_is_saved_and_semi_hard_steps_change_what_is_mined(
    finished: Path, finished_soft: Path
):
    stored = torch.load(finished_soft / "last.ckpt", weights_only=True)
    name = "layers.0.weight"
    saved = load_network(finished_soft).state_dict()[name]
    assert torch.equal(saved, stored["state_dict"][f"network.{name}"])
    assert not torch.equal(saved, stored["current_model_state"][f"network.{name}"])
    assert float(rows(finished_soft)[0]) < float(rows(finished)[0])


def test_another_seed_gives_other_losses(finished: Path, tmp_path: Path):
    other = run(tmp_path / "other", 2, "--seed_everything", "1")
    assert rows(other)[0] != rows(finished)[0]


def test_a_used_folder_is_not_overwritten(finished: Path):
    with pytest.raises(OptionError, match=r"holds a run already.*--out.*--ckpt_path"):
        run(finished, 2)


def test_wandb_is_offline_and_silent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    folder = run(tmp_path / "run", 2, "--trainer.logger", "null")
    assert list((folder / "wandb").glob("offline-run-*/run-*.wandb"))
    output, errors = capfd.readouterr()
    assert "wandb:" not in output + errors


def test_refusals(finished: Path, tmp_path: Path):
    new = ["--out", str(tmp_path / "new")]
    damaged = tmp_path / "damaged.ckpt"
    damaged.write_bytes((finished / "last.ckpt").read_bytes()[:1000])
    text = tmp_path / "text.ckpt"
    text.write_text("no checkpoint")
    code = tmp_path / "code.ckpt"
    torch.save({"state_dict": Path, "global_step": 1}, code)
    last = str(finished / "last.ckpt")
    refused: list[tuple[type[CorrError], str, list[str]]] = [
        (RecipeError, "name a recipe first.*smoke/patch", []),
        (RecipeError, "name a recipe first", ["--out", "x"]),
        (RecipeError, "recipe 'nothing'", ["nothing"]),
        (RecipeError, "'margn'", ["smoke/patch", "--model.loss.margn", "1", *new]),
        (RecipeError, "no end", ["smoke/patch", "--trainer.max_steps", "-1", *new]),
        (
            RecipeError,
            "sigmas of the network is 18.0.*20.0",
            ["smoke/patch", "--model.network.sigmas", "18", *new],
        ),
        (
            ModelError,
            "'/nowhere.ckpt' does not exist",
            ["smoke/patch", "--ckpt_path", "/nowhere.ckpt"],
        ),
        (ModelError, "damaged", ["smoke/patch", "--ckpt_path", str(damaged), *new]),
        (ModelError, "damaged", ["smoke/patch", "--ckpt_path", str(text), *new]),
        (ModelError, "more than weights", ["smoke/patch", "--ckpt_path", str(code), *new]),
        (
            ModelError,
            r"does not fit.*'network\.layers.*\[128, 128, 4, 4\] instead of \[64",
            ["smoke/patch", "--model.network.descriptor_dim", "64", "--ckpt_path", last, *new],
        ),
        (CorrError, "no-such-photos", ["smoke/patch", "--data.folder", "no-such-photos", *new]),
        (OptionError, "cannot be made", ["smoke/patch", "--out", str(text / "below")]),
    ]
    for kind, message, arguments in refused:
        with pytest.raises(kind, match=message) as caught:
            train([*arguments, *(TINY if arguments[:1] == ["smoke/patch"] else [])])
        assert "\n" not in str(caught.value), message
    assert not (tmp_path / "new" / "weights.safetensors").exists()


@pytest.mark.slow
def test_two_processes_make_one_run(tmp_path: Path):
    options = ["smoke/patch", "--trainer.max_steps", "3", *TINY, *SOFT]
    done = subprocess.run(
        [Path(sys.executable).with_name("corr"), "train", *options, "--trainer.devices", "2"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert done.stdout.count("the run is in") == 1
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["patch-1"]
    folder = tmp_path / "runs" / "patch-1"
    assert sorted(rows(folder)) == [0, 1, 2]
    stored = torch.load(folder / "last.ckpt", weights_only=True)["state_dict"]
    for name, value in load_network(folder).state_dict().items():
        assert torch.equal(value, stored[f"network.{name}"]), name


@pytest.mark.slow
def test_the_smoke_recipe_shows_fpr95_falling(tmp_path: Path):
    folder = tmp_path / "smoke"
    train(["smoke/patch", "--out", str(folder), "--trainer.logger", "false"])
    learned = rows(folder, "val/fpr95")
    assert float(learned[max(learned)]) < 0.5 * float(learned[0])
