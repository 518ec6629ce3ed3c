"""What `--model` may name."""

from pathlib import Path

import pytest
import torch

from corr.classical.binary import has_akaze
from corr.errors import ModelError
from corr.models import GeMNet, HardNet
from corr.models.saved import save_network, shipped_networks
from corr.pipeline import catalog


def test_every_entry_is_of_a_task_with_a_default_and_says_what_it_is() -> None:
    entries = catalog.entries()
    assert len({entry.name for entry in entries}) == len(entries)
    for entry in entries:
        assert entry.tasks
        assert set(entry.tasks) <= set(catalog.DEFAULTS)
        assert entry.kind in ("classical", "learned", "untrained")
        assert entry.summary
        assert "\n" not in entry.summary


@pytest.mark.parametrize("task", sorted(catalog.DEFAULTS))
def test_the_default_of_a_task_is_one_of_its_models(task: str) -> None:
    assert catalog.DEFAULTS[task] in catalog.names(task)
    assert catalog.resolve(None, task) == catalog.resolve(catalog.DEFAULTS[task], task)


def test_every_shipped_network_is_listed_and_loads() -> None:
    learned = [entry for entry in catalog.entries() if entry.kind == "learned"]
    assert [entry.name for entry in learned] == shipped_networks()
    for entry in learned:
        task = entry.tasks[0]
        assert catalog.resolve(entry.name, task) is catalog.resolve(entry.name, task)


def test_the_untrained_network_is_always_the_same() -> None:
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    catalog._untrained.cache_clear()
    first = catalog.resolve("gemnet-untrained", "embed")
    catalog._untrained.cache_clear()
    torch.manual_seed(6)
    again = catalog.resolve("gemnet-untrained", "embed")
    assert isinstance(first, GeMNet)
    assert isinstance(again, GeMNet)
    for one, other in zip(first.parameters(), again.parameters(), strict=True):
        assert torch.equal(one, other)
    torch.manual_seed(5)
    catalog._untrained.cache_clear()
    catalog.resolve("gemnet-untrained", "embed")
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_name_comes_before_a_folder_of_that_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save_network(HardNet(), tmp_path / "sift")
    assert catalog.resolve("sift", "match") == "sift"
    assert isinstance(catalog.resolve("./sift", "match"), HardNet)


def test_unknown_models_are_refused_with_those_that_there_are() -> None:
    with pytest.raises(ModelError, match="model 'sgm' is not known; use one of census, sgbm, bm"):
        catalog.check("sgm", "disparity")
    with pytest.raises(ModelError, match="model 'dis' does flow, not match; use one of rootsift"):
        catalog.resolve("dis", "match")


@pytest.mark.skipif(has_akaze(), reason="the installed OpenCV has AKAZE")
def test_a_known_model_that_is_not_installed_says_what_to_install() -> None:
    with pytest.raises(ModelError, match="'akaze' is not in the installed OpenCV"):
        catalog.resolve("akaze", "match")
    assert "akaze" not in catalog.names("match")
