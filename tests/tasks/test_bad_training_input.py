"""What training refuses, as a user meets it: one sentence, and exit code 2."""

from __future__ import annotations

from pathlib import Path

import pytest

from corr.cli import main
from corr.errors import OptionError
from corr.tasks.processes import shared_folder

OWN = """
from typing import NamedTuple
import pytorch_lightning as pl
import torch
from torch import Tensor, nn

class Batch(NamedTuple):
    anchor: Tensor
    positive: Tensor
    tracks: Tensor | None = None
    points: Tensor | None = None
    images: Tensor | None = None

class Loader:
    def __init__(self, batch):
        self.batch = batch
    def __len__(self):
        return 4
    def __iter__(self):
        return iter([self.batch] * 4)

class Data(pl.LightningDataModule):
    def __init__(self, rows: int = 4, points: int = 0, same: bool = False):
        super().__init__()
        self.rows, self.points, self.same = rows, points, same
    def train_dataloader(self):
        anchor, positive = torch.rand(2, self.rows, 1, 8, 8)
        tracks = torch.full((self.rows,), 7) if self.same else None
        points = torch.rand(self.points, 2) if self.points else None
        images = torch.zeros(self.rows, dtype=torch.int64)
        return Loader(Batch(anchor, positive, tracks, points, images))

class Network(nn.Module):
    def __init__(self, length: float = 1.0):
        super().__init__()
        self.length = length
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 16))
    def forward(self, patches):
        return self.length * nn.functional.normalize(self.layers(patches), dim=1)
"""
RECIPE = """
trainer: {max_steps: 2, logger: false}
model:
  class_path: corr.tasks.MetricTask
  init_args:
    network: {class_path: own_bad_input.Network}
    loss: {class_path: corr.losses.TripletLoss}
data: {class_path: own_bad_input.Data}
"""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--data.rows", "1"], "a loss needs 2 rows or more in a batch, not 1"),
        (["--model.loss.margin", "0"], "margin is 0.0; use a value in (0, 2]"),
        (["--model.loss.margin", "-1"], "margin is -1.0; use a value in (0, 2]"),
        (["--model.network.length", "3"], "descriptors are not normalised: one has length 3"),
        (["--data.points", "3"], "labels are of different length: points for 3, images for 4 rows"),
        (["--data.same", "true"], "all 4 rows of the batch show track 7, so that there is no"),
        (["--model.ema_decay", "1"], "ema_decay is 1.0; use a value in [0, 1)"),
        (["--model.semi_hard_steps", "-1"], "semi_hard_steps is -1; use 0 or more"),
        (
            ["--model.semi_hard_steps", "9", "--model.loss.mining", "random"],
            "semi_hard_steps is 9, but the loss mines no 'hardest' negatives; use 0",
        ),
        (
            ["--trainer.callbacks", "corr.tasks.CollapseMonitor",
             "--trainer.callbacks.patience_steps", "0"],
            "patience_steps is 0; use 1 or more",
        ),
    ],
)  # fmt: skip
def test_one_sentence_and_exit_code_2(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    options: list[str],
    message: str,
):
    (tmp_path / "own_bad_input.py").write_text(OWN)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    monkeypatch.chdir(tmp_path)
    assert main(["train", "recipe.yaml", "--out", "run", *options]) == 2
    errors = capfd.readouterr().err
    assert errors.count("\n") == 1, errors
    assert errors.startswith("corr: error: ")
    assert message in errors
    assert not (tmp_path / "run" / "weights.safetensors").exists()


def test_a_data_module_of_patches_makes_no_batch_of_one(capfd: pytest.CaptureFixture[str]):
    assert main(["train", "smoke/patch", "--data.batch_size", "1"]) == 2
    assert "batch_size is 1; use 2 or more" in capfd.readouterr().err


def test_a_process_that_does_not_know_the_folder_says_what_to_give(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CORR_RUN_FOLDER", raising=False)
    with pytest.raises(OptionError, match="where the run is; name it with --out"):
        shared_folder()
