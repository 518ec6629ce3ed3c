"""Features and matches: nothing is rounded, and what is damaged says so."""

from types import SimpleNamespace

import h5py
import numpy as np
import pytest

from corr.errors import FormatError
from corr.formats import read_features, read_matches, write_features, write_matches


@pytest.fixture
def features():
    rng = np.random.default_rng(0)
    return SimpleNamespace(
        # 4000.1 needs float32: float16 holds multiples of 2 there.
        keypoints=(rng.random((5, 2)) * 100 + 4000).astype(np.float32),
        descriptors=rng.random((5, 8)).astype(np.float32),
        scores=rng.random(5).astype(np.float32),
        scale=rng.random(5).astype(np.float32),
        angle_deg=rng.random(5).astype(np.float32),
        image_size=(3000, 70_000),
    )


@pytest.fixture
def matches():
    rng = np.random.default_rng(1)
    return SimpleNamespace(
        keypoints0=(rng.random((6, 2)) * 5000).astype(np.float32),
        keypoints1=(rng.random((6, 2)) * 5000).astype(np.float32),
        scores=rng.random(6).astype(np.float32),
        image_size0=(3000, 70_000),
        image_size1=(10, 20),
        model=rng.random((3, 3)),
    )


def same(read: dict, record: SimpleNamespace, names: set[str]) -> None:
    assert set(read) == names
    for name, values in read.items():
        expected = np.asarray(getattr(record, name))
        assert values.dtype == expected.dtype
        np.testing.assert_array_equal(values, expected)


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
def test_features_come_back_exactly(tmp_path, features, suffix):
    write_features(tmp_path / f"a{suffix}", features)
    same(read_features(tmp_path / f"a{suffix}"), features, set(vars(features)))


def test_binary_descriptors_stay_bytes(tmp_path, features):
    features.descriptors = np.arange(5 * 32, dtype=np.uint8).reshape(5, 32)
    write_features(tmp_path / "a.h5", features)
    same(read_features(tmp_path / "a.h5"), features, set(vars(features)))


def test_several_images_in_groups(tmp_path, features):
    other = SimpleNamespace(**{**vars(features), "keypoints": features.keypoints + 1})
    write_features(tmp_path / "a.h5", {"one.png": features, "night/two.png": other})
    same(read_features(tmp_path / "a.h5", "one.png"), features, set(vars(features)))
    same(read_features(tmp_path / "a.h5", "night/two.png"), other, set(vars(features)))
    with h5py.File(tmp_path / "a.h5") as file:
        np.testing.assert_array_equal(file["night"]["two.png"]["keypoints"][()], other.keypoints)
    with pytest.raises(FormatError, match="holds no image 'three'"):
        read_features(tmp_path / "a.h5", "three")
    with pytest.raises(FormatError, match=r"a \.npz holds one image, not 2; use \.h5"):
        write_features(tmp_path / "a.npz", {"one": features, "two": other})


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
@pytest.mark.parametrize("verified", [True, False])
def test_matches_come_back_exactly(tmp_path, matches, suffix, verified):
    names = set(vars(matches))
    if not verified:
        matches.model = None
        names.remove("model")
    write_matches(tmp_path / f"a{suffix}", matches)
    same(read_matches(tmp_path / f"a{suffix}"), matches, names)


def test_csv_by_hand(tmp_path, matches):
    matches.keypoints0 = np.array([[0.1, 2.0]], np.float32)
    matches.keypoints1 = np.array([[3.5, 4000.0625]], np.float32)
    matches.scores = np.array([0.75], np.float32)
    write_matches(tmp_path / "a.csv", matches)
    expected = "x0,y0,x1,y1,score\n0.100000001,2,3.5,4000.0625,0.75\n"
    assert (tmp_path / "a.csv").read_text() == expected


def test_csv_comes_back_exactly(tmp_path, matches):
    write_matches(tmp_path / "a.csv", matches)
    same(read_matches(tmp_path / "a.csv"), matches, {"keypoints0", "keypoints1", "scores"})


@pytest.mark.parametrize("suffix", [".npz", ".h5", ".csv"])
def test_no_matches_at_all(tmp_path, matches, suffix):
    matches.keypoints0 = matches.keypoints1 = np.zeros((0, 2), np.float32)
    matches.scores = np.zeros(0, np.float32)
    write_matches(tmp_path / f"a{suffix}", matches)
    read = read_matches(tmp_path / f"a{suffix}")
    assert read["keypoints0"].shape == read["keypoints1"].shape == (0, 2)
    assert read["scores"].shape == (0,)


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
def test_damaged_files(tmp_path, features, suffix):
    path = tmp_path / f"a{suffix}"
    write_features(path, features)
    whole = path.read_bytes()
    for content in (b"", b"text", whole[:-40], whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(FormatError, match=r"is not a|is not an|damaged"):
            read_features(path)
    path.unlink()
    with pytest.raises(FormatError, match="there is no file"):
        read_features(path)


@pytest.mark.parametrize("suffix", [".npz", ".h5"])
def test_files_of_another_kind(tmp_path, features, suffix):
    write_features(tmp_path / f"a{suffix}", features)
    with pytest.raises(FormatError, match="holds no 'keypoints0'; it has"):
        read_matches(tmp_path / f"a{suffix}")


def test_damaged_csv(tmp_path):
    for content in (
        "x0,y0,x1,y1,score\n1,2,3\n",
        "x0,y0,x1,y1,score\n1,2,3,4,a\n",
        "a,b\n1,2,3,4,5\n",
    ):
        (tmp_path / "a.csv").write_text(content)
        with pytest.raises(FormatError, match=r"is not a \.csv of matches"):
            read_matches(tmp_path / "a.csv")


def test_a_pickle_is_never_run(tmp_path):
    np.savez(tmp_path / "a.npz", allow_pickle=True, keypoints=np.array([{"a": 1}], object))
    with pytest.raises(FormatError, match=r"is not a \.npz file of arrays"):
        read_features(tmp_path / "a.npz")
