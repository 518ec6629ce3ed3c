"""Posed images with sparse points: where pixels go, against a plane whose truth is known."""

import numpy as np
import pytest
from sparse_scene import SIZE, two_eyes

from corr.data.colmap import read_colmap
from corr.data.correspondence.dense_pair import targets
from corr.data.correspondence.sparse_pairs import SparsePointPairs
from corr.errors import DatasetError, OptionError
from corr.formats import read_image, write_image


def off(scene, pair, first=0, second=1):
    """How far targets are from those of the pixels' centres, px."""
    target = targets(pair.flow_0to1)
    y, x = np.nonzero(np.isfinite(target).all(-1))
    exact = scene.between(first, second, np.stack((x, y), 1).astype(float))
    return np.linalg.norm(target[y, x] - exact, axis=1)


@pytest.mark.parametrize(
    ("kind", "lens"),
    [
        ("SIMPLE_PINHOLE", (0.0, 0.0)),
        ("PINHOLE", (0.0, 0.0)),
        ("SIMPLE_RADIAL", (-0.12, 0.0)),
        ("RADIAL", (-0.12, 0.03)),
        ("OPENCV", (-0.12, 0.03)),
    ],
)
def test_pixels_go_where_the_cameras_say(tmp_path, kind, lens):
    """Of a plane that faces camera 0, which a target is exact on, whatever the lens."""
    scene = two_eyes(lens=lens)
    scene.write(tmp_path, kind=kind)
    source = SparsePointPairs(tmp_path)
    assert source.pairs == [(0, 1), (1, 0)]
    error = off(scene, source.read((0, 1)))
    assert 150 < len(error) <= 300
    assert error.max() < 2e-3


def test_a_slanted_plane_is_off_by_no_more_than_is_stated(tmp_path):
    scene = two_eyes(slope=1.0)  # 45 degrees
    scene.write(tmp_path)
    error = off(scene, SparsePointPairs(tmp_path).read((0, 1)))
    eyes = [np.array(eye.position) for eye in scene.eyes]
    sight = [scene.points - eye for eye in eyes]
    lengths = [np.linalg.norm(one, axis=1) for one in sight]
    cosine = (sight[0] * sight[1]).sum(1) / (lengths[0] * lengths[1])
    sine = np.sqrt(1 - cosine**2)
    zoom = 230 / 200 * lengths[0] / lengths[1]
    # The line of sight is not the camera's axis, so the slant against it differs.
    normal = np.array([1.0, 0.0, -1.0]) / 2**0.5
    slant = np.tan(np.arccos(np.abs(sight[0] @ normal) / lengths[0]))
    assert 0.02 < error.mean() < 0.71 * (slant * sine * zoom).mean()
    assert error.max() < 1.2 * 0.71 * (slant * sine * zoom).max()


def test_the_pictures_agree_at_the_points(tmp_path):
    scene = two_eyes(slope=0.3)
    scene.write(tmp_path)
    source = SparsePointPairs(tmp_path)
    for seed in range(4):
        pair = source.pair(0, 96, np.random.default_rng(seed))
        target = targets(pair.flow_0to1)
        y, x = np.nonzero(np.isfinite(target).all(-1))
        assert len(y) > 10
        to_x, to_y = target[y, x].round().astype(int).T
        grey = [image.astype(float).mean(-1) for image in (pair.image0, pair.image1)]
        there, shuffled = grey[1][to_y, to_x], grey[1][to_y[::-1], to_x[::-1]]
        near = np.abs(grey[0][y, x] - there).mean()
        assert near < 0.4 * np.abs(grey[0][y, x] - shuffled).mean()


def test_larger_images_are_reduced(tmp_path):
    scene = two_eyes()
    scene.write(tmp_path)
    pair = SparsePointPairs(tmp_path, max_side=120).read((0, 1))
    assert pair.image0.shape == (90, 120, 3)
    target = targets(pair.flow_0to1)
    y, x = np.nonzero(np.isfinite(target).all(-1))
    centres = (np.stack((x, y), 1) + 0.5) * 2 - 0.5
    exact = (scene.between(0, 1, centres) + 0.5) / 2 - 0.5
    np.testing.assert_allclose(target[y, x], exact, atol=2e-3)


def test_only_good_points_that_both_images_have_in_their_tracks(tmp_path):
    scene = two_eyes()
    scene.write(tmp_path)
    path = tmp_path / "sparse/0/points3D.txt"
    lines = path.read_text().splitlines()
    words = [line.split() for line in lines[1:]]
    both = [row for row, word in enumerate(words) if word[8::2] == ["1", "2"]]
    for row in both[:60]:  # not found in image 2, whatever hides it there
        words[row] = words[row][:10]
    for row in both[60:100]:  # badly placed
        words[row][7] = "3.5"
    path.write_text("\n".join(" ".join(word) for word in words) + "\n")
    known = np.isfinite(SparsePointPairs(tmp_path).read((0, 1)).flow_0to1).all(-1)
    kept = len(both) - 100
    assert kept - 5 <= known.sum() <= kept  # two points may share a pixel
    with pytest.raises(DatasetError, match=r"no two images share 250 points whose error is at mo"):
        len(SparsePointPairs(tmp_path, min_points=250))


def test_a_model_beside_its_images_with_an_image_that_shows_nothing(tmp_path):
    scene = two_eyes()
    scene.write(tmp_path, model=".")
    path = tmp_path / "images.txt"
    first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([first, "7 1 0 0 0 0 0 0 1 blank.png", "", *rest]) + "\n")
    model = read_colmap(tmp_path, max_error=2.0)
    assert [image.name for image in model.images] == ["blank.png", "view 1.png", "view 2.png"]
    assert len(model.images[0].seen) == 0 and len(model.images[1].seen) > 250
    assert len(SparsePointPairs(tmp_path)) == 2


def replace_line(path, start, text):
    lines = path.read_text().splitlines()
    row = next(row for row, line in enumerate(lines) if line.startswith(start))
    path.write_text("\n".join([*lines[:row], text, *lines[row + 1 :]]) + "\n")


@pytest.mark.parametrize(
    ("file", "start", "text", "said"),
    [
        (
            "cameras",
            "1",
            "1 FISHEYE 240 180 1 2 3",
            r"line 2: camera model FISHEYE is not read",
        ),
        ("cameras", "1", "1 PINHOLE 240 180 1 2 3", r"line 2 cannot .* parameters fx, fy, cx, cy"),
        ("cameras", "1", "1 PINHOLE 240", r"line 2 cannot .* ID, MODEL, WIDTH"),
        ("images", "2", "2 1 0 0 0 0 0 0 9 view 2.png", r"line 4: there is no camera 9"),
        ("images", "2", "2 1 0 0 0 0 nowhere", r"line 4 cannot .* ID, QW"),
        ("points3D", "3 ", "3 0 0", r"line 4 cannot .* ERROR and a track"),
    ],
)
def test_damaged_models(tmp_path, file, start, text, said):
    two_eyes().write(tmp_path)
    replace_line(tmp_path / "sparse/0" / f"{file}.txt", start, text)
    with pytest.raises(DatasetError, match=said):
        len(SparsePointPairs(tmp_path))


def test_refusals(tmp_path):
    with pytest.raises(DatasetError, match=r"holds no model of COLMAP; expected cameras\.txt"):
        len(SparsePointPairs(tmp_path))
    (tmp_path / "points3D.bin").write_bytes(b"")
    with pytest.raises(DatasetError, match="binary model of COLMAP; convert it by"):
        len(SparsePointPairs(tmp_path))
    two_eyes().write(tmp_path, model="sparse")
    (tmp_path / "points3D.bin").unlink()
    write_image(
        tmp_path / "images" / "view 1.png", read_image(tmp_path / "images" / "view 1.png")[1:]
    )
    with pytest.raises(DatasetError, match=f"has 240 x {SIZE[0] - 1} pixels and its camera 240 x"):
        SparsePointPairs(tmp_path).pair(0, 64, np.random.default_rng(0))
    (tmp_path / "sparse" / "images.txt").unlink()
    with pytest.raises(DatasetError, match=r"is a model of COLMAP without 'images.txt'"):
        len(SparsePointPairs(tmp_path))
    for settings, said in (
        ({"min_points": 1}, "min_points is 1"),
        ({"max_error": 0.0}, "max_error is 0.0"),
        ({"max_side": 16}, "max_side is 16"),
    ):
        with pytest.raises(OptionError, match=said):
            SparsePointPairs(tmp_path, **settings)
