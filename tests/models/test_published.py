"""Published weight files: in the authors' layouts, made by kornia's copies of the networks."""

import pickle
from collections import OrderedDict
from pathlib import Path

import kornia.feature as KF
import pytest
import torch
from torch import nn

import corr
from corr.cli import main
from corr.errors import CorrError, ModelError
from corr.models import HardNet, SOSNet, load_published, save_network


def theirs(kind: type[nn.Module]) -> nn.Module:
    torch.manual_seed(1)
    network = kind(pretrained=False).train()
    for _ in range(3):
        network(torch.rand(16, 1, 32, 32) ** 2)
    return network.eval()


def hardnet_file(path: Path, network: nn.Module, *, old: bool = False) -> Path:
    """As the authors' script saves it; `old` as the PyTorch of 2017 wrote it."""
    state = network.state_dict()
    if old:
        state = OrderedDict((k, v) for k, v in state.items() if "num_batches" not in k)
    torch.save({"epoch": 10, "state_dict": state}, path, _use_new_zipfile_serialization=not old)
    return path


@pytest.mark.parametrize("old", [False, True])
def test_hardnet_describes_as_the_network_of_the_file(tmp_path, old):
    network = theirs(KF.HardNet)
    path = hardnet_file(tmp_path / "checkpoint_liberty_with_aug.pth", network, old=old)
    assert "features.0.weight" in torch.load(path, weights_only=True)["state_dict"]
    loaded = load_published(path, sigmas=12.0)
    assert type(loaded) is HardNet
    assert not loaded.training
    assert loaded.sigmas == 12
    patches = torch.rand(5, 1, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(loaded(patches), network(patches), atol=1e-5, rtol=0)


def test_sosnet_describes_as_the_network_of_the_file(tmp_path):
    network = theirs(KF.SOSNet)
    torch.save(network.state_dict(), tmp_path / "sosnet_32x32_liberty.pth")
    loaded = load_published(tmp_path / "sosnet_32x32_liberty.pth")
    assert type(loaded) is SOSNet
    patches = 0.05 * torch.rand(5, 1, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(loaded(patches), network(patches), atol=1e-5, rtol=0)


def test_what_was_loaded_is_saved_and_named_as_a_model(tmp_path):
    loaded = load_published(hardnet_file(tmp_path / "a.pth", theirs(KF.HardNet)))
    save_network(loaded, tmp_path / "published")
    again = corr.load_network(tmp_path / "published")
    patches = torch.rand(3, 1, 32, 32)
    assert torch.equal(again(patches), loaded(patches))


class Harmful:
    def __reduce__(self):
        return Path.touch, (Path("ran"),)


def test_a_file_cannot_run_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for save in (torch.save, lambda value, path: Path(path).write_bytes(pickle.dumps(value))):
        save({"state_dict": Harmful()}, "a.pth")
        with pytest.raises(ModelError, match="holds more than weights"):
            load_published("a.pth")
    assert not Path("ran").exists()


def other_layouts() -> dict[str, object]:
    hardnet, sosnet = theirs(KF.HardNet).state_dict(), theirs(KF.SOSNet).state_dict()
    return {
        r"has another layout": hardnet,  # without the dictionary around it
        r"another layout; a file of HardNet's": {"state_dict": sosnet},
        r"has another": {"state_dict": theirs(KF.HyNet).state_dict()},
        r"has another layout; ": theirs(KF.TFeat).state_dict(),
        r"another layout": [1, 2],
        r"another layou": torch.zeros(3),
        r"another layo": {},
        r"misses 'layers.3.weight'; a file of HardNet": {
            "state_dict": {k: v for k, v in hardnet.items() if k != "features.3.weight"}
        },
        r"has unknown 'layers.40.weight'; a file": sosnet | {"layers.41.weight": torch.zeros(1)},
        r"'layers.0.weight' is \[32, 1, 5, 5\] instead of \[32, 1, 3, 3\]": {
            "state_dict": hardnet | {"features.0.weight": torch.zeros(32, 1, 5, 5)}
        },
        r"'layers.0.weight' is int instead of": {"state_dict": hardnet | {"features.0.weight": 3}},
    }


def test_other_layouts_are_refused_in_one_sentence(tmp_path):
    for pattern, content in other_layouts().items():
        torch.save(content, tmp_path / "x.pth")
        with pytest.raises(ModelError, match=pattern) as caught:
            load_published(tmp_path / "x.pth")
        assert "\n" not in str(caught.value)


def test_missing_and_damaged_files(tmp_path):
    with pytest.raises(ModelError, match="there is no weights file"):
        load_published(tmp_path / "nothing.pth")
    with pytest.raises(ModelError, match="cannot be read: Is a directory"):
        load_published(tmp_path)
    for old in (False, True):
        whole = hardnet_file(tmp_path / "a.pth", theirs(KF.HardNet), old=old).read_bytes()
        for content in (b"", b"text", whole[:100], whole[: len(whole) // 2], whole[:-20]):
            (tmp_path / "b.pth").write_bytes(content)
            with pytest.raises(ModelError, match="is damaged"):
                load_published(tmp_path / "b.pth")


class TestImport:
    """`corr models import FILE [FOLDER]`."""

    def run(self, capsys, *arguments: object) -> tuple[int, str, str]:
        status = main(["models", "import", *map(str, arguments)])
        return status, *capsys.readouterr()

    def test_a_folder_that_model_names(self, tmp_path, capsys, monkeypatch):
        monkeypatch.chdir(tmp_path)
        path = hardnet_file(tmp_path / "liberty.pth", theirs(KF.HardNet))
        status, said, _ = self.run(capsys, path, "--sigmas", "12")
        assert (status, said) == (0, "wrote liberty: HardNet, to use with --model liberty\n")
        patches = torch.rand(3, 1, 32, 32)
        with torch.no_grad():
            expected = load_published(path)(patches)
            torch.testing.assert_close(corr.load_network("liberty")(patches), expected)
        assert corr.load_network("liberty").sigmas == 12
        torch.save(theirs(KF.SOSNet).state_dict(), "sosnet.pth")
        assert self.run(capsys, "sosnet.pth", "mine/sosnet")[0] == 0
        assert type(corr.load_network("mine/sosnet")) is SOSNet

    def test_refusals(self, tmp_path, capsys, monkeypatch):
        monkeypatch.chdir(tmp_path)
        torch.save({"state_dict": Harmful()}, "harmful.pth")
        torch.save(theirs(KF.TFeat).state_dict(), "tfeat.pth")
        Path("taken").mkdir()
        for arguments, named in [
            (("harmful.pth",), "holds more than weights"),
            (("tfeat.pth",), "has another layout; a file of HardNet's or SOSNet's"),
            (("nothing.pth",), "there is no weights file 'nothing.pth'"),
            (("tfeat.pth", "taken"), "'taken' is there already"),
            ((), "'import' needs a name"),
        ]:
            status, _, said = self.run(capsys, *arguments)
            assert status == 2
            assert named in said
            assert said.count("\n") == 1
        assert sorted(path.name for path in tmp_path.iterdir()) == [
            "harmful.pth", "taken", "tfeat.pth",
        ]  # fmt: skip
        assert main(["models", "list", "--sigmas", "3"]) == 2
        assert "--sigmas belongs to 'import FILE'" in capsys.readouterr().err


def test_sigmas_are_checked(tmp_path):
    path = hardnet_file(tmp_path / "a.pth", theirs(KF.HardNet))
    with pytest.raises(CorrError, match=r"sigmas is -1\.0"):
        load_published(path, sigmas=-1.0)
