"""The two layouts are found at any depth; damage is refused in one sentence."""

from pathlib import Path

import numpy as np
import pytest

from corr.data.homographies import read_homography, read_sequences
from corr.errors import DatasetError


def oxford(folder: Path, suffix: str = ".ppm", matrix_suffix: str = "") -> Path:
    folder.mkdir(parents=True)
    for k in range(1, 7):
        (folder / f"img{k}{suffix}").write_bytes(b"P5 1 1 255 x")
        if k > 1:
            (folder / f"H1to{k}p{matrix_suffix}").write_text(f"1 0 {k}\n0 1 0\n 0 0  1\n\n")
    return folder


def hpatches(folder: Path, suffix: str = ".ppm") -> Path:
    folder.mkdir(parents=True)
    for k in range(1, 7):
        (folder / f"{k}{suffix}").write_bytes(b"P5 1 1 255 x")
        if k > 1:
            (folder / f"H_1_{k}").write_text(f"1 0 0\n0 1 {-k}.5e-1\n0 0 1")
    return folder


def test_oxford_sequence(tmp_path):
    pairs = read_sequences(oxford(tmp_path / "boat", ".pgm", ".txt"))
    assert [pair.name for pair in pairs] == [f"boat/1-{k}" for k in range(2, 7)]
    assert pairs[2].path0 == tmp_path / "boat" / "img1.pgm"
    assert pairs[2].path1 == tmp_path / "boat" / "img4.pgm"
    assert pairs[2].homography_0to1.tolist() == [[1, 0, 4], [0, 1, 0], [0, 0, 1]]


def test_hpatches_sequence(tmp_path):
    pairs = read_sequences(hpatches(tmp_path / "v_bird", ".png"))
    assert [pair.name for pair in pairs] == [f"v_bird/1-{k}" for k in range(2, 7)]
    assert pairs[0].path1 == tmp_path / "v_bird" / "2.png"
    assert pairs[0].homography_0to1.tolist() == [[1, 0, 0], [0, 1, -0.25], [0, 0, 1]]


def test_folder_of_a_set_and_folder_of_both(tmp_path):
    oxford(tmp_path / "oxford" / "wall")
    oxford(tmp_path / "oxford" / "bark")
    hpatches(tmp_path / "hpatches" / "i_dome")
    (tmp_path / "photos").mkdir()
    of_set = read_sequences(tmp_path / "oxford")
    assert [pair.sequence for pair in of_set] == ["bark"] * 5 + ["wall"] * 5
    of_both = read_sequences(tmp_path)
    assert [pair.sequence for pair in of_both[::5]] == ["i_dome", "bark", "wall"]


def test_photographs_without_homographies_are_no_sequence(tmp_path):
    for number in range(1, 7):
        (tmp_path / f"{number}.png").write_bytes(b"P5 1 1 255 x")
    with pytest.raises(DatasetError, match="holds nothing of oxford-affine, hpatches-seq"):
        read_sequences(tmp_path)


def test_missing_folder(tmp_path):
    with pytest.raises(DatasetError, match="nowhere' is not a folder"):
        read_sequences(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["img1.ppm", "img5.ppm", "H1to2p", "H1to4p"])
def test_incomplete_sequence_names_what_is_missing(tmp_path, name):
    folder = oxford(tmp_path / "graf")
    (folder / name).unlink()
    with pytest.raises(DatasetError, match=f"graf' lacks '{Path(name).stem}.*the set is not whole"):
        read_sequences(folder)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("1 0 0\n0 1 0", "holds 6 numbers"),
        ("1 0 0\n0 1 0\n0 0 nan", "9 finite ones"),
        ("1 0 0\n0 x 0\n0 0 1", "not a text file of numbers"),
        ("1 0 0\n2 0 0\n0 0 1", "cannot be inverted"),
        (b"\xff\xfe\x00\x80", "not a text file of numbers"),
    ],
)
def test_damaged_matrix(tmp_path, content, message):
    path = tmp_path / "H_1_2"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DatasetError, match=message):
        read_homography(path)


def test_strong_perspective_is_not_damage(tmp_path):
    matrix = np.array([[2.3594, 0.0026252, -116.05], [0.5085, 2.302, -550.96], [1e-3, 2e-4, 1.0]])
    (tmp_path / "H_1_2").write_text("\n".join(" ".join(map(str, row)) for row in matrix))
    assert read_homography(tmp_path / "H_1_2").tolist() == matrix.tolist()


def test_shared_sets(shared_data):
    pairs = read_sequences(shared_data / "oxford-affine")
    pairs += read_sequences(shared_data / "hpatches-sequences")
    assert [pair.sequence for pair in pairs[::5]] == [
        "boat",
        "leuven",
        "trees",
        "wall",
        "v_churchill",
    ]
    assert len(pairs) == 25


def test_sign_of_a_published_matrix_is_free(tmp_path):
    (tmp_path / "H").write_text("-1 0 -4\n0 -1 0\n 0 0 -1")
    assert read_homography(tmp_path / "H").tolist() == [[1, 0, 4], [0, 1, 0], [0, 0, 1]]
