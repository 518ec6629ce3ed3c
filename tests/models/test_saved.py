import subprocess
import sys

import pytest
import torch
import yaml
from safetensors.torch import load_file, save_file
from torch import nn

from corr.errors import ModelError
from corr.models import (
    DenseDescriptor,
    HardNet,
    PatchDescriptor,
    load_dense_descriptor,
    load_network,
    save_network,
)
from corr.models import saved as saved_module
from corr.models.saved import RECORD, WEIGHTS, network_record, shipped_networks


class Thumbnail(PatchDescriptor):
    """A user's own network; it keeps none of its settings under their names."""

    def __init__(self, side: int = 4, steps: tuple[int, ...] = (1, 2)) -> None:
        super().__init__()
        self.descriptor_dim = side * side
        self.sigmas = 20.0
        self.pool = nn.AdaptiveAvgPool2d(side)
        self.gain = nn.Parameter(torch.rand(len(steps)))

    def forward(self, patches):
        return nn.functional.normalize(self.pool(patches).flatten(1) + self.gain.sum(), dim=1)


class BigThumbnail(Thumbnail):
    """Hands its parent other settings than its own."""

    def __init__(self, doubled: int) -> None:
        super().__init__(side=2 * doubled)


@pytest.fixture
def network() -> HardNet:
    torch.manual_seed(0)
    network = HardNet(descriptor_dim=16, dropout=0.1).train()
    for _ in range(2):
        network(torch.rand(8, 1, 32, 32))
    return network


@pytest.fixture
def folder(network, tmp_path):
    save_network(network, tmp_path / "run")
    return tmp_path / "run"


def edit_record(folder, **changes):
    path = folder / RECORD
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changes))


def edit_weights(folder, change):
    weights = load_file(folder / WEIGHTS)
    change(weights)
    save_file(weights, folder / WEIGHTS)


def test_what_is_saved_comes_back_exactly(network, folder):
    loaded = load_network(folder)
    assert isinstance(loaded, HardNet)
    assert not loaded.training
    assert loaded.settings == {"descriptor_dim": 16, "dropout": 0.1, "sigmas": 20.0}
    patches = torch.rand(5, 1, 32, 32)
    assert torch.equal(loaded(patches), network.eval()(patches))


def test_record_is_readable(folder):
    assert yaml.safe_load((folder / RECORD).read_text()) == {
        "class_path": "corr.models.HardNet",
        "init_args": {"descriptor_dim": 16, "dropout": 0.1, "sigmas": 20.0},
    }


def test_half_precision_halves_the_file_and_loads_as_float32(network, folder):
    full = (folder / WEIGHTS).stat().st_size
    save_network(network, folder, dtype=torch.float16)
    assert (folder / WEIGHTS).stat().st_size < 0.55 * full
    loaded = load_network(folder)
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    patches = torch.rand(5, 1, 32, 32)
    expected = network.eval()(patches)
    assert not torch.equal(loaded(patches), expected)
    torch.testing.assert_close(loaded(patches), expected, atol=5e-3, rtol=0)


def test_a_network_in_half_precision_loads_as_float32(network, folder):
    save_network(network.half(), folder)
    assert {p.dtype for p in load_network(folder).parameters()} == {torch.float32}


def test_saving_again_replaces_and_leaves_nothing_else(folder):
    save_network(HardNet(descriptor_dim=8), folder)
    assert load_network(folder).settings["descriptor_dim"] == 8
    assert {path.name for path in folder.iterdir()} == {RECORD, WEIGHTS}


def test_a_network_of_ones_own_records_its_settings(tmp_path):
    network = Thumbnail(8, steps=(1, 2, 3))
    save_network(network, tmp_path)
    loaded = load_network(str(tmp_path))
    assert isinstance(loaded, Thumbnail)
    assert loaded.settings == {"side": 8, "steps": [1, 2, 3]}
    assert torch.equal(loaded.gain, network.gain)


def test_the_outermost_constructor_is_recorded(tmp_path):
    network = BigThumbnail(3)
    assert network.settings == {"doubled": 3}
    save_network(network, tmp_path)
    assert load_network(tmp_path).descriptor_dim == 36


def test_recorded_settings_do_not_change_with_the_callers_objects():
    steps = [1, 2]
    network = Thumbnail(4, steps)  # type: ignore[arg-type]  # a list, to change it
    steps.append(3)
    assert network.settings["steps"] == [1, 2]


def test_a_shipped_name_is_found(network, tmp_path, monkeypatch):
    monkeypatch.setattr(saved_module, "weights_root", lambda: tmp_path)
    save_network(network, tmp_path / "tiny")
    assert shipped_networks() == ["tiny"]
    assert load_network("tiny").settings["descriptor_dim"] == 16
    with pytest.raises(ModelError, match="model 'huge' is neither a folder nor one of: tiny"):
        load_network("huge")


def test_unknown_name_without_any_shipped(tmp_path, monkeypatch):
    monkeypatch.setattr(saved_module, "weights_root", lambda: tmp_path)
    with pytest.raises(ModelError, match="'hardnett' is neither a folder nor one of: none"):
        load_network("hardnett")


@pytest.mark.parametrize("name", [RECORD, WEIGHTS])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    with pytest.raises(ModelError, match=f"holds no network: '{name}' is missing"):
        load_network(folder)


def test_truncated_weights(folder):
    content = (folder / WEIGHTS).read_bytes()
    for length in (0, 4, 100, len(content) // 2):
        (folder / WEIGHTS).write_bytes(content[:length])
        with pytest.raises(ModelError, match=r"weights file '.*safetensors' is damaged"):
            load_network(folder)


def test_missing_additional_and_misshapen_weights(folder):
    edit_weights(folder, lambda weights: weights.pop("layers.0.weight"))
    with pytest.raises(ModelError, match=r"HardNet: 'layers.0.weight' is missing"):
        load_network(folder)
    edit_weights(folder, lambda w: w.update({"layers.0.weight": torch.zeros(32, 1, 5, 5)}))
    with pytest.raises(ModelError, match=r"is \[32, 1, 5, 5\] instead of \[32, 1, 3, 3\]"):
        load_network(folder)
    edit_weights(
        folder,
        lambda w: w.update({"layers.0.weight": torch.zeros(32, 1, 3, 3), "x": torch.ones(1)}),
    )
    with pytest.raises(ModelError, match="'x' is not expected"):
        load_network(folder)


@pytest.mark.parametrize(
    "text",
    ["", "[", "just words", "class_path: [1]\ninit_args: {a: 1", "init_args: {}", "- 1", "\0"],
)
def test_a_damaged_record(folder, text):
    (folder / RECORD).write_text(text)
    with pytest.raises(ModelError, match=r"network.yaml' is damaged"):
        load_network(folder)


def test_settings_that_do_not_fit(folder):
    edit_record(folder, init_args={"descriptor_dims": 16})
    with pytest.raises(ModelError, match="'descriptor_dims'"):
        load_network(folder)
    edit_record(folder, init_args={"descriptor_dim": -1})
    with pytest.raises(ModelError, match="descriptor_dim is -1; use 1 or more"):
        load_network(folder)
    edit_record(folder, init_args=3)
    with pytest.raises(ModelError, match="is damaged"):
        load_network(folder)


def test_only_networks_that_are_imported_are_built(folder):
    for class_path in ("os.system", "torch.nn.Linear", "antigravity.Net", "corr.models.Network", 3):
        edit_record(folder, class_path=class_path)
        with pytest.raises(ModelError, match=r"is not known.*corr\.models\.HardNet"):
            load_network(folder)
    assert "antigravity" not in sys.modules


def test_a_record_cannot_run_code(folder, tmp_path):
    ran = tmp_path / "ran"
    (folder / RECORD).write_text(f"!!python/object/apply:os.mkdir ['{ran}']")
    with pytest.raises(ModelError, match="is damaged"):
        load_network(folder)
    assert not ran.exists()


def test_a_setting_that_is_no_plain_value_is_refused(tmp_path):
    network = Thumbnail(4, steps=torch.arange(2))  # type: ignore[arg-type]  # what is refused
    with pytest.raises(ModelError, match=r"'steps' is a Tensor; use numbers"):
        network_record(network)
    with pytest.raises(ModelError, match="Thumbnail cannot be saved"):
        save_network(network, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_folder_that_cannot_be_made(network, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="cannot be made"):
        save_network(network, tmp_path / "file" / "run")


def test_a_network_that_describes_whole_images(tmp_path):
    """What ships, and a folder that training wrote; it can be trained on."""
    network = load_dense_descriptor("ucn")
    assert isinstance(network, DenseDescriptor)
    assert all(parameter.requires_grad for parameter in network.parameters())
    images = torch.rand(1, 3, 32, 48)
    assert network(images).descriptors.shape[:2] == (1, network.descriptor_dim)
    save_network(network, tmp_path)
    again = load_dense_descriptor(tmp_path)
    assert torch.equal(again(images).descriptors, network(images).descriptors)


def test_a_network_that_describes_patches_is_no_dense_one(folder):
    with pytest.raises(ModelError, match=r"model 'hardnet' is a HardNet; use one that .* as ucn"):
        load_dense_descriptor("hardnet")
    with pytest.raises(ModelError, match=f"model '{folder}' is a HardNet; use one that describes"):
        load_dense_descriptor(folder)
    with pytest.raises(ModelError, match="model 'ucm' is neither a folder nor one of"):
        load_dense_descriptor("ucm")


def test_loading_in_a_fresh_process(folder):
    code = f"from corr.models import load_network; print(load_network({str(folder)!r}).settings)"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert "'descriptor_dim': 16" in result.stdout
