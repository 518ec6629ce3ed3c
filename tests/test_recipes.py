"""Every recipe parses and builds what it names, and says what it is for."""

from __future__ import annotations

from pathlib import Path

import pytest
import pytorch_lightning as pl
import yaml

from corr.errors import RecipeError
from corr.resources import recipes_root
from corr.tasks.recipe import build_recipe, find_recipe, recipe_names


@pytest.mark.parametrize("name", recipe_names())
def test_recipe_builds_its_task_and_data(
    name: str, googlenet_file: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(googlenet_file.parent)  # where one of them finds its weights
    recipe = build_recipe(name)
    assert isinstance(recipe.task, pl.LightningModule)
    assert isinstance(recipe.data, pl.LightningDataModule)
    assert sum(value.numel() for value in recipe.task.parameters()) > 0
    assert recipe.trainer["max_steps"] > 0 or recipe.trainer["max_epochs"] is not None


@pytest.mark.parametrize("name", recipe_names())
def test_recipe_opens_with_why_and_what_to_expect(name: str):
    first = find_recipe(name).read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# ")


def test_recipes_are_yaml_only_and_there_are_some():
    files = [path for path in recipes_root().rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".yaml"}
    assert {"patch/hardnet-photos", "smoke/patch"} <= set(recipe_names())


def test_options_beside_the_recipe_win_and_are_recorded():
    recipe = build_recipe(
        "smoke/patch",
        ["--model.learning_rate", "0.25", "--model.network.dropout", "0.4", "--data.batch_size=7"],
    )
    assert recipe.task.learning_rate == 0.25
    assert recipe.data.batch_size == 7
    config = yaml.safe_load(recipe.config)
    network = config["model"]["init_args"]["network"]
    assert network["init_args"]["dropout"] == 0.4
    assert "ckpt_path" not in config
    assert "out" not in config


def test_the_recorded_config_builds_the_same_again(tmp_path: Path):
    first = build_recipe("smoke/patch", ["--model.learning_rate", "0.25", "--seed_everything", "9"])
    (tmp_path / "config.yaml").write_text(first.config, encoding="utf-8")
    again = build_recipe(str(tmp_path))
    assert again.config == first.config
    assert again.seed == 9


def test_a_class_of_the_users_own_is_injected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "own_loss.py").write_text(
        "from corr.losses import DescriptorLoss\n"
        "class Pull(DescriptorLoss):\n"
        "    def __init__(self, strength: float = 1.0):\n"
        "        super().__init__()\n"
        "        self.strength = strength\n"
        "    def forward(self, anchors, positives):\n"
        "        return self.strength * (anchors - positives).square().sum(1).mean()\n"
    )
    monkeypatch.chdir(tmp_path)
    recipe = build_recipe(
        "smoke/patch", ["--model.loss", "own_loss.Pull", "--model.loss.strength", "3"]
    )
    assert type(recipe.task.loss).__name__ == "Pull"
    assert recipe.task.loss.strength == 3.0


@pytest.mark.parametrize("search", ["exact", "faiss", "faiss-gpu"])
def test_a_recipe_says_who_mines(search: str):
    assert build_recipe("smoke/patch", ["--model.loss.search", search]).task.loss.search == search


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (
            ["--model.lerning_rate", "1"],
            "model: option 'lerning_rate'.*did you mean 'learning_rate'",
        ),
        (["--model.learning_rate", "fast"], "model.learning_rate: 'fast'.*float"),
        (["--model.network.dropuot", "1"], "model.network: option 'dropuot'.*'dropout'"),
        (
            ["--model.network", "corr.models.HardNett"],
            "'corr.models.HardNett'.*corr.models.HardNet'",
        ),
        (["--model.network", "HardNett"], "model.network: class 'HardNett'"),
        (["--model.loss", "corr.models.HardNet"], "model.loss: .*no DescriptorLoss"),
        (["--model.loss.mining", "semi"], "model.loss.mining: 'semi'.*'hardest', 'semi-hard'"),
        (["--model.loss.margin", "-1"], "margin is -1.0"),
        (["--model.optimizer", "lamb"], "model.optimizer: 'lamb'.*'sgd', 'adamw'"),
        (["--model", "nowhere.Task"], "'nowhere.Task' cannot be imported"),
        (["--model.loss.search", "flann"], "'flann'"),
        (["--data.batch_size", "1"], "batch_size is 1; use 2 or more"),
        (["--trainer.max_steps", "many"], "trainer.max_steps: 'many'.*int"),
        (["--trainer.max_stepz", "3"], "max_stepz"),
        (["--nothing", "3"], "--nothing"),
        (["extra"], "extra"),
    ],
)
def test_a_wrong_option_is_one_line_that_names_it(options: list[str], named: str):
    with pytest.raises(RecipeError, match=f"smoke/patch.*{named}") as caught:
        build_recipe("smoke/patch", options)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("model: [", "no valid YAML"),
        ("- 1", "has to hold the keys"),
        ("", "has to hold the keys"),
        ("modle: 3", "option 'modle' is not accepted; did you mean 'model'"),
        ("trainer: {max_stepz: 3}", "trainer: option 'max_stepz'.*'max_steps'"),
        ("data: {class_path: corr.data.PatchDataModule}", "'model' is missing"),
        (
            "model: {class_path: corr.tasks.PatchTask, init_args: {network: corr.models.HardNet, "
            "loss: {class_path: corr.losses.TripletLoss, init_args: {margn: 1}}}}",
            "model.loss: option 'margn' is not accepted; did you mean 'margin'",
        ),
        (
            "model: {class_path: corr.tasks.PatchTusk}",
            "'corr.tasks.PatchTusk' does not exist; did you mean 'corr.tasks.PatchTask'",
        ),
        ("model: corr.tasks.PatchTask", "model: 'network, loss' is missing"),
        (
            "model: {class_path: corr.tasks.ClassPairTask, init_args: {wight_decay: 1, network: "
            "corr.models.UniversalCorrespondenceNetwork, loss: corr.losses.DualSoftmaxLoss}}",
            "option 'wight_decay' is not accepted; did you mean 'weight_decay'",
        ),
    ],
)
def test_a_wrong_recipe_is_one_line_that_names_it(tmp_path: Path, text: str, named: str):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RecipeError, match=f"mine.yaml.*{named}") as caught:
        build_recipe(str(path))
    assert "\n" not in str(caught.value)


def test_an_unknown_recipe_lists_those_there_are():
    with pytest.raises(RecipeError, match=r"'smoke/pach' is neither .* smoke/patch"):
        find_recipe("smoke/pach")
