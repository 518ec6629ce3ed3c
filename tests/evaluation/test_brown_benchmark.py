"""FPR95 on Brown's layout: by hand, at both ends of the scale, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from corr.cli import main
from corr.evaluation.brown import STANDARD, BrownBenchmark

NUM_POINTS = 20


@pytest.fixture
def folder(tmp_path) -> Path:
    """Point k has two patches, of grey 10 k and 10 k + 4; 20 pairs match and 20 do not."""
    folder = tmp_path / "liberty"
    folder.mkdir()
    sheet = np.zeros((1024, 1024), np.uint8)
    for patch in range(2 * NUM_POINTS):
        row, column = divmod(patch, 16)
        grey = 10 * (patch // 2) + 4 * (patch % 2)
        sheet[64 * row : 64 * row + 64, 64 * column : 64 * column + 64] = grey
    cv2.imwrite(str(folder / "patches0000.bmp"), sheet)
    (folder / "info.txt").write_text("".join(f"{p // 2} 0\n" for p in range(2 * NUM_POINTS)))
    lines = [f"{2 * k} {k} 0 {2 * k + 1} {k} 0 0" for k in range(NUM_POINTS)]
    for k in range(NUM_POINTS):
        other = (k + 1) % NUM_POINTS
        lines.append(f"{2 * k + 1} {k} 0 {2 * other} {other} 0 0")
    (folder / STANDARD).write_text("\n".join(lines) + "\n")
    (folder / "m50_1_1_0.txt").write_text(lines[0] + "\n")
    return folder


@pytest.fixture
def rate(folder, tmp_path, monkeypatch) -> Callable[..., float]:
    """FPR95 that the command finds, with given descriptors."""

    def run(describe: Callable[[np.ndarray], np.ndarray]) -> float:
        monkeypatch.setattr(
            "corr.evaluation.brown.describe_patches", lambda _, patches: describe(patches)
        )
        arguments = ["brown", "--root", str(folder), "--models", "rootsift", "--no-reuse"]
        out = ["--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]
        assert main(["evaluate", *arguments, *out]) == 0
        stored = json.loads((tmp_path / "out" / "brown.json").read_text())
        (item,) = stored["items"]["rootsift"]
        assert item["item"] == "liberty/m50_100000_100000_0"
        assert item["error"] is None
        assert item["scores"]["num_pairs"] == 2 * NUM_POINTS
        return item["scores"]["fpr95"]

    return run


def grey(patches: np.ndarray) -> np.ndarray:
    return patches[:, 16, 16, None].astype(np.float32)


def test_both_ends(rate):
    point = lambda patches: grey(patches) // 10  # noqa: E731
    assert rate(point) == 0
    assert rate(lambda patches: np.zeros((len(patches), 2), np.float32)) == 1
    inverted = lambda patches: np.where(grey(patches) % 10 == 0, -1, 1) * 1.0  # noqa: E731
    assert rate(lambda patches: inverted(patches).astype(np.float32)) == 1


def test_by_hand(rate):
    """Matches are 4 apart, others 6, but the last and the first point 194: at 4 none is accepted.

    Above 150 the grey is cut, so that points 15 to 19 are all alike: their four pairs at 0 are.
    """
    assert rate(grey) == 0
    assert rate(lambda patches: np.minimum(grey(patches), 150)) == pytest.approx(4 / 20)


def test_a_real_model_and_its_picture(folder):
    benchmark = BrownBenchmark()
    (item,) = benchmark.items(folder.parent)
    inputs = benchmark.read(item)
    output = benchmark.run("rootsift", inputs)
    assert output.shape == (2 * NUM_POINTS, 128)
    picture = benchmark.draw(inputs, output)
    assert picture.shape[1:] == (14 * (2 * 32 + 4), 3)
    assert picture.shape[0] > 2 * 2 * 32


def test_all_files_of_pairs_where_the_standard_one_is_missing(folder):
    (folder / STANDARD).unlink()
    (item,) = BrownBenchmark().items(folder)
    assert item.pairs.name == "m50_1_1_0.txt"


def test_refusals(folder, capsys):
    (folder / STANDARD).unlink()
    (folder / "m50_1_1_0.txt").unlink()
    assert main(["evaluate", "brown", "--root", str(folder)]) == 2
    assert "liberty' has no pairs to judge by, such as 'm50_100000" in capsys.readouterr().err
    (folder / "patches0000.bmp").unlink()
    assert main(["evaluate", "brown", "--root", str(folder)]) == 2
    assert "holds nothing of brown; expected files such as patches0000.bmp" in (
        capsys.readouterr().err
    )
