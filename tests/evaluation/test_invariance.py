"""Invariance and false matches: exact views, perfect and shifted matchers, the command line."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch
import torch.nn.functional as F

from corr.cli import main
from corr.data.turned_views import turned_view, zoomed_view
from corr.evaluation.invariance import InvarianceBenchmark, InvarianceInputs, InvarianceProtocol
from corr.evaluation.photographs import INSTALLED, Photograph, find_photographs, installed_folder
from corr.evaluation.unrelated import FalseMatches, UnrelatedBenchmark, UnrelatedPair
from corr.formats import write_image
from corr.geometry import to_grey, transform_points
from corr.models.network import DenseDescription, DenseDescriptor
from corr.models.saved import save_network
from corr.models.ucn import UniversalCorrespondenceNetwork
from corr.pipeline import catalog
from corr.results import Matches

PHOTO = skimage.data.astronaut()[60:220, 120:320]
POINTS = np.float32([[20, 30], [150, 40], [60, 120], [100, 80], [180, 150]])
ITEM = Photograph("one.png", Path("one.png"))


def mapped(homography: np.ndarray, points: np.ndarray = POINTS) -> np.ndarray:
    found = transform_points(torch.from_numpy(homography), torch.from_numpy(points).double())
    return found.numpy()


def matches(points1: np.ndarray, size: tuple[int, int]) -> Matches:
    ones = np.ones(len(points1), np.float32)
    return Matches(POINTS[: len(points1)], points1.astype(np.float32), ones, PHOTO.shape[:2], size)


class TestViews:
    @pytest.mark.parametrize("quarters", [0, 1, 2])
    def test_quarter_turns_move_whole_pixels(self, quarters):
        view, homography = turned_view(PHOTO, 90 * quarters)
        assert np.array_equal(view, np.rot90(PHOTO, -quarters))  # clockwise on the screen
        x, y = mapped(homography).round().astype(int).T
        assert mapped(homography) == pytest.approx(mapped(homography).round(), abs=1e-6)
        columns, rows = POINTS.astype(int).T
        assert np.array_equal(view[y, x], PHOTO[rows, columns])

    @pytest.mark.parametrize("angle", [15, 45, 150])
    def test_the_canvas_holds_the_photograph(self, angle):
        view, homography = turned_view(PHOTO, angle)
        corners = np.float32([[0, 0], [199, 0], [0, 159], [199, 159]])
        height, width = view.shape[:2]
        inside = mapped(homography, corners)
        assert (inside >= -0.5).all()
        assert (inside <= (width - 0.5, height - 0.5)).all()
        a, b = mapped(homography, np.float32([[0, 0], [10, 0]]))
        assert np.rad2deg(np.arctan2(*(b - a)[::-1])) == pytest.approx(angle)

    @pytest.mark.parametrize("factor", [0.5, 2.0])
    def test_zooms_follow_the_half_pixel_rule(self, factor):
        """The middle of a bright square is where the homography says."""
        photo = np.zeros((80, 100, 3), np.uint8)
        photo[20:28, 40:48] = 255  # centred on (43.5, 23.5)
        view, homography = zoomed_view(photo, factor)
        assert view.shape == (80 * factor, 100 * factor, 3)
        y, x = np.nonzero(view[..., 0] > 127)
        centre = mapped(homography, np.float32([[43.5, 23.5]]))[0]
        assert (x.mean(), y.mean()) == pytest.approx(centre, abs=1e-6)

    def test_odd_sizes_are_zoomed_by_what_they_are(self):
        view, homography = zoomed_view(PHOTO[:33, :41], 0.35)
        assert view.shape[:2] == (12, 14)
        assert mapped(homography, np.float32([[40.5, 32.5]]))[0] == pytest.approx([13.5, 11.5])


class TestScore:
    settings = InvarianceProtocol(angles_deg=(0, 40), zooms=(0.5,))

    def scores(self, offset: float, keep: int = 5) -> dict:
        views = {"turn_0": turned_view(PHOTO, 0), "turn_40": turned_view(PHOTO, 40)}
        views["zoom_0.5"] = zoomed_view(PHOTO, 0.5)
        output = {
            name: matches(mapped(h)[:keep] + np.array([0, offset]), view.shape[:2])
            for name, (view, h) in views.items()
        }
        benchmark = InvarianceBenchmark(self.settings)
        return benchmark.score(ITEM, InvarianceInputs(PHOTO, views), output)

    def test_a_perfect_matcher(self):
        scores = self.scores(0)
        assert all(v == 1 for k, v in scores.items() if k.startswith("mma"))
        assert all(v == 5 for k, v in scores.items() if k.startswith("correct"))

    def test_a_shifted_one(self):
        assert self.scores(2.9)["mma_turn_40"] == 1
        assert self.scores(3.1)["mma_turn_40"] == 0
        assert self.scores(3.1)["correct_zoom"] == 0

    def test_no_match(self):
        assert self.scores(0, keep=0) == InvarianceBenchmark(self.settings).worst(ITEM)

    def test_means_are_over_the_steps(self):
        benchmark = InvarianceBenchmark(self.settings)
        views = {"turn_0": turned_view(PHOTO, 0), "turn_40": turned_view(PHOTO, 40)}
        views["zoom_0.5"] = zoomed_view(PHOTO, 0.5)
        right, wrong = (
            {n: matches(mapped(h) + np.array([0, off]), (9, 9)) for n, (_, h) in views.items()}
            for off in (0, 50)
        )
        mixed = {**right, "turn_40": wrong["turn_40"]}
        scores = benchmark.score(ITEM, InvarianceInputs(PHOTO, views), mixed)
        assert (scores["mma_turn"], scores["mma_zoom"], scores["correct_turn"]) == (0.5, 1, 2.5)


@pytest.fixture
def photos(tmp_path):
    """Two small photographs of different things, in folders."""
    folder = tmp_path / "photos"
    (folder / "a").mkdir(parents=True)
    write_image(folder / "a" / "one.png", skimage.data.astronaut()[60:220, 120:320])
    write_image(folder / "two.png", skimage.data.coffee()[100:260, 200:400])
    return folder


def stored(tmp_path, name: str) -> dict:
    return json.loads((tmp_path / "out" / f"{name}.json").read_text())


def whole(report: dict, model: str) -> dict:
    return next(
        row["scores"] for row in report["rows"] if (row["model"], row["group"]) == (model, "all")
    )


class Neighbourhood(DenseDescriptor):
    """Describes a pixel by those around it, as they lie: it does not turn what it sees."""

    descriptor_dim = 81
    stride = 1

    def forward(self, images):
        around = F.unfold(to_grey(images), 9, padding=4)
        shape = len(images), 81, *images.shape[-2:]
        return DenseDescription(F.normalize(around - around.mean(1, True), dim=1).reshape(shape))


@pytest.fixture
def upright(monkeypatch) -> str:
    """Its name on the command line."""
    known = catalog.resolve
    network = Neighbourhood()
    monkeypatch.setattr(
        catalog, "resolve", lambda m, task: network if m == "mine" else known(m, task)
    )
    return "mine"


def test_a_network_that_does_not_turn_gains_by_quarter_turns(
    photos, tmp_path, upright, monkeypatch, capsys
):
    fields = {"angles_deg": (0, 90), "zooms": (0.71,), "max_keypoints": 300}
    protocol = partial(InvarianceProtocol, **fields)
    monkeypatch.setattr("corr.evaluation.invariance.InvarianceProtocol", protocol)
    few = tuple(column for column in InvarianceBenchmark.columns if len(column.keys) < 3)
    monkeypatch.setattr(InvarianceBenchmark, "columns", few)
    found = {}
    for rotations in ("none", "auto"):
        given = ["invariance", "--root", photos, "--models", f"sift,{upright}"]
        given += ["--rotations", rotations, "--out", tmp_path / "out", "--cache", tmp_path / "c"]
        assert main(["evaluate", *map(str, given)]) == 0, capsys.readouterr().err
        assert f"rotations: {rotations}" in capsys.readouterr().out
        found[rotations] = stored(tmp_path, "invariance")
    none, auto = (whole(found[rotations], upright) for rotations in ("none", "auto"))
    assert none["correct_turn_0"] > 50
    assert auto["correct_turn_0"] == none["correct_turn_0"]
    assert none["correct_turn_90"] < 0.1 * none["correct_turn_0"]
    assert auto["correct_turn_90"] > 0.8 * none["correct_turn_0"]
    sift = whole(found["none"], "sift")
    assert sift["mma_turn_90"] > 0.9
    assert sift["mma_zoom"] > 0.8
    assert found["none"]["protocol_hash"] != found["auto"]["protocol_hash"]
    assert (tmp_path / "out" / "invariance-against-rotation-and-scale.png").is_file()


class TestUnrelated:
    def test_each_photograph_is_paired_with_another_once(self, tmp_path):
        for k in range(7):
            write_image(tmp_path / f"{k}.png", np.full((9, 9, 3), 30 * k, np.uint8))
        pairs = UnrelatedBenchmark().items(tmp_path)
        assert pairs == UnrelatedBenchmark().items(tmp_path)
        for side in (0, 1):
            assert {pair[side].name for pair in pairs} == {f"{k}.png" for k in range(7)}
        assert all(pair.photo0 != pair.photo1 for pair in pairs)

    def test_hand_answer(self):
        found = FalseMatches(matches(POINTS, (9, 9)), 200)
        scores = UnrelatedBenchmark().score(UnrelatedPair(ITEM, ITEM), (PHOTO, PHOTO), found)
        assert scores == {"num_keypoints": 200, "num_matches": 5, "matched": 0.025}

    def test_the_same_photograph_twice_matches_all(self, tmp_path):
        """A sceptic's check that matches are counted: here they are not false."""
        benchmark = UnrelatedBenchmark()
        output = benchmark.run("sift", (PHOTO, PHOTO))
        assert benchmark.score(UnrelatedPair(ITEM, ITEM), (PHOTO, PHOTO), output)["matched"] > 0.9

    def test_command(self, photos, tmp_path, capsys):
        given = ["unrelated", "--root", photos, "--models", "sift", "--out", tmp_path / "out"]
        assert main(["evaluate", *map(str, given)]) == 0
        assert "% of keypoints" in capsys.readouterr().out
        scores = whole(stored(tmp_path, "unrelated"), "sift")
        assert 0 <= scores["matched"] < 0.1
        assert scores["num_keypoints"] > 100

    def test_one_photograph_has_no_pair(self, tmp_path, capsys):
        write_image(tmp_path / "one.png", PHOTO)
        assert main(["evaluate", "unrelated", "--root", str(tmp_path)]) == 2
        said = capsys.readouterr().err
        assert "holds 1 photo; 2 or more are needed" in said
        assert said.count("\n") == 1


class TestPhotographs:
    def test_those_that_come_with_corr(self):
        found = find_photographs(installed_folder())
        assert [photo.name for photo in found] == list(INSTALLED)
        assert all(photo.path.is_file() for photo in found)
        assert InvarianceBenchmark().own_root() == installed_folder()

    def test_names_are_below_the_root(self, photos):
        assert find_photographs(photos) == [
            Photograph("a/one.png", photos / "a" / "one.png"),
            Photograph("two.png", photos / "two.png"),
        ]

    def test_none(self, tmp_path, capsys):
        assert main(["evaluate", "invariance", "--root", str(tmp_path)]) == 2
        assert "holds no photo" in capsys.readouterr().err


class TestRotations:
    @pytest.mark.parametrize("name", ["stereo", "pck"])
    def test_where_nothing_turns_it_is_refused(self, photos, capsys, name):
        given = ["evaluate", name, "--root", str(photos), "--rotations", "auto"]
        assert main(given) == 2
        said = capsys.readouterr().err
        assert f"{name} does not turn images; leave --rotations out" in said
        assert said.count("\n") == 1

    def test_unknown(self, photos, capsys):
        given = ["evaluate", "homographies", "--root", str(photos), "--rotations", "eighth"]
        assert main(given) == 2
        assert "eighth" in capsys.readouterr().err


def test_dense_networks_stand_in_the_table_of_homographies(tmp_path, upright, capsys):
    """Of a photograph turned by quarters: without turns little is found, with them nearly all."""
    folder = tmp_path / "data" / "v_turned"
    folder.mkdir(parents=True)
    for k in range(1, 7):
        view, homography = turned_view(PHOTO[:120, :150], 90 * (k % 4 - 1))
        write_image(folder / f"{k}.png", view)
        if k > 1:
            np.savetxt(folder / f"H_1_{k}", homography)
    save_network(UniversalCorrespondenceNetwork(), tmp_path / "ucn")
    found = {}
    for rotations, models in (("none", f"{upright},{tmp_path / 'ucn'}"), ("auto", upright)):
        given = ["homographies", "--root", tmp_path / "data", "--rotations", rotations]
        given += ["--models", models, "--out", tmp_path / "out"]
        assert main(["evaluate", *map(str, given)]) == 0, capsys.readouterr().err
        assert "failed" not in capsys.readouterr().out.replace("a pair that failed", "")
        found[rotations] = whole(stored(tmp_path, "homographies"), upright)
    assert found["none"]["mma_3"] < 0.6  # one view of five is not turned
    assert found["auto"]["mma_3"] > 0.95
    assert found["auto"]["auc_magsac_3"] > 0.9
