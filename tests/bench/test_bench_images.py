"""`corr bench extract`, `match`, `disparity`, `flow`: numbers that agree, right results."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from corr.bench.scenes import astronaut, motorcycle
from corr.cli import main
from corr.geometry import sample
from corr.pipeline import catalog


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def bench(task: str, *arguments: str) -> list[dict]:
    options = ["--rounds", "2", "--device", "cpu", "--out", "report"]
    assert main(["bench", task, *arguments, *options]) == 0
    report = json.loads(Path(f"report/{task}.json").read_text(encoding="utf-8"))
    assert report["environment"]["precision"].startswith("float32")
    for row in report["rows"]:
        assert 0 < row["median_s"] <= row["p90_s"]
        base = next(other for other in report["rows"] if other["size"] == row["size"])
        assert row["ratio"] == pytest.approx(row["median_s"] / base["median_s"])
    return report["rows"]


def test_the_classical_method_comes_first(capsys):
    rows = bench("extract", "--models", "orb,rootsift", "--sizes", "96,128")
    names = ["sift", "orb", "rootsift"]
    assert [(row["model"], row["size"]) for row in rows] == [
        (name, size) for size in ("96 x 96", "128 x 128") for name in names
    ]
    assert all(row["num_keypoints"] > 20 for row in rows)
    assert len(re.findall(r"^ orb +(96 x 96|128 x 128) ", capsys.readouterr().out, re.M)) == 2


def test_match_finds_what_the_homography_says():
    rows = bench("match", "--models", "rootsift", "--sizes", "256")
    assert [row["model"] for row in rows] == ["sift", "rootsift"]
    for row in rows:
        assert row["num_matches"] > 50
        assert row["correct"] > 0.9


def test_disparity_and_flow_are_near_the_truth():
    rows = bench("disparity", "--models", "census,bm", "--sizes", "256")
    assert [row["model"] for row in rows] == ["sgbm", "census", "bm"]
    assert all(row["bad_2"] < 0.15 for row in rows)
    (row,) = bench("flow", "--models", "dis", "--sizes", "256")
    assert row["model"] == "dis"
    assert row["size"] == "256 x 173"
    assert row["epe_px"] < 2


def test_all_models_of_the_catalogue_when_none_are_named(monkeypatch):
    asked = []
    monkeypatch.setattr(catalog, "names", lambda task: asked.append(task) or ["orb", "sift"])
    assert [row["model"] for row in bench("extract", "--sizes", "96")] == ["sift", "orb"]
    assert "extract" in asked


def test_the_turned_view_is_where_the_homography_says():
    import torch

    from corr.geometry import transform_points

    pair = astronaut(200)
    assert pair.image0.shape == pair.image1.shape == (200, 200, 3)
    points = torch.tensor([[[90.0, 60.0], [110.0, 120.0], [70.0, 100.0], [120.0, 80.0]]])
    moved = transform_points(torch.from_numpy(pair.homography_0to1).float()[None], points)

    def read(image, places):
        return sample(torch.from_numpy(image).permute(2, 0, 1)[None].float(), places).numpy()

    assert np.abs(read(pair.image0, points) - read(pair.image1, moved)).max() < 25


def test_a_smaller_pair_has_a_smaller_disparity():
    whole, half = motorcycle(741), motorcycle(370)
    assert (whole.max_disparity, half.max_disparity) == (64, 32)
    for pair in (whole, half):
        assert pair.truth.shape == pair.left.shape[:2] == pair.right.shape[:2]
    medians = [np.median(pair.truth[np.isfinite(pair.truth)]) for pair in (whole, half)]
    assert medians[1] == pytest.approx(medians[0] * 370 / 741, rel=0.02)
