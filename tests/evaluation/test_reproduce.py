"""The figures of shipped networks: of these weights, in their card, and re-run by one command."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import yaml

from corr import resources
from corr.cli import main
from corr.errors import ModelError
from corr.evaluation import figures, reproduce
from corr.evaluation.cache import Cache
from corr.evaluation.figures import CardRun, read_figures
from corr.evaluation.photographs import installed_folder
from corr.evaluation.reproduction import _parts
from corr.formats import write_image
from corr.models.saved import shipped_networks

COUNTS = ("num_matches", "num_correct")


@pytest.mark.parametrize("network", shipped_networks())
class TestShipped:
    def test_figures_are_not_older_than_the_weights(self, network):
        read_figures(network).check_weights()

    def test_the_card_says_the_same(self, network):
        """Every figure stands in the text, rounded as its tables are."""
        card = (resources.weights_root() / network / "card.md").read_text()
        for run in read_figures(network).runs:
            assert run.command in card
            for figure in run.figures:
                if figure.name in COUNTS:
                    shown = f"{figure.value:.0f}"
                elif figure.name.startswith("epe"):  # px
                    shown = f"{figure.value:.2f}"
                else:
                    decimals = 2 if figure.name == "fpr95" else 1
                    shown = f"{100 * figure.value:.{decimals}f}"
                assert shown in card, f"{figure.benchmark} {figure.model} {figure.name}: {shown}"

    def test_something_can_be_reproduced_without_data(self, network):
        assert any(not run.needs_root for run in read_figures(network).runs)


@pytest.fixture
def weights(tmp_path, monkeypatch) -> Path:
    """A copy of the shipped networks, whose one card states something quick to measure."""
    root = tmp_path / "weights"
    shutil.copytree(resources.weights_root(), root)
    users = ("evaluation.figures", "evaluation.candidates", "models.saved", "pipeline.catalog")
    for module in users:
        monkeypatch.setattr(f"corr.{module}.weights_root", lambda: root)
    path = root / "hardnet" / figures.FILE
    content = yaml.safe_load(path.read_text())
    content["runs"] = [
        {
            "command": "corr evaluate mini --models dis",
            "data": "what comes with corr",
            "figures": {"flow": {"dis": {"epe_all": [2.24, 0.1], "fl_all": [0.136, 0.01]}}},
        },
        {
            "command": "corr evaluate homographies --root DIR --models orb",
            "data": "some sequences",
            "figures": {"homographies": {"orb": {"mma_3": [0.5, 0.1]}}},
        },
    ]
    path.write_text(yaml.safe_dump(content))
    return root / "hardnet"


def test_what_holds_and_what_needs_data(weights, capsys):
    assert main(["reproduce", "hardnet"]) == 0
    shown = capsys.readouterr().out
    assert "$ corr evaluate mini --models dis" in shown
    assert "2 of 2 figures of hardnet hold" in shown
    assert (
        "not run: corr evaluate homographies --root DIR --models orb; give --root DIR with some "
        "sequences"
    ) in shown


def test_what_was_measured_on_another_set_is_left_out(weights, tmp_path, capsys):
    """A root of one set: the figures of the other are not judged by it."""
    folder = tmp_path / "data" / "v_one"
    folder.mkdir(parents=True)
    for number in range(1, 7):
        write_image(folder / f"{number}.png", skimage.data.chelsea()[:120, :160])
        np.savetxt(folder / f"H_1_{number}", np.eye(3))
    path = weights / figures.FILE
    content = yaml.safe_load(path.read_text())
    run = {**content["runs"][1], "figures": {"homographies": {"orb": {"mma_3": [1.0, 0.01]}}}}
    content["runs"] = [{**run, "items": items} for items in (["v_one/1-2"], ["v_two/1-2"])]
    path.write_text(yaml.safe_dump(content))
    given = ["reproduce", "hardnet", "--root", str(tmp_path / "data"), "--cache", str(tmp_path)]
    assert main(given) == 0
    shown = capsys.readouterr().out
    assert "1 of 1 figures of hardnet hold" in shown
    assert "not run: corr evaluate homographies --root DIR --models orb; give --root DIR" in shown


def test_a_figure_that_does_not_hold(weights, capsys):
    path = weights / figures.FILE
    path.write_text(path.read_text().replace("2.24", "1.5"))
    assert main(["reproduce", "hardnet"]) == 1
    assert "1 of 2 figures of hardnet hold" in capsys.readouterr().out


def test_figures_of_other_weights(weights, capsys):
    with (weights / "weights.safetensors").open("ab") as file:
        file.write(b" ")
    assert main(["reproduce", "hardnet"]) == 2
    assert "the figures of 'hardnet' are older than its weights" in capsys.readouterr().err


def test_a_figure_that_is_not_measured(weights):
    path = weights / figures.FILE
    path.write_text(path.read_text().replace("epe_all", "epe_al"))
    with pytest.raises(ModelError, match="states 'epe_al', which flow does not measure"):
        reproduce("hardnet")


@pytest.mark.parametrize("numbers", [False, True])
def test_a_damaged_file(weights, numbers):
    path = weights / figures.FILE
    content = yaml.safe_load(path.read_text())
    content["runs"][1]["items"] = [27]
    path.write_text(yaml.safe_dump(content) if numbers else "runs: 3")
    with pytest.raises(ModelError, match="is damaged; it has to hold weights_sha256 and runs"):
        reproduce("hardnet")


def test_a_card_may_ask_for_quarter_turns(tmp_path):
    words = "corr evaluate invariance --models hardnet"
    runs = [CardRun(f"{words}{more}", "none", ()) for more in ("", " --rotations auto")]
    assert [run.rotations for run in runs] == ["own", "auto"]
    (part,) = _parts(runs[1], tmp_path, Cache(tmp_path))
    assert part.benchmark.protocol["rotations"] == "auto"
    assert part.root == installed_folder()  # what a root was given for does not matter to it
