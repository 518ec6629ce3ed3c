"""Relative pose: exact synthetic cameras, Strecha's layout written by the test, published views."""

from pathlib import Path

import numpy as np
import pytest
import torch

from corr.classical.relative_pose import estimate_pose
from corr.cli import main
from corr.data.camera_pairs import read_camera_pairs
from corr.data.ground_truth import CameraPair, Cameras
from corr.data.strecha import read_camera, read_strecha
from corr.errors import DatasetError, OptionError, ShapeError
from corr.evaluation.pose import PoseBenchmark, PoseInputs
from corr.formats import write_image
from corr.geometry import fundamental_matrix, resize_intrinsics
from corr.metrics import epipolar_distance, rotation_error_deg, translation_error_deg
from corr.results import Matches

SIZE = 480, 640
INTRINSICS = np.array([[500.0, 0, 319.5], [0, 510, 239.5], [0, 0, 1]])
IMAGE = np.zeros((*SIZE, 3), np.uint8)


def turn(axis: str, angle_deg: float) -> np.ndarray:
    a = np.deg2rad(angle_deg)
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    matrix = np.eye(3)
    matrix[i, i] = matrix[j, j] = np.cos(a)
    matrix[i, j], matrix[j, i] = -np.sin(a), np.sin(a)
    return matrix


POSE = np.eye(4)
POSE[:3, :3] = turn("y", 8) @ turn("x", -3) @ turn("z", 20)
POSE[:3, 3] = -1.5, 0.2, 0.4
CAMERAS = Cameras(INTRINSICS, INTRINSICS, POSE)
PAIR = CameraPair("hall/0-1", "hall", Path("0.png"), Path("1.png"), (), lambda *_: CAMERAS)


def seen(count: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """The same random scene points in both images, exactly."""
    rng = np.random.default_rng(seed)
    points = rng.uniform((-3, -2, 6), (3, 2, 15), (count, 3))
    moved = points @ POSE[:3, :3].T + POSE[:3, 3]
    first, second = (world @ INTRINSICS.T for world in (points, moved))
    return first[:, :2] / first[:, 2:], second[:, :2] / second[:, 2:]


def scored(points0: np.ndarray, points1: np.ndarray) -> dict:
    ones = np.ones(len(points0), np.float32)
    found = Matches(points0.astype(np.float32), points1.astype(np.float32), ones, SIZE, SIZE)
    return PoseBenchmark().score(PAIR, PoseInputs(IMAGE, IMAGE, CAMERAS), found)


class TestErrors:
    @pytest.mark.parametrize("angle", [0, 1e-5, 1, 90, 179.999])
    def test_angle_of_a_rotation(self, angle):
        error = rotation_error_deg(turn("z", 30) @ turn("x", angle), turn("z", 30))
        assert error == pytest.approx(angle, abs=1e-7)

    def test_directions(self):
        x, y = np.array([2.0, 0, 0]), np.array([0, 0.1, 0])
        assert translation_error_deg(x, 5 * x) == 0
        assert translation_error_deg(x, y) == pytest.approx(90)
        assert translation_error_deg(x, -x) == pytest.approx(180)

    def test_distance_from_the_line(self):
        """Cameras beside each other: the epipolar line of a point is its own row."""
        pose = np.eye(4)
        pose[0, 3] = -1
        matrix = fundamental_matrix(*map(torch.from_numpy, (INTRINSICS, INTRINSICS, pose))).numpy()
        points0 = np.array([[10.0, 20], [300, 7]])
        points1 = np.array([[500.0, 22.5], [0, 7]])
        assert epipolar_distance(points0, points1, matrix) == pytest.approx([2.5, 0], abs=1e-9)

    def test_the_epipole_has_no_line(self):
        pose = np.eye(4)
        pose[2, 3] = -1  # straight ahead
        matrix = fundamental_matrix(*map(torch.from_numpy, (INTRINSICS, INTRINSICS, pose))).numpy()
        centre = np.array([[319.5, 239.5]])
        assert epipolar_distance(centre, centre, matrix).tolist() == [np.inf]

    def test_exact_points_lie_on_their_lines(self):
        given = CAMERAS.intrinsics0, CAMERAS.intrinsics1, CAMERAS.pose_0to1
        matrix = fundamental_matrix(*map(torch.from_numpy, given)).numpy()
        assert epipolar_distance(*seen(), matrix).max() < 1e-9
        assert np.median(epipolar_distance(*seen(), matrix.T)) > 5

    def test_intrinsics_follow_the_half_pixel_rule(self):
        resized = resize_intrinsics(torch.from_numpy(INTRINSICS), SIZE, (240, 160)).numpy()
        assert resized == pytest.approx(
            np.array([[125, 0, 79.5], [0, 255, 119.5], [0, 0, 1]]), abs=1e-12
        )


class TestEstimate:
    def test_exact_matches_give_the_pose(self):
        found = estimate_pose(*seen(), INTRINSICS, INTRINSICS)
        assert rotation_error_deg(found.rotation, POSE[:3, :3]) < 1e-3
        assert translation_error_deg(found.translation, POSE[:3, 3]) < 1e-3
        assert found.agrees.all()

    def test_the_images_in_the_other_order_give_the_inverse(self):
        found = estimate_pose(*seen()[::-1], INTRINSICS, INTRINSICS)
        assert rotation_error_deg(found.rotation, POSE[:3, :3].T) < 1e-3
        assert translation_error_deg(found.translation, -POSE[:3, :3].T @ POSE[:3, 3]) < 1e-3
        assert translation_error_deg(found.translation, POSE[:3, 3]) > 90

    def test_two_thirds_may_be_wrong(self):
        points0, points1 = seen()
        points1[:200] = np.random.default_rng(1).random((200, 2)) * SIZE[::-1]
        found = estimate_pose(points0, points1, INTRINSICS, INTRINSICS)
        assert rotation_error_deg(found.rotation, POSE[:3, :3]) < 1
        assert found.agrees[200:].mean() > 0.9
        assert found.agrees[:200].mean() < 0.1

    @pytest.mark.parametrize("count", [0, 4])
    def test_too_few(self, count):
        points = np.zeros((count, 2))
        assert estimate_pose(points, points, INTRINSICS, INTRINSICS) is None

    def test_wrong_options(self):
        points = np.zeros((9, 2))
        with pytest.raises(OptionError, match="use a value above 0"):
            estimate_pose(points, points, INTRINSICS, INTRINSICS, threshold_px=0.0)
        with pytest.raises(ShapeError, match="two tables"):
            estimate_pose(points, points[1:], INTRINSICS, INTRINSICS)


class TestScore:
    def test_perfect_matches(self):
        scores = scored(*seen())
        totals = PoseBenchmark().aggregate({k: np.array([v]) for k, v in scores.items()})
        assert (scores["epipolar_1"], scores["num_inliers"]) == (1, 300)
        assert totals["auc_5"] > 0.998
        assert totals["rotation_deg"] < 0.01
        assert totals["translation_deg"] < 0.01

    def test_swapped_images_are_found_out(self):
        scores = scored(*seen()[::-1])
        assert scores["pose_deg_0"] > 20
        assert scores["epipolar_3"] < 0.5

    def test_matches_off_their_line_by_a_known_distance(self):
        points0, points1 = seen()
        given = CAMERAS.intrinsics0, CAMERAS.intrinsics1, CAMERAS.pose_0to1
        matrix = fundamental_matrix(*map(torch.from_numpy, given)).numpy()
        lines = np.column_stack((points0, np.ones(300))) @ matrix.T
        across = lines[:, :2] / np.linalg.norm(lines[:, :2], axis=1, keepdims=True)
        scores = scored(points0, points1 + 2 * across)
        assert (scores["epipolar_1"], scores["epipolar_3"]) == (0, 1)

    def test_no_matches_are_the_worst(self):
        nothing = np.zeros((0, 2))
        assert scored(nothing, nothing) == PoseBenchmark().worst(PAIR)

    def test_a_pair_without_a_pose_counts(self):
        found, lost = scored(*seen()), PoseBenchmark().worst(PAIR)
        table = {key: np.array([found[key], lost[key]]) for key in found}
        totals = PoseBenchmark().aggregate(table)
        assert totals["auc_20"] == pytest.approx(0.5, abs=0.01)
        assert totals["rotation_deg"] == np.inf


def write_scene(root: Path, count: int = 5, size: tuple[int, int] = (120, 160)) -> None:
    """Cameras on a line, one apart, each turned a little more; K of twice the image's size."""
    for folder in ("images", "gt_dense_cameras"):
        (root / folder).mkdir(parents=True)
    for view in range(count):
        write_image(root / "images" / f"{view:04d}.jpg", np.full((*size, 3), 90, np.uint8))
        to_world = turn("y", 5 * view)
        lines = ["300 0 159.5", "0 300 119.5", "0 0 1", "0 0 0"]
        lines += [" ".join(map(str, row)) for row in to_world]
        lines += [f"{view} 0 0", "320 240"]
        path = root / "gt_dense_cameras" / f"{view:04d}.jpg.camera"
        path.write_text(" \n".join(lines))


class TestStrecha:
    @pytest.fixture
    def scene(self, tmp_path) -> Path:
        write_scene(tmp_path / "fountain-P11")
        return tmp_path / "fountain-P11"

    def test_pairs_and_cameras(self, scene):
        pairs = read_strecha(scene.parent)
        assert [pair.group for pair in pairs] == [
            *4 * ["fountain-P11, 1 apart"],
            *3 * ["fountain-P11, 2 apart"],
            *2 * ["fountain-P11, 3 apart"],
        ]
        assert pairs[4].name == "fountain-P11/0000-0002"
        cameras = pairs[4].cameras((120, 160), (120, 160))
        assert cameras.intrinsics0 == pytest.approx(
            np.array([[150, 0, 79.5], [0, 150, 59.5], [0, 0, 1]])
        )
        assert rotation_error_deg(cameras.pose_0to1[:3, :3], turn("y", -10)) < 1e-6
        # Camera 0 is two to the left of camera 2, which looks 10 degrees to the right.
        expected = turn("y", -10) @ [-2, 0, 0]
        assert cameras.pose_0to1[:3, 3] == pytest.approx(expected, abs=1e-9)
        assert [p.name for p in read_camera_pairs(scene)] == [p.name for p in pairs]

    def test_an_image_of_other_proportions(self, scene):
        with pytest.raises(DatasetError, match=r"0000\.jpg' has 160 x 160 pixels, .* 320 x 240"):
            read_strecha(scene)[0].cameras((160, 160), (120, 160))

    @pytest.mark.parametrize(
        ("damage", "sentence"),
        [
            ("see the paper", "is not a text file of numbers"),
            ("1 2 3", "holds 3 numbers; a camera is 26 finite ones"),
            (" ".join(["0"] * 26), "focal length or an image side that is not above 0"),
            ("9 0 1 0 9 1 0 0 1 0 0 0 2 0 0 0 1 0 0 0 1 0 0 0 8 8", "R that is not a rotation"),
            ("9 0 1 0 9 1 0 0 1 0 0 0 -1 0 0 0 1 0 0 0 1 0 0 0 8 8", "R that is not a rotation"),
        ],
    )
    def test_damaged_cameras(self, scene, capsys, damage, sentence):
        path = scene / "gt_dense_cameras" / "0002.jpg.camera"
        path.write_text(damage)
        assert main(["evaluate", "pose", "--root", str(scene), "--models", "sift"]) == 2
        said = capsys.readouterr().err
        assert sentence in said
        assert "0002.jpg.camera" in said
        assert said.count("\n") == 1

    @pytest.mark.parametrize("file", ["images/0001.jpg", "gt_dense_cameras/0003.jpg.camera"])
    def test_a_scene_that_is_half_copied(self, scene, file):
        (scene / file).unlink()
        with pytest.raises(DatasetError, match=f"'{Path(file).name}'"):
            read_strecha(scene)

    def test_other_roots(self, tmp_path, capsys):
        assert main(["evaluate", "pose", "--root", str(tmp_path / "no"), "--models", "sift"]) == 2
        assert "is not a folder; give the root of strecha or synthetic-posed" in (
            capsys.readouterr().err
        )


def test_synthetic_scenes_as_corr_writes_them(tmp_path, capsys):
    made = ["datasets", "synth", "posed", "-n", "1", "--size", "240x320", "--out"]
    assert main([*made, str(tmp_path / "posed")]) == 0
    given = ["--root", str(tmp_path / "posed"), "--models", "rootsift", "--out", str(tmp_path)]
    assert main(["evaluate", "pose", *given]) == 0
    assert "magsac_px: 1.0" in capsys.readouterr().out
    assert (tmp_path / "pose-poses-at-least-as-good.png").is_file()
    benchmark = PoseBenchmark()
    for item in benchmark.items(tmp_path / "posed"):
        inputs = benchmark.read(item)
        scores = benchmark.score(item, inputs, benchmark.run("rootsift", inputs))
        assert scores["epipolar_3"] > 0.8


def test_published_views(shared_data):
    benchmark = PoseBenchmark()
    items = benchmark.items(shared_data / "strecha")
    assert len(items) == 10 + 9 + 8
    camera = read_camera(items[0].truth_files[0])
    assert camera.size == (2048, 3072)
    inputs = benchmark.read(items[0])
    scores = benchmark.score(items[0], inputs, benchmark.run("orb", inputs))
    assert scores["epipolar_3"] > 0.8
    assert scores["pose_deg_0"] < 3
