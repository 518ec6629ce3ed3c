import numpy as np
import pytest

from corr.data.viewpoints import Viewpoints, local_affine, map_keypoints
from corr.errors import OptionError

SIZE = (300, 400)


def drawn(viewpoints, num=200):
    rng = np.random.default_rng(0)
    return [viewpoints.draw(SIZE, rng) for _ in range(num)]


def map_point(homography, x, y):
    u, v, w = homography @ [x, y, 1.0]
    return np.array([u / w, v / w])


def test_same_generator_same_view():
    first, second = drawn(Viewpoints(), 5), drawn(Viewpoints(), 5)
    assert np.array_equal(first, second)
    assert not np.allclose(first[0], first[1])


def test_similarities_stay_in_their_ranges():
    views = drawn(Viewpoints(90.0, 0.5, 2.0, max_tilt=1.0, max_perspective=0.0))
    parts = np.array([h[:2, :2] for h in views])
    zoom = np.sqrt(np.linalg.det(parts))
    angle = np.rad2deg(np.arctan2(parts[:, 1, 0], parts[:, 0, 0]))
    np.testing.assert_allclose(parts[:, 0, 0], parts[:, 1, 1])
    np.testing.assert_allclose(parts[:, 0, 1], -parts[:, 1, 0])
    assert 0.5 <= zoom.min() < 0.6 and 1.8 < zoom.max() <= 2.0
    assert -90 <= angle.min() < -70 and 70 < angle.max() <= 90
    assert abs(np.log(zoom).mean()) < 0.1


def test_tilt_is_the_ratio_of_the_axes():
    views = drawn(Viewpoints(max_tilt=3.0, max_perspective=0.0))
    axes = np.array([np.linalg.svd(h[:2, :2], compute_uv=False) for h in views])
    ratio = axes[:, 0] / axes[:, 1]
    assert 1 <= ratio.min() < 1.2 and 2.5 < ratio.max() <= 3.0 + 1e-9
    zoom = np.sqrt(axes.prod(axis=1))
    assert zoom.min() >= 0.5 - 1e-9 and zoom.max() <= 1.4 + 1e-9


def test_perspective_changes_depth_by_its_share():
    for h in drawn(Viewpoints(max_perspective=0.2, max_rotation_deg=0.0)):
        middle = np.linalg.solve(h, [199.5, 149.5, 1.0])
        assert np.abs(h[2, :2]).sum() / abs(h[2, 2]) < 1  # horizon away from the image
        x, y = middle[:2] / middle[2]
        assert 99 < x < 301 and 74 < y < 226  # looks at the middle half


def test_map_and_its_derivative_against_finite_differences():
    points = np.array([[10.0, 20.0], [200.0, 100.0], [390.0, 290.0]])
    for h in drawn(Viewpoints(), 20):
        moved, slope = local_affine(h, points)
        for (x, y), there, local in zip(points, moved, slope, strict=True):
            np.testing.assert_allclose(there, map_point(h, x, y), atol=1e-9)
            step = 1e-4
            along_x = (map_point(h, x + step, y) - map_point(h, x - step, y)) / (2 * step)
            along_y = (map_point(h, x, y + step) - map_point(h, x, y - step)) / (2 * step)
            np.testing.assert_allclose(local, np.stack([along_x, along_y], 1), rtol=1e-4, atol=1e-6)


def test_scale_follows_the_area():
    points = np.array([[100.0, 80.0]])
    for h in drawn(Viewpoints(), 20):
        _, scale, _ = map_keypoints(h, points, np.array([3.0]), np.zeros(1))
        corners = [map_point(h, 100 + dx, 80 + dy) for dx, dy in ((0, 0), (0.01, 0), (0, 0.01))]
        area = np.linalg.det(np.stack([corners[1] - corners[0], corners[2] - corners[0]]))
        assert scale[0] == pytest.approx(3 * np.sqrt(area / 1e-4), rel=1e-3)


def test_angle_follows_the_gradient_of_the_picture():
    """A ramp of grey values, seen again: its gradient is measured in the second view."""
    point = np.array([[150.0, 120.0]])
    for index, h in enumerate(drawn(Viewpoints(), 30)):
        angle_deg = 12.0 * index
        slope = np.array([np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))])
        back = np.linalg.inv(h)
        moved, _, mapped_deg = map_keypoints(h, point, np.ones(1), np.array([angle_deg]))

        def grey(x, y, back=back, slope=slope):
            return map_point(back, x, y) @ slope

        (x, y), step = moved[0], 1e-3
        gradient = (grey(x + step, y) - grey(x - step, y), grey(x, y + step) - grey(x, y - step))
        measured = np.rad2deg(np.arctan2(gradient[1], gradient[0]))
        assert abs((measured - mapped_deg[0] + 180) % 360 - 180) < 0.01


def test_a_turn_adds_its_angle():
    quarter = np.array([[0.0, -1.0, 100.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    moved, scale, angle = map_keypoints(
        quarter, np.array([[10.0, 20.0]]), np.array([2.0]), np.array([30.0])
    )
    np.testing.assert_allclose(moved, [[80.0, 10.0]])
    np.testing.assert_allclose(scale, [2.0])
    np.testing.assert_allclose(angle, [120.0])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"min_zoom": 0.0}, "min_zoom is 0.0 and max_zoom 1.4"),
        ({"min_zoom": 2.0}, "the smaller first"),
        ({"max_tilt": 0.9}, "max_tilt is 0.9; use 1 or more"),
        ({"max_perspective": 0.5}, "max_perspective is 0.5"),
        ({"max_rotation_deg": 181.0}, "max_rotation_deg is 181.0"),
    ],
)
def test_refusals(settings, message):
    with pytest.raises(OptionError, match=message):
        Viewpoints(**settings)
