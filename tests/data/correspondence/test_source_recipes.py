"""Each source of correspondences has a recipe, which trains on it as it is published."""

import numpy as np
import pytest
from published import SETS
from sparse_scene import two_eyes

from corr.data import FlowPairs, StereoPairs, SyntheticPairs
from corr.data.correspondence.batches import make_batch
from corr.data.correspondence.datamodule import CorrespondenceDataModule
from corr.data.correspondence.dense_pair import DensePair
from corr.data.correspondence.held_out import HeldOut, Rest
from corr.data.synthetic.config import Surfaces, SyntheticConfig
from corr.errors import DatasetError, OptionError
from corr.models import UniversalCorrespondenceNetwork, load_network
from corr.tasks.recipe import build_recipe
from corr.tasks.records import read_history
from corr.tasks.training import train

SHORT = [
    *("--trainer.max_steps", "2", "--trainer.log_every_n_steps", "1"),
    *("--trainer.precision", "32-true", "--trainer.logger", "false"),
    *("--data.batch_size", "2", "--data.side", "64", "--data.num_workers", "0"),
    *("--data.steps_per_epoch", "2", "--data.num_val_pairs", "1", "--model.num_points", "64"),
]
SMALL = [*SHORT, "--model.network.init_args.descriptor_dim", "16"]
ROOT = "--data.source.init_args.root"
FEW = "{view: %s, surfaces: {num_tiles: 14}, num_objects: [3, 5]}"


@pytest.mark.parametrize(
    ("recipe", "made_of"),
    [
        ("ucn-photos", None),
        ("ucn-hard-negatives", None),
        ("ucn-synthetic-planar", "planar"),
        ("ucn-synthetic-posed", "posed"),
        ("ucn-flow", "sintel"),
        ("ucn-flow", "kitti-2012"),
        ("ucn-flow", "flying-chairs"),
        ("ucn-stereo", "middlebury-stereo"),
        ("ucn-stereo", "kitti-2015"),
        ("ucn-depth", "synthetic-posed"),
        ("ucn-sparse-points", "colmap"),
    ],
)
def test_it_trains(tmp_path, recipe, made_of):
    root, options = tmp_path / "root", []
    root.mkdir()
    if made_of in SETS:
        SETS[made_of](root)
        options = [ROOT, str(root)]
    elif made_of == "colmap":
        two_eyes(slope=0.3).write(root)
        options = [ROOT, str(root)]
    elif made_of is not None:
        options = ["--data.source.init_args.config", FEW % made_of]
    run = tmp_path / "run"
    train([f"correspondence/{recipe}", "--out", str(run), *SMALL, *options])
    history = read_history(run)
    assert len(history["train/loss"][1]) == 2
    assert np.isfinite(history["train/loss"][1]).all()
    assert 0 <= history["val/pck10"][1][-1] <= 1
    assert (run / "weights.safetensors").is_file()


def test_the_second_stage_goes_on_from_the_first(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    train(["correspondence/ucn-photos", "--out", str(first), *SMALL])
    options = ["--model.network.init_args.name_or_folder", str(first), "--data.beside_share", "0.5"]
    options += ["--data.beside.init_args.config", FEW % "posed", "--model.learning_rate", "1e-5"]
    train(["correspondence/ucn-robust", "--out", str(second), *SHORT, *options])
    assert np.isfinite(read_history(second)["train/loss"][1]).all()
    before, after = (load_network(folder) for folder in (first, second))
    assert before.settings == after.settings
    changes = [
        (one - other).abs().max().item()
        for one, other in zip(before.parameters(), after.parameters(), strict=True)
    ]
    assert 0 < max(changes) < 1e-3  # a step of AdamW changes a weight by the learning rate


def test_the_second_stage_as_it_stands():
    recipe = build_recipe("correspondence/ucn-robust")
    assert recipe.task.negatives == "pair"
    assert type(recipe.task.network) is UniversalCorrespondenceNetwork
    assert type(recipe.data.beside) is SyntheticPairs
    assert recipe.data.beside_share == 0.25
    assert (recipe.data.photometry.motion, recipe.data.photometry.uneven) == (9, 0.4)


def test_another_set_is_held_out():
    options = [ROOT, "sintel", "--data.val_source", "corr.data.StereoPairs"]
    options += ["--data.val_source.init_args.root", "kitti"]
    data = build_recipe("correspondence/ucn-flow", options).data
    assert type(data.source) is FlowPairs and type(data.val_source) is StereoPairs
    assert (str(data.source.root), str(data.val_source.root)) == ("sintel", "kitti")


def test_a_folder_that_is_not_there_is_one_sentence(tmp_path):
    data = CorrespondenceDataModule(source=FlowPairs(tmp_path / "nowhere"))
    with pytest.raises(DatasetError, match=r"nowhere' is not a folder; give the root of"):
        data.setup("fit")


class Numbers(FlowPairs):
    """So many pairs, each of which shows its number."""

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def pair(self, index, side, rng):
        shown = np.full((1, 1, 3), index, np.uint8)
        return DensePair(shown, shown, np.zeros((1, 1, 2), np.float32))


@pytest.mark.parametrize("count", [2, 9, 10, 11, 20, 95])
def test_every_tenth_is_held_out_and_the_rest_is_not(count):
    parts = HeldOut(Numbers(count)), Rest(Numbers(count))
    rng = np.random.default_rng(0)
    held, rest = (
        [int(part.pair(i, 0, rng).image0[0, 0, 0]) for i in range(len(part))] for part in parts
    )
    assert held == list(range(0, count, 10))
    assert rest == [number for number in range(count) if number % 10]


def test_what_is_held_out(tmp_path):
    data = CorrespondenceDataModule(source=Numbers(25))
    assert len(data.read_train()) == 22
    both = CorrespondenceDataModule(source=Numbers(25), val_source=Numbers(3))
    assert len(both.read_train()) == 25
    with pytest.raises(DatasetError, match="holds 1 pair; 2 or more"):
        CorrespondenceDataModule(source=Numbers(1)).read_train()
    with pytest.raises(OptionError, match="val_source is given without a source"):
        CorrespondenceDataModule(val_source=StereoPairs(tmp_path))


def test_keypoints_are_looked_for_where_they_are_wanted():
    found = [
        CorrespondenceDataModule(side=128, num_val_pairs=1, keypoints=wanted).read_val()[0]
        for wanted in (True, False)
    ]
    assert found[0].keypoints0.shape[1] > 0
    assert found[1].keypoints0.shape == (1, 0, 2)
    assert (found[0].images0 == found[1].images0).all()


def test_scenes_that_are_held_out_are_others():
    source = SyntheticPairs(SyntheticConfig(surfaces=Surfaces(num_tiles=14), num_objects=(3, 5)))
    assert len(HeldOut(source)) + len(Rest(source)) == len(source)
    first = make_batch(HeldOut(source), 1, 48, np.random.default_rng(0))
    other = make_batch(Rest(source), 1, 48, np.random.default_rng(0))
    assert not (first.images0 == other.images0).all()
