"""What the benchmarks must say of results whose quality is known, through the whole command."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch

from corr.data.flow_pairs import read_flow
from corr.data.homographies import read_sequences
from corr.data.mini import FLOW, SEQUENCES, STEREO
from corr.data.stereo_pairs import read_stereo
from corr.evaluation.cache import Cache
from corr.formats import write_disparity, write_flow, write_image, write_matches
from corr.models import HardNet, save_network
from corr.models.network import PatchDescriptor
from corr.models.saved import load_network
from corr.results import Matches


def below(folder: Path, name: str, suffix: str) -> Path:
    path = folder / f"{name}{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


class TestHomographies:
    @staticmethod
    def write(root: Path, folder: Path, disturb: Callable[[np.ndarray], np.ndarray]) -> Path:
        """Matches of a grid of points by what is made of each true homography."""
        for pair in read_sequences(root):
            x, y = np.meshgrid(np.arange(10.0, 290, 20), np.arange(10.0, 290, 20))
            points0 = np.stack((x, y), -1).reshape(-1, 2)
            mapped = np.c_[points0, np.ones(len(points0))] @ disturb(pair.homography_0to1).T
            points1 = mapped[:, :2] / mapped[:, 2:]
            tables = points0.astype(np.float32), points1.astype(np.float32)
            found = Matches(*tables, np.ones(len(x.flat), np.float32), (300, 300), (300, 300))
            write_matches(below(folder, pair.name, ".csv"), found)
        return folder

    def test_truth_is_perfect(self, mini, tmp_path, evaluate):
        root = mini / SEQUENCES
        truth = self.write(root, tmp_path / "truth", lambda matrix: matrix)
        scores = evaluate("homographies", root, truth)[str(truth)]
        assert scores["num_correct"] == scores["num_matches"] == 196
        assert [scores[f"mma_{t}"] for t in range(1, 11)] == [1.0] * 10
        for estimator in ("least_squares", "magsac"):
            assert scores[f"auc_{estimator}_1"] > 0.995
            assert scores[f"auc_{estimator}_10"] > 0.999

    def test_a_wrong_homography_has_nearly_no_correct_match(self, mini, tmp_path, evaluate):
        root = mini / SEQUENCES
        turn = np.array([[0.0, -1, 300], [1, 0, 0], [0, 0, 1]])
        wrong = self.write(root, tmp_path / "wrong", lambda matrix: turn @ matrix)
        scores = evaluate("homographies", root, wrong)[str(wrong)]
        assert scores["mma_10"] < 0.02
        assert scores["auc_magsac_10"] == scores["auc_least_squares_10"] == 0

    def test_least_squares_shows_the_wrong_matches_that_magsac_hides(
        self, mini, tmp_path, evaluate
    ):
        root, rng = mini / SEQUENCES, np.random.default_rng(0)
        folder = self.write(root, tmp_path / "some", lambda matrix: matrix)
        for path in folder.rglob("*.csv"):
            header, *lines = path.read_text().splitlines()
            for row in range(0, len(lines), 5):
                x, y = rng.uniform(0, 290, 2)
                start = lines[row].split(",")
                lines[row] = f"{start[0]},{start[1]},{x},{y},1"
            path.write_text("\n".join([header, *lines]))
        scores = evaluate("homographies", root, folder)[str(folder)]
        assert scores["mma_3"] == pytest.approx(0.8, abs=0.01)
        assert scores["auc_magsac_3"] > 0.98
        assert scores["auc_least_squares_3"] < 0.1


class TestStereo:
    @staticmethod
    def write(root: Path, folder: Path, shift: float, suffix: str = ".pfm") -> Path:
        for pair in read_stereo(root):
            found = pair.truth().disparity + np.float32(shift)
            write_disparity(below(folder, pair.name, suffix), found)
        return folder

    @pytest.mark.parametrize("suffix", [".pfm", ".npy"])
    def test_truth_is_perfect(self, mini, tmp_path, evaluate, suffix):
        root = mini / STEREO
        truth = self.write(root, tmp_path / "truth", 0, suffix)
        scores = evaluate("stereo", root, truth)[str(truth)]
        assert [scores[f"bad_{t}_all"] for t in ("0.5", "1", "2", "4")] == [0] * 4
        assert scores["epe_all"] == scores["d1_all"] == 0
        assert scores["density"] == scores["matched"] == 1
        assert scores["bad_2_noc"] is None  # this set does not tell what is occluded

    def test_truth_moved_by_a_pixel(self, mini, tmp_path, evaluate):
        root = mini / STEREO
        moved = self.write(root, tmp_path / "moved", 1)
        scores = evaluate("stereo", root, moved)[str(moved)]
        assert scores["epe_all"] == pytest.approx(1, abs=1e-6)
        assert scores["bad_0.5_all"] == scores["bad_0.5_all_matched"] == 1
        assert scores["bad_2_all"] == scores["d1_all"] == 0

    def test_what_is_missing_counts_as_wrong_and_is_left_out(self, mini, tmp_path, evaluate):
        root = mini / STEREO
        pair = read_stereo(root)[0]
        truth = pair.truth().disparity
        known = np.flatnonzero(np.isfinite(truth))
        half = truth.copy()
        half.flat[known[::2]] = np.nan
        half.flat[known[1::4]] += 3
        write_disparity(below(tmp_path / "half", pair.name, ".pfm"), half)
        scores = evaluate("stereo", root, tmp_path / "half")[str(tmp_path / "half")]
        assert scores["density"] == pytest.approx(0.5, abs=1e-4)
        assert scores["bad_2_all"] == pytest.approx(0.75, abs=1e-4)
        assert scores["bad_2_all_matched"] == pytest.approx(0.5, abs=1e-4)
        assert scores["epe_all"] == pytest.approx(1.5, abs=1e-3)

    def test_occluded_pixels_are_told_apart(self, shared_data, tmp_path, evaluate):
        root = shared_data / "middlebury-stereo"
        for pair in read_stereo(root):
            truth = pair.truth()
            found = truth.disparity.copy()
            if truth.occluded is not None:
                found[truth.occluded] += 10
            write_disparity(below(tmp_path / "seen", pair.name, ".pfm"), found)
        scores = evaluate("stereo", root, tmp_path / "seen")[str(tmp_path / "seen")]
        assert scores["bad_0.5_noc"] == 0
        assert scores["bad_4_all"] > 0.05


class TestFlow:
    @staticmethod
    def write(root: Path, folder: Path, shift: float) -> Path:
        for pair in read_flow(root):
            found = pair.truth().flow + np.float32([shift, 0])
            write_flow(below(folder, pair.name, ".flo"), found)
        return folder

    def test_truth_is_perfect_and_moved_is_off_by_one(self, mini, tmp_path, evaluate):
        root = mini / FLOW
        truth = self.write(root, tmp_path / "truth", 0)
        moved = self.write(root, tmp_path / "moved", 1)
        scores = evaluate("flow", root, truth, moved)
        classes = ("all", "s0_10", "s10_40", "s40")
        assert [scores[str(truth)][f"epe_{name}"] for name in classes] == [0] * 4
        found = [scores[str(moved)][f"epe_{name}"] for name in classes]
        assert found == pytest.approx([1] * 4, abs=1e-6)
        assert scores[str(moved)]["fl_all"] == 0

    def test_classes_pool_their_pixels(self, shared_data, tmp_path, evaluate):
        """Each vector is off by a tenth of its length; Sintel also tells what is occluded."""
        root = shared_data / "sintel"
        errors, lengths = [], []
        for pair in read_flow(root):
            truth = pair.truth()
            write_flow(below(tmp_path / "tenth", pair.name, ".flo"), truth.flow * np.float32(1.1))
            length = np.linalg.norm(truth.flow, axis=2)
            errors.append(0.1 * length[np.isfinite(length)])
            lengths.append(length[np.isfinite(length)])
        scores = evaluate("flow", root, tmp_path / "tenth")[str(tmp_path / "tenth")]
        error, length = np.concatenate(errors), np.concatenate(lengths)
        assert scores["epe_all"] == pytest.approx(error.mean(), rel=1e-4)
        assert scores["epe_s0_10"] == pytest.approx(error[length < 10].mean(), rel=1e-4)
        assert scores["fl_all"] == pytest.approx((error > 3).mean(), abs=1e-4)
        assert scores["epe_matched"] is not None
        assert scores["epe_unmatched"] is not None


class Inverted(PatchDescriptor):
    """HardNet, whose descriptor of a bright patch is turned round.

    Where image 1 is dark and the others are bright, every similarity changes its sign.
    """

    def __init__(self) -> None:
        super().__init__()
        self.network = HardNet()
        self.descriptor_dim, self.sigmas = self.network.descriptor_dim, self.network.sigmas

    def forward(self, patches: torch.Tensor) -> torch.Tensor:
        bright = patches.mean((1, 2, 3)) > 0.5
        return self.network(patches) * torch.where(bright, -1.0, 1.0)[:, None]


@pytest.fixture
def dark_then_bright(tmp_path) -> Path:
    """A photograph, dark, and copies that are turned and bright."""
    folder = tmp_path / "sequences" / "coffee"
    folder.mkdir(parents=True)
    photo = skimage.data.coffee()[:300, :400]
    write_image(folder / "1.png", (0.45 * photo).astype(np.uint8))
    for k in range(2, 7):
        turned = np.rot90(photo, k - 1)
        height, width = photo.shape[:2]
        quarter = {
            1: [[0, 1, 0], [-1, 0, width - 1], [0, 0, 1]],
            2: [[-1, 0, width - 1], [0, -1, height - 1], [0, 0, 1]],
            3: [[0, -1, height - 1], [1, 0, 0], [0, 0, 1]],
            0: np.eye(3),
        }
        np.savetxt(folder / f"H_1_{k}", np.array(quarter[(k - 1) % 4], float))
        write_image(folder / f"{k}.png", (140 + 0.45 * turned).astype(np.uint8))
    return folder.parent


def test_an_inverted_descriptor_inverts_fpr95(dark_then_bright, tmp_path, evaluate):
    inverted = Inverted()
    inverted.network.load_state_dict(load_network("hardnet").state_dict())
    save_network(inverted, tmp_path / "inverted")
    scores = evaluate("patches", dark_then_bright, "hardnet", tmp_path / "inverted", "rootsift")
    assert scores["hardnet"]["num_patches"] > 40
    assert scores["hardnet"]["fpr95"] < 0.01
    assert scores["rootsift"]["fpr95"] < 0.05
    assert scores[str(tmp_path / "inverted")]["fpr95"] > 0.99


@pytest.mark.slow
def test_two_runs_give_identical_scores(mini, tmp_path, evaluate):
    def scores() -> list[object]:
        found = []
        for benchmark, part, models in (
            ("homographies", f"{SEQUENCES}/i_chelsea", ("orb", "rootsift")),
            ("patches", f"{SEQUENCES}/i_chelsea", ("rootsift",)),
            ("stereo", STEREO, ("census", "sgbm")),
            ("flow", FLOW, ("dis",)),
        ):
            evaluate(benchmark, mini / part, *models)
            stored = json.loads((tmp_path / "out" / f"{benchmark}.json").read_text())
            found.append({m: [i["scores"] for i in items] for m, items in stored["items"].items()})
            found.append([(row["scores"], row["intervals"]) for row in stored["rows"]])
        return found

    first = scores()
    for path in Cache(tmp_path / "cache").folder.rglob("*.json"):
        path.unlink()
    assert scores() == first
