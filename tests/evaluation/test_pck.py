"""PCK: hand answers, images moved by whole pixels, the sets' own layouts, published frames."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data

from corr.cli import main
from corr.data.flow_pairs import FlowPair, FlowTruth
from corr.errors import ModelError
from corr.evaluation.cache import Cache
from corr.evaluation.flow_points import draw_points
from corr.evaluation.frame import run_benchmark
from corr.evaluation.pck import PckBenchmark, PckInputs, PckProtocol, PointsFound
from corr.evaluation.point_search import cell_centres, find_points
from corr.formats import write_flo, write_image
from corr.formats.kitti import write_kitti_flow
from corr.metrics import percentage_of_correct_keypoints
from corr.models.network import DenseDescription, DenseDescriptor
from corr.models.saved import save_network
from corr.models.ucn import UniversalCorrespondenceNetwork

SHIFT = 12, -8
"""A multiple of the grid's 4 px, so that a point of the grid lands on another."""
PHOTO = skimage.data.astronaut()[80:240, 100:340]
MOVED = np.roll(PHOTO, (SHIFT[1], SHIFT[0]), (0, 1))
FLOW = np.broadcast_to(np.float32(SHIFT), (*PHOTO.shape[:2], 2)).copy()
TRUTH = FlowTruth(FLOW, None)
PAIR = FlowPair("moved", "mine", Path("0.png"), Path("1.png"), (), lambda: TRUTH)


def grid_points() -> np.ndarray:
    points = cell_centres(PHOTO.shape[:2], 4)
    inside = (points > 40).all(1) & (points < np.array(PHOTO.shape[1::-1]) - 40).all(1)
    return points[inside]


class TestMetric:
    def test_hand_answer(self):
        truth = np.zeros((4, 2), np.float32)
        found = np.array([[0, 0], [3, 4], [0, 1], [np.nan, 0]], np.float32)
        assert percentage_of_correct_keypoints(found, truth, [0.0, 1.0, 4.9, 5.0]).tolist() == [
            0.25,
            0.5,
            0.5,
            0.75,
        ]

    def test_no_points_have_no_share(self):
        nothing = np.zeros((0, 2), np.float32)
        assert np.isnan(percentage_of_correct_keypoints(nothing, nothing, [1.0, 2.0])).all()


class TestScore:
    def scores(self, offset: int) -> dict:
        truth = grid_points()
        inputs = PckInputs(PHOTO, MOVED, truth, truth)
        off = PointsFound(truth + np.float32([offset, 0]), smooth=False)
        return PckBenchmark().score(PAIR, inputs, off)

    def test_a_perfect_model_has_all(self):
        scores = self.scores(0)
        assert all(scores[f"pck_{t}"] == 1 for t in range(1, 31))

    def test_a_shifted_one_has_what_it_should(self):
        scores = self.scores(7)
        assert scores["pck_6"] == 0
        assert scores["pck_7"] == 1

    def test_worst_has_every_score(self):
        assert PckBenchmark().worst(PAIR).keys() == self.scores(0).keys()


class TestPoints:
    def test_only_known_visible_targets_inside_are_drawn(self):
        flow = np.zeros((20, 30, 2), np.float32)
        flow[:, :10] = np.nan
        flow[:, 25:, 0] = 5.6  # beyond the right edge
        occluded = np.zeros((20, 30), bool)
        occluded[10:] = True
        points, targets = draw_points(FlowTruth(flow, occluded), (20, 30), 1000, (0,))
        assert len(points) == 10 * 15
        assert (points[:, 0] >= 10).all()
        assert (points[:, 0] < 25).all()
        assert (points[:, 1] < 10).all()
        assert np.array_equal(points, targets)

    def test_the_choice_is_seeded(self):
        drawn = [draw_points(TRUTH, PHOTO.shape[:2], 100, (0, s))[0] for s in (1, 1, 2)]
        assert np.array_equal(drawn[0], drawn[1])
        assert not np.array_equal(drawn[0], drawn[2])
        assert len(np.unique(drawn[0], axis=0)) == 100

    def test_centres_follow_the_half_pixel_rule(self):
        assert cell_centres((8, 9), 4).tolist() == [[1.5, 1.5], [5.5, 1.5], [1.5, 5.5], [5.5, 5.5]]
        assert cell_centres((2, 2), 1).tolist() == [[0, 0], [1, 0], [0, 1], [1, 1]]


class Brightness(DenseDescriptor):
    """Describes a pixel by itself alone: equal colours are equal, others are not."""

    descriptor_dim = 3
    stride = 1

    def forward(self, images):
        return DenseDescription(images / images.norm(dim=1, keepdim=True).clamp_min(1e-6))


class TestSearch:
    @pytest.mark.parametrize("model", ["sift", "rootsift"])
    def test_a_moved_image_is_found_to_the_pixel(self, model):
        points = grid_points()[::7]
        found = find_points(model, PHOTO, MOVED, points, step_px=4, sigma=3.2)
        assert np.mean(np.all(found == points + np.float32(SHIFT), axis=1)) > 0.97

    def test_a_dense_network_is_read_at_its_own_cells(self, monkeypatch):
        network = Brightness()
        monkeypatch.setattr("corr.pipeline.catalog.resolve", lambda *_: network)
        rng = np.random.default_rng(0)
        image0 = rng.integers(1, 256, (24, 32, 3)).astype(np.uint8)
        image1 = np.roll(image0, (2, 5), (0, 1))
        points = np.float32([[3, 4], [20, 17], [11, 9]])
        found = find_points("mine", image0, image1, points, step_px=4, sigma=3.2)
        assert np.array_equal(found, points + np.float32([5, 2]))


@pytest.fixture
def kitti(tmp_path: Path) -> Path:
    """KITTI 2012's layout: the lower half is hidden in the second frame."""
    training = tmp_path / "kitti" / "training"
    for name in ("image_0", "flow_occ", "flow_noc"):
        (training / name).mkdir(parents=True)
    write_image(training / "image_0" / "000000_10.png", PHOTO)
    write_image(training / "image_0" / "000000_11.png", MOVED)
    visible = FLOW.copy()
    visible[80:] = np.nan
    write_kitti_flow(training / "flow_occ" / "000000_10.png", FLOW)
    write_kitti_flow(training / "flow_noc" / "000000_10.png", visible)
    return tmp_path / "kitti"


@pytest.fixture
def ucn(tmp_path: Path) -> Path:
    """An untrained network in a folder, as training writes it."""
    save_network(UniversalCorrespondenceNetwork(descriptor_dim=16), tmp_path / "ucn")
    return tmp_path / "ucn"


def test_every_kind_of_model_stands_in_one_table(kitti, ucn, tmp_path, capsys):
    results = tmp_path / "results"
    results.mkdir()
    write_flo(results / "000000_10.flo", FLOW + np.float32([0, 4]))
    models = f"rootsift,dis,{ucn},{results}"
    given = ["pck", "--root", str(kitti), "--models", models, "--out", str(tmp_path / "out")]
    assert main(["evaluate", *given]) == 0
    shown = capsys.readouterr().out
    assert "max_points: 1000" in shown
    assert "smooth: a method of optical flow" in shown
    table = (tmp_path / "out" / "pck.md").read_text().splitlines()
    lines = [line for line in table if "| all |" in line]
    assert ["| yes |" in line for line in lines] == [False, True, False, False]
    assert "0.0/0.0/100.0/100.0" in lines[3]
    assert (tmp_path / "out" / "pck-correct-keypoints-kitti-2012.png").is_file()
    page = (tmp_path / "out" / "pck.html").read_text()
    assert page.count("<img") == 5  # the curve, and the worst item of each model


def test_occluded_points_are_not_asked_for(kitti):
    benchmark = PckBenchmark()
    inputs = benchmark.read(benchmark.items(kitti)[0])
    assert len(inputs.points0) == 1000
    assert inputs.points0[:, 1].max() < 80
    assert np.allclose(inputs.points1 - inputs.points0, SHIFT)


def test_a_frame_without_truth_is_no_failure_of_a_model(kitti, tmp_path):
    nothing = np.full_like(FLOW, np.nan)
    for name in ("flow_occ", "flow_noc"):
        write_kitti_flow(kitti / "training" / name / "000000_10.png", nothing)
    report = run_benchmark(PckBenchmark(), kitti, ["rootsift"], Cache(tmp_path / "cache"))
    assert report.row("rootsift").num_failed == 0
    assert np.isnan(report.row("rootsift").scores["pck_10"])


class TestRefusals:
    def test_models_that_find_their_own_keypoints(self, kitti, capsys):
        assert main(["evaluate", "pck", "--root", str(kitti), "--models", "orb"]) == 2
        said = capsys.readouterr().err
        assert "'orb' finds its own keypoints; use rootsift, sift, hardnet" in said
        assert said.count("\n") == 1

    def test_models_of_another_task(self):
        with pytest.raises(ModelError, match="census"):
            PckBenchmark().candidate("census")

    def test_another_set(self, tmp_path, capsys):
        (tmp_path / "1").mkdir()
        assert main(["evaluate", "pck", "--root", str(tmp_path)]) == 2
        assert "holds nothing of sintel, kitti-2012" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["kitti-2012", "sintel"])
def test_published_frames(shared_data, tmp_path, name):
    few = PckBenchmark(PckProtocol(max_points=200, step_px=8))
    root = shared_data / name
    items: list[FlowPair] = few.items(root)
    inputs = few.read(items[0])
    assert len(inputs.points0) == 200
    scores = few.score(items[0], inputs, few.run("dis", inputs))
    assert scores["pck_10"] > 0.7
    assert scores["smooth"] == 1
