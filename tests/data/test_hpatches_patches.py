"""HPatches' strips: read as published, refused when they are not, and cut from sequences."""

from __future__ import annotations

import numpy as np
import pytest
from published import noise_strips, planar
from skimage import data

from corr.cli import main
from corr.data.homographies import HomographyPair, read_sequences
from corr.data.hpatches_patches import (
    LEVELS,
    STRIPS,
    read_hpatches,
    reduce_patches,
    write_strips,
)
from corr.data.sequence_strips import (
    JITTERS,
    FrameJitter,
    _overlap,
    cut_strips,
    sequences_of,
)
from corr.errors import DatasetError
from corr.formats import write_image


def test_strips_come_back_as_they_were_written(tmp_path):
    strips = noise_strips(6, 0)
    write_strips(tmp_path / "v_wall", strips)
    (found,) = read_hpatches(tmp_path)
    assert (found.name, found.num_points) == ("v_wall", 6)
    for strip in STRIPS:
        np.testing.assert_array_equal(found.read(strip, side=65), strips[strip])
        assert found.read(strip).shape == (6, 32, 32)
    (alone,) = read_hpatches(tmp_path / "v_wall")
    assert alone.name == "v_wall"


def test_reduced_pixels_are_means_over_their_area_and_of_their_own_patch():
    patches = np.random.default_rng(0).integers(0, 256, (1500, 65, 65), dtype=np.uint8)
    edges = np.arange(33) * 65 / 32
    pixel = np.arange(65)
    covered = np.minimum(pixel + 1, edges[1:, None]) - np.maximum(pixel, edges[:-1, None])
    weights = covered.clip(0) / (65 / 32)
    rows = [0, 1, 700, 1499]
    expected = weights @ patches[rows] @ weights.T
    assert np.abs(reduce_patches(patches)[rows] - expected).max() <= 0.51


def test_one_sequence_has_other_names_beside_it(publish):
    root = publish("hpatches-patches")
    (root / "tasks").mkdir()
    assert [strips.name for strips in read_hpatches(root)] == ["i_dome", "v_wall", "v_yard"]


@pytest.mark.parametrize(
    ("pixels", "said"),
    [
        (None, "lacks 'h3.png', so the set is not whole"),
        (np.zeros((65 * 4, 65, 3), np.uint8), "h3.png' holds 4 patches, and 'ref.png' 5"),
        (np.zeros((65 * 5 + 1, 65, 3), np.uint8), "65 x 326 pixels; a strip is 65 px wide"),
        (np.zeros((65 * 5, 64, 3), np.uint8), "64 x 325 pixels; a strip is 65 px wide"),
    ],
)
def test_wrong_strips_are_named(publish, capsys, pixels, said):
    root = publish("hpatches-patches")
    path = root / "v_wall" / "h3.png"
    path.unlink()
    if pixels is not None:
        write_image(path, pixels)
    with pytest.raises(DatasetError, match=said.replace("(", r"\(")):
        read_hpatches(root)
    assert main(["datasets", "verify", "hpatches-patches", str(root)]) == 2
    shown = capsys.readouterr().err
    assert "h3.png" in shown
    assert shown.count("\n") == 1


def test_a_strip_that_is_cut_short(publish):
    root = publish("hpatches-patches")
    path = root / "v_wall" / "e2.png"
    path.write_bytes(path.read_bytes()[:900])
    strips = next(strips for strips in read_hpatches(root) if strips.name == "v_wall")
    with pytest.raises(DatasetError, match=r"a strip of patches cannot be used: .*e2.png"):
        strips.read("e2")


def test_no_strips(tmp_path):
    with pytest.raises(DatasetError, match=r"is an empty folder; expected folders of ref.png"):
        read_hpatches(tmp_path)


@pytest.fixture(scope="module")
def pairs(tmp_path_factory) -> list[HomographyPair]:
    """Six views of the coffee by known homographies."""
    folder = tmp_path_factory.mktemp("set") / "v_coffee"
    folder.mkdir()
    write_image(folder / "1.png", data.coffee()[60:260, 200:460])
    for number in range(2, 7):
        pixels, matrix = planar(number)
        write_image(folder / f"{number}.png", pixels)
        (folder / f"H_1_{number}").write_text(matrix)
    (sequence,) = sequences_of(read_sequences(folder.parent))
    return sequence


class TestCut:
    def test_without_noise_the_patches_are_the_same(self, pairs, monkeypatch):
        still = {level: FrameJitter(0.0, 0.0, 0.0, 0.0) for level in LEVELS}
        monkeypatch.setattr("corr.data.sequence_strips.JITTERS", still)
        strips = cut_strips(pairs, 40, sigmas=10.0)
        assert tuple(strips) == STRIPS
        reference = strips["ref"].astype(float)
        assert 10 <= len(reference) <= 40
        for strip in STRIPS[1:]:
            difference = np.abs(strips[strip] - reference).mean((1, 2))
            other = np.abs(np.roll(strips[strip], 1, axis=0) - reference).mean((1, 2))
            assert np.median(difference) < 0.2 * np.median(other)

    def test_more_noise_moves_patches_more(self, pairs):
        strips = cut_strips(pairs, 40, sigmas=10.0)
        reference = strips["ref"].astype(float)
        far = [
            np.median([np.abs(strips[f"{level}{k}"] - reference).mean() for k in range(1, 6)])
            for level in LEVELS
        ]
        assert far[0] < far[1] < far[2]
        again = cut_strips(pairs, 40, sigmas=10.0)
        assert all(np.array_equal(strips[strip], again[strip]) for strip in STRIPS)

    def test_what_was_cut_is_read_in_the_published_layout(self, pairs, tmp_path):
        strips = cut_strips(pairs, 40, sigmas=10.0)
        write_strips(tmp_path / "v_coffee", strips)
        (found,) = read_hpatches(tmp_path)
        np.testing.assert_array_equal(found.read("t4", side=65), strips["t4"])

    def test_too_few_points(self, pairs):
        with pytest.raises(DatasetError, match="'v_coffee' has 0 keypoints that all its images"):
            cut_strips(pairs, 40, sigmas=100.0)


@pytest.mark.parametrize(("level", "published"), [("e", 0.85), ("h", 0.72), ("t", 0.60)])
def test_the_noise_has_the_published_overlap(level, published):
    """Of the unit disc with itself after the noise, counted on a grid."""
    frames = np.zeros((1200, 2, 3))
    frames[:, 0, 0] = frames[:, 1, 1] = 1
    moved = JITTERS[level].move(frames, np.random.default_rng(0))
    axis = np.linspace(-2, 2, 101)
    grid = np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)
    disc = (grid**2).sum(1) <= 1
    overlaps = []
    for frame in moved:
        local = (grid - frame[:, 2]) @ np.linalg.inv(frame[:, :2]).T
        inside = (local**2).sum(1) <= 1
        overlaps.append((inside & disc).sum() / (inside | disc).sum())
    assert np.median(overlaps) == pytest.approx(published, abs=0.015)


def test_overlap_of_discs():
    """Apart, one in the other, and of the same size at the distance of a radius."""
    distance, radius = np.array([5.0, 0.5, 1.0]), np.array([1.0, 3.0, 1.0])
    lens = 2 * np.pi / 3 - np.sqrt(3) / 2
    expected = [0, 1 / 9, lens / (2 * np.pi - lens)]
    np.testing.assert_allclose(_overlap(distance, radius, 1.0), expected, atol=1e-9)
