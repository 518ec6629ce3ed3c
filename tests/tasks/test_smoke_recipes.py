"""Every smoke recipe is trained as it stands, and learns: what it is there to show."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from corr.tasks.recipe import recipe_names
from corr.tasks.records import read_history
from corr.tasks.training import train

NAMES = [name for name in recipe_names() if name.startswith("smoke/")]
FIGURES = ("val/fpr95", "val/epe")
"""What recipes of patches and of optical flow are judged by; others by their loss."""


def test_there_are_those_of_the_patch_losses():
    wanted = {"patch", "siamese-patch", "triplet-patch", "infonce-patch", "sosnet-patch"}
    assert {f"smoke/{name}" for name in wanted} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_learns(name: str, tmp_path: Path):
    """The figure of held-out pairs falls below the untrained network's, or else the loss falls."""
    train([name, "--out", str(tmp_path / "run"), "--trainer.logger", "false"])
    history = read_history(tmp_path / "run")
    figures = [history[name][1] for name in FIGURES if name in history]
    if figures:
        untrained, *_, trained = figures[0]
        assert trained < untrained
    else:
        loss = np.array(history["train/loss"][1])
        assert len(loss) >= 4
        assert loss[-len(loss) // 4 :].mean() < loss[0]
    assert (tmp_path / "run" / "weights.safetensors").is_file()
