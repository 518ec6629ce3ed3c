"""Depth and points by exact geometry: a plane that stands where it was put."""

import numpy as np
import pytest

from corr.errors import FormatError, ShapeError
from corr.formats import read_pfm
from corr.formats.calibration import RectifiedCameras
from corr.formats.kitti import read_kitti_disparity
from corr.formats.ply import read_ply, write_ply
from corr.pipeline.depth import measure_depth
from corr.results import DisparityMap

HEIGHT, WIDTH = 60, 80
K = np.array([[100.0, 0, 40.5], [0, 100.0, 29.0], [0, 0, 1]])
CAMERAS = RectifiedCameras(K, 3.0, 0.25, (HEIGHT, WIDTH), "here")
NORMAL, DISTANCE = np.array([0.3, -0.2, 0.9]), 2.0
"""The plane: normal . X = distance, metres in the frame of the left camera."""


def plane_disparity() -> np.ndarray:
    """By projecting each point of the plane into the right camera, with its own principal point."""
    x, y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    rays = np.stack(((x - 40.5) / 100, (y - 29.0) / 100, np.ones_like(x, float)), -1)
    points = rays * (DISTANCE / (rays @ NORMAL))[..., None]
    x_right = 100 * (points[..., 0] - 0.25) / points[..., 2] + 43.5
    return (x - x_right).astype(np.float32)


def found(disparity, confidence=None):
    sure = np.ones_like(disparity) if confidence is None else confidence
    return DisparityMap(disparity, sure)


def test_every_point_lies_on_the_plane():
    result = measure_depth(found(plane_disparity()), CAMERAS)
    points = result.points().astype(np.float64)
    np.testing.assert_allclose(points @ NORMAL, DISTANCE, rtol=1e-5)
    np.testing.assert_array_equal(points[..., 2], result.depth)
    # And they are seen where the image has them.
    seen = points @ K.T
    x, y = np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT))
    np.testing.assert_allclose(seen[..., 0] / seen[..., 2], x, atol=1e-4)
    np.testing.assert_allclose(seen[..., 1] / seen[..., 2], y, atol=1e-4)


def test_depth_by_hand():
    disparity = np.array([[2.0, -3.0, -4.0, np.nan, 22.0]], np.float32)
    cameras = RectifiedCameras(K, 3.0, 0.25, None, "here")
    depth = measure_depth(found(disparity), cameras).depth
    # 100 * 0.25 / (2 + 3); at infinity; behind it; unknown; 25 / 25
    np.testing.assert_allclose(depth, [[5.0, np.nan, np.nan, np.nan, 1.0]])
    near = measure_depth(found(disparity), cameras, max_depth_m=4.0).depth
    np.testing.assert_allclose(near, [[np.nan, np.nan, np.nan, np.nan, 1.0]])


def test_the_cloud_holds_what_both_views_show(tmp_path):
    disparity = plane_disparity()
    confidence = np.zeros_like(disparity)
    confidence[10:20, 30:50] = 0.5
    disparity[10, 30] = np.nan
    image = np.random.default_rng(0).integers(0, 255, (HEIGHT, WIDTH, 3), dtype=np.uint8)
    result = measure_depth(found(disparity, confidence), CAMERAS)
    assert result.save_points(tmp_path / "a.ply", image) == 199
    points, colours, comments = read_ply(tmp_path / "a.ply")
    np.testing.assert_allclose(points.astype(float) @ NORMAL, DISTANCE, rtol=1e-5)
    np.testing.assert_array_equal(colours[-1], image[19, 49])
    assert comments[0] == "unit: metre"
    assert "x right, y down, z forward" in comments[1]
    header = (tmp_path / "a.ply").read_bytes().split(b"end_header")[0].decode().splitlines()
    assert header[:2] == ["ply", "format binary_little_endian 1.0"]
    assert "element vertex 199" in header


def test_depth_files(tmp_path):
    disparity = np.array([[2.0, np.nan, 22.0, -2.95]], np.float32)
    result = measure_depth(found(disparity), RectifiedCameras(K, 3.0, 0.25, None, "here"))
    result.save(tmp_path / "d.pfm")
    assert read_pfm(tmp_path / "d.pfm")[0, :3].tolist() == [5.0, np.inf, 1.0]
    result.save(tmp_path / "d.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "d.npy"), result.depth)
    result.save(tmp_path / "d.png")
    # KITTI's depth png: 256 a metre; 500 m does not fit and is unknown.
    np.testing.assert_allclose(read_kitti_disparity(tmp_path / "d.png"), [[5, np.nan, 1, np.nan]])


def test_refusals(tmp_path):
    with pytest.raises(ShapeError, match="the cameras are of images of"):
        measure_depth(found(np.ones((4, 4), np.float32)), CAMERAS)
    (tmp_path / "a.ply").write_bytes(b"ply\nformat ascii 1.0\nend_header\n")
    with pytest.raises(FormatError, match=r"is not a \.ply file as corr writes it"):
        read_ply(tmp_path / "a.ply")
    write_ply(tmp_path / "a.ply", np.zeros((2, 3), np.float32), np.zeros((2, 3), np.uint8))
    (tmp_path / "a.ply").write_bytes((tmp_path / "a.ply").read_bytes()[:-1])
    with pytest.raises(FormatError, match="2 points need 30 bytes, it has 29"):
        read_ply(tmp_path / "a.ply")
