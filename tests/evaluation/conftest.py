"""What the tests of the benchmarks share."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
from rich.console import Console

from corr.cli import main
from corr.data.mini import mini_folder
from corr.evaluation import measure
from corr.evaluation.cache import Cache
from corr.formats import write_image


@pytest.fixture(scope="session")
def mini(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small data set of every kind; nobody writes into it."""
    return mini_folder(tmp_path_factory.mktemp("mini"))


@pytest.fixture(scope="session")
def darker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sequence in HPatches' layout: one photograph, and five copies that are a little darker."""
    folder = tmp_path_factory.mktemp("sequences") / "coffee"
    folder.mkdir()
    photo = skimage.data.coffee()[:300, :400]
    for k in range(1, 7):
        write_image(folder / f"{k}.png", (photo * (1 - 0.05 * k)).astype(np.uint8))
        if k > 1:
            np.savetxt(folder / f"H_1_{k}", np.eye(3))
    return folder.parent


@pytest.fixture
def evaluate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> Callable[..., dict[str, dict[str, Any]]]:
    def run(benchmark: str, root: Path, *models: object) -> dict[str, Any]:
        """The totals that the command writes, by model."""
        names = ",".join(map(str, models))
        out, cache = tmp_path / "out", tmp_path / "cache"
        given = ["evaluate", benchmark, "--root", root, "--models", names, "--out", out]
        assert main([*map(str, given), "--cache", str(cache)]) == 0, capsys.readouterr().err
        stored = json.loads((out / f"{benchmark}.json").read_text())
        assert not any(row["num_failed"] for row in stored["rows"])
        return {row["model"]: row["scores"] for row in stored["rows"] if row["group"] == "all"}

    return run


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """What the benchmark of `word_length` runs on."""
    path = tmp_path / "words.txt"
    path.write_text("apple ant bee")
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """However quick the model is."""
    monkeypatch.setattr(measure, "MAX_RUNS", 1)


@pytest.fixture
def console() -> Console:
    return Console(record=True, width=160, file=io.StringIO())
