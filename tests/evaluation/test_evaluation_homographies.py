"""The homography benchmark: hand-made matches, a warped photograph, and the published pairs."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch

from corr.data.homographies import HomographyPair
from corr.errors import ModelError
from corr.evaluation.cache import Cache
from corr.evaluation.frame import run_benchmark
from corr.evaluation.homographies import (
    HomographyBenchmark,
    HomographyInputs,
    HomographyProtocol,
)
from corr.formats import write_image
from corr.geometry import warp_homography
from corr.results import Matches

SHIFT = np.array([[1.0, 0, 7], [0, 1, -3], [0, 0, 1]])
IMAGE = np.zeros((60, 80, 3), np.uint8)
INPUTS = HomographyInputs(IMAGE, IMAGE, SHIFT)


def matches(points0: np.ndarray, points1: np.ndarray) -> Matches:
    scores = np.ones(len(points0), np.float32)
    return Matches(
        points0.astype(np.float32), points1.astype(np.float32), scores, (60, 80), (60, 80)
    )


def pair(homography: np.ndarray = SHIFT) -> HomographyPair:
    return HomographyPair("boat", Path("img1.png"), Path("img2.png"), homography)


class TestScore:
    def test_hand_answer(self):
        grid = np.stack(np.meshgrid(np.arange(0, 80, 8), np.arange(0, 60, 8)), -1).reshape(-1, 2)
        errors = np.zeros(len(grid))
        errors[:4], errors[4:8] = 2.5, 40
        target = grid + [7, -3] + errors[:, None] * [0, 1]
        scores = HomographyBenchmark().score(pair(), INPUTS, matches(grid, target))
        assert (scores["num_matches"], scores["num_correct"]) == (80, 76)
        assert scores["mma_1"] == scores["mma_2"] == 72 / 80
        assert scores["mma_3"] == scores["mma_10"] == 76 / 80

    def test_the_homography_found_is_judged_and_not_the_matches(self):
        grid = np.random.default_rng(0).random((100, 2)) * [79, 59]
        scores = HomographyBenchmark().score(pair(), INPUTS, matches(grid, grid + np.array([7, 2])))
        assert scores["mma_4"] == 0
        assert scores["corner_error_magsac_px"] == pytest.approx(5, abs=0.05)

    @pytest.mark.parametrize("count", [0, 3])
    def test_too_few_matches_for_a_homography(self, count):
        points = np.arange(2.0 * count).reshape(count, 2)
        scores = HomographyBenchmark().score(
            pair(), INPUTS, matches(points, points + np.array([7, -3]))
        )
        assert scores["mma_3"] == (count > 0)
        assert scores["corner_error_magsac_px"] == np.inf

    def test_matches_on_a_point_do_not_crash(self):
        points = np.ones((20, 2))
        scores = HomographyBenchmark().score(pair(), INPUTS, matches(points, points))
        assert scores["corner_error_magsac_px"] > 1

    def test_the_estimate_is_the_same_each_time(self):
        random = np.random.default_rng(0)
        points0 = random.random((200, 2)) * 80
        points1 = points0 + random.normal(0, 2, (200, 2))
        points1[:100] = random.random((100, 2)) * 80
        found, benchmark = matches(points0, points1), HomographyBenchmark()
        first = benchmark.score(pair(), INPUTS, found)
        assert first["corner_error_magsac_px"] < np.inf
        assert benchmark.score(pair(), INPUTS, found) == first
        others = [first[f"corner_error_magsac_{index}_px"] for index in range(1, 5)]
        assert len({first["corner_error_magsac_px"], *others}) > 1  # each order draws its own


class TestAggregate:
    def test_means_over_pairs_and_area_of_all_errors(self):
        table = {
            "num_matches": np.array([100.0, 0.0]),
            "mma_3": np.array([1.0, 0.0]),
            "corner_error_magsac_px": np.array([0.0, np.inf]),
            "corner_error_least_squares_px": np.array([np.inf, np.inf]),
        }
        found = HomographyBenchmark().aggregate(table)
        assert found["num_matches"] == 50
        assert found["mma_3"] == 0.5
        assert [found[f"auc_magsac_{t}"] for t in (1, 3, 5, 10)] == pytest.approx([0.5] * 4)
        assert [found[f"auc_least_squares_{t}"] for t in (1, 3, 5, 10)] == [0] * 4
        assert not any("corner" in key for key in found)

    def test_area_is_the_mean_over_the_orders_of_the_matches(self):
        table = {
            "corner_error_least_squares_px": np.array([0.0]),
            "corner_error_magsac_px": np.array([0.0]),
            "corner_error_magsac_1_px": np.array([np.inf]),
        }
        found = HomographyBenchmark().aggregate(table)
        assert found["auc_magsac_3"] == pytest.approx(0.5)
        assert found["auc_least_squares_3"] == pytest.approx(1.0)

    def test_samples_are_aggregated_one_by_one(self):
        keys = ("num_matches", "corner_error_magsac_px", "corner_error_least_squares_px")
        table = {key: np.array([[0.0, 2.0], [4.0, 4.0]]) for key in keys}
        found = HomographyBenchmark().aggregate(table)
        assert found["num_matches"].tolist() == [1, 4]
        # To (0, .5), to (2, 1), level to 5; and to (4, .5), up to 1, level to 5.
        assert found["auc_magsac_5"] == pytest.approx([(2 * 0.75 + 3) / 5, (4 * 0.25 + 1) / 5])

    def test_worst_has_every_score(self):
        benchmark = HomographyBenchmark()
        scores = benchmark.score(pair(), INPUTS, matches(np.zeros((0, 2)), np.zeros((0, 2))))
        assert benchmark.worst(pair()) == scores


class TestProtocol:
    def test_every_setting_is_stored_and_json(self):
        protocol = HomographyBenchmark().protocol
        assert protocol["max_keypoints"] == 2048
        assert protocol["mma_px"] == list(range(1, 11))
        assert protocol["opencv"]

    def test_a_setting_changes_the_protocol(self):
        other = HomographyBenchmark(HomographyProtocol(max_keypoints=512))
        assert other.protocol != HomographyBenchmark().protocol

    def test_unknown_model(self):
        with pytest.raises(ModelError, match="siftt"):
            HomographyBenchmark().candidate("siftt")


@pytest.fixture
def sequence(tmp_path: Path) -> Path:
    """A photograph and five shifted, shrunk copies, as HPatches lays them out."""
    folder = tmp_path / "v_camera"
    folder.mkdir()
    image = skimage.data.chelsea()[:240, :320]
    write_image(folder / "1.png", image)
    for k in range(2, 7):
        scale = 1 - 0.04 * k
        matrix = np.array([[scale, 0.05, 2.0 * k], [-0.05, scale, 12], [0, 0, 1]])
        np.savetxt(folder / f"H_1_{k}", matrix)
        tensor = torch.from_numpy(image).permute(2, 0, 1)[None].double()
        warped = warp_homography(tensor, torch.from_numpy(matrix)[None])[0].permute(1, 2, 0)
        write_image(folder / f"{k}.png", warped.round().numpy().astype(np.uint8))
    return tmp_path


def test_rootsift_finds_the_warps_of_a_photograph(sequence, tmp_path):
    report = run_benchmark(HomographyBenchmark(), sequence, ["rootsift"], Cache(tmp_path / "cache"))
    whole = report.rows[-1]
    assert (whole.num_items, whole.num_failed) == (5, 0)
    assert whole.scores["num_matches"] > 50
    assert whole.scores["mma_3"] > 0.9
    assert whole.scores["auc_magsac_3"] > 0.6
    assert whole.time_s > 0


def test_a_broken_image_fails_alone(sequence, tmp_path):
    broken = sequence / "v_camera" / "4.png"
    broken.write_bytes(broken.read_bytes()[:500])
    report = run_benchmark(HomographyBenchmark(), sequence, ["rootsift"], Cache(tmp_path / "cache"))
    assert report.rows[-1].num_failed == 1
    assert report.failures()[0].startswith("rootsift, v_camera/1-4: ImageError")
    assert report.rows[-1].scores["mma_3"] > 0.7
