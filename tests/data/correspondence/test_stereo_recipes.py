"""Each source of rectified pairs has a recipe for a stereo descriptor, which trains on it."""

import numpy as np
import pytest
from published import SETS

from corr.tasks.records import read_history
from corr.tasks.training import train

ROOT = "--data.source.init_args.root"
FEW = "{view: stereo, surfaces: {num_tiles: 14}, num_objects: [3, 5]}"
STEREO = [
    *("--trainer.max_steps", "2", "--trainer.log_every_n_steps", "1", "--trainer.logger", "false"),
    *("--trainer.precision", "32-true", "--data.batch_size", "1", "--data.side", "64"),
    *("--data.num_workers", "0", "--data.steps_per_epoch", "2", "--data.num_val_pairs", "1"),
    *("--model.num_rows", "8", "--model.network.init_args.width", "8"),
]


@pytest.mark.parametrize(
    ("recipe", "made_of"),
    [
        ("fast-synthetic", None),
        ("fast-hinge", None),
        ("fast-eth3d", "eth3d"),
        ("fast-flyingthings", "flyingthings3d"),
        ("fast-flyingthings", "monkaa"),
        ("fast-flyingthings", "driving"),
        ("fast-kitti", "kitti-2012"),
        ("fast-kitti", "kitti-2015"),
        ("fast-middlebury", "middlebury-stereo"),
        ("fast-middlebury", "middlebury-2014"),
        ("fast-middlebury", "middlebury-2021"),
    ],
)
def test_it_trains(tmp_path, recipe, made_of):
    root = tmp_path / "root"
    root.mkdir()
    options = ["--data.source.init_args.config", FEW]
    if made_of is not None:
        SETS[made_of](root)
        options = [ROOT, str(root)]
        if made_of == "middlebury-2021":  # of one scene: held out by itself
            options += ["--data.val_source", "corr.data.StereoPairs"]
            options += ["--data.val_source.init_args.root", str(root)]
    run = tmp_path / "run"
    train([f"stereo/{recipe}", "--out", str(run), *STEREO, *options])
    history = read_history(run)
    assert np.isfinite(history["train/loss"][1]).all() and len(history["train/loss"][1]) == 2
    for limit in (1, 3):
        assert 0 <= history[f"val/within{limit}"][1][-1] <= 1
        assert 0 < history[f"val/within{limit}_census"][1][-1] <= 1
    assert (run / "weights.safetensors").is_file()
    assert (run / "hardest.png").is_file()
