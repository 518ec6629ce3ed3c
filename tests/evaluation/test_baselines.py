"""The classical rows on published pairs agree with an independent measurement of the same methods.

Those figures were made with OpenCV alone, outside this project, and are stated to a tenth of a per
cent. Estimators are random and few pairs move the AUC, so only that of all pairs is compared.
"""

import json
from pathlib import Path

import pytest

from corr.cli import main

ORB = {"num_matches": 575, "num_correct": 445, "mma": (27.9, 65.4, 72.0, 74.8)}
ORB_AUC = (12.2, 32.8, 47.1, 67.6)
ROOTSIFT_BOAT = {"num_matches": 431, "num_correct": 401, "mma": (62.7, 84.0, 85.6, 88.0)}
SGBM = {  # bad-1, bad-2, bad-4 of all pixels; bad-1, bad-2 of the visible ones; D1
    "tsukuba": (5.7, 4.1, 2.2, None, None, 2.9),
    "teddy": (13.4, 9.1, 5.1, 6.5, 4.6, 6.2),
    "Reindeer": (10.8, 7.7, 6.3, 4.8, 3.4, 6.6),
    "000027_10": (15.1, 9.1, 6.1, 14.6, 8.9, 7.0),
    "000074_10": (31.8, 18.5, 12.1, 31.1, 18.1, 13.9),
}
SGBM_KEYS = ("bad_1_all", "bad_2_all", "bad_4_all", "bad_1_noc", "bad_2_noc", "d1_all")
AT_PX = (1, 3, 5, 10)


@pytest.fixture
def evaluated(tmp_path):
    def run(benchmark: str, root: Path, model: str) -> dict:
        given = ["--root", str(root), "--models", model, "--out", str(tmp_path)]
        assert main(["evaluate", benchmark, *given]) == 0
        return json.loads((tmp_path / f"{benchmark}.json").read_text())

    return run


def whole(stored: dict) -> dict:
    return next(row["scores"] for row in stored["rows"] if row["group"] == "all")


def check_matches(scores: dict, expected: dict) -> None:
    assert scores["num_matches"] == pytest.approx(expected["num_matches"], abs=2)
    assert scores["num_correct"] == pytest.approx(expected["num_correct"], abs=2)
    found = [100 * scores[f"mma_{t}"] for t in AT_PX]
    assert found == pytest.approx(expected["mma"], abs=0.5)


def test_orb_on_all_pairs(shared_data, tmp_path, evaluated):
    root = tmp_path / "both"
    root.mkdir()
    for name in ("oxford-affine", "hpatches-sequences"):
        (root / name).symlink_to(shared_data / name)
    scores = whole(evaluated("homographies", root, "orb"))
    check_matches(scores, ORB)
    assert [100 * scores[f"auc_magsac_{t}"] for t in AT_PX] == pytest.approx(ORB_AUC, abs=2)


def test_rootsift_on_one_sequence(shared_data, evaluated):
    scores = whole(evaluated("homographies", shared_data / "oxford-affine" / "boat", "rootsift"))
    check_matches(scores, ROOTSIFT_BOAT)


@pytest.mark.parametrize("name", ["middlebury-stereo", "kitti-2012"])
def test_sgbm_on_every_scene(shared_data, evaluated, name):
    stored = evaluated("stereo", shared_data / name, "sgbm")
    assert stored["items"]["sgbm"]
    for item in stored["items"]["sgbm"]:
        for key, expected in zip(SGBM_KEYS, SGBM[item["item"]], strict=True):
            if expected is None:
                assert item["scores"][key] is None
            else:
                assert 100 * item["scores"][key] == pytest.approx(expected, abs=0.5), key
