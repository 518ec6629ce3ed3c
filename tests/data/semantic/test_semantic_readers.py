"""Readers of semantic correspondence: known answers in each layout, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
import scipy.io
from published_semantic import SEMANTIC, WIDTH, willow_points

from corr.cli import main
from corr.data.layouts import recognise_all
from corr.data.semantic.reader import read_semantic
from corr.errors import DatasetError

NOT_NEEDED = ("trn_pairs", "trn", "ImageAnnotation")
"""Files of other parts than the test part, or of none."""
COUNTS = {
    "pf-willow": (12, 12),
    "pf-pascal": (6, 2),
    "spair-71k": (7, 1),
    "cub-200-2011": (11, 4),
    "tss": (14, 4),
}
"""Files and pairs of the test part."""


@pytest.fixture(params=SEMANTIC)
def published(request, tmp_path) -> tuple[str, Path]:
    root = tmp_path / "root"
    root.mkdir()
    SEMANTIC[request.param](root)
    return request.param, root


def make(name: str, root: Path) -> Path:
    root.mkdir(parents=True)
    SEMANTIC[name](root)
    return root


def test_pf_willow_without_a_list(tmp_path):
    pairs = read_semantic(make("pf-willow", tmp_path / "set"))
    assert [pair.group for pair in pairs] == 6 * ["car(G)"] + 6 * ["duck(S)"]
    assert len({pair.name for pair in pairs}) == 12  # all ordered pairs of three images
    pair = next(pair for pair in pairs if pair.name == "duck(S)/002-000")
    truth = pair.truth()
    assert np.array_equal(truth.points0, willow_points(2).T - 1)  # MATLAB counts from 1
    assert np.array_equal(truth.points1, willow_points(0).T - 1)
    assert truth.box1.tolist() == [10, 10, 55, 37]
    assert pair.flipped is None


def test_pf_willow_with_its_list(tmp_path):
    root = make("pf-willow", tmp_path / "set")
    line = "PF-dataset/duck(S)/001.png,PF-dataset/duck(S)/002.png" + 40 * ",1.0"
    header = "imageA,imageB," + ",".join(
        f"{c}{i}" for c in ("XA", "YA", "XB", "YB") for i in range(10)
    )
    (root / "test_pairs_pf.csv").write_text(f"{header}\n{line}\n")
    (pair,) = read_semantic(tmp_path)
    assert pair.name == "duck(S)/001-002"
    assert np.array_equal(pair.truth().points1, willow_points(2).T - 1)
    (root / "test_pairs_pf.csv").write_text(f"{header}\n{line.replace('002.png', '009.png')}\n")
    with pytest.raises(DatasetError, match=r"lacks '009\.mat', so the set is not whole"):
        read_semantic(root)


def test_pf_pascal(tmp_path):
    root = make("pf-pascal", tmp_path / "set")
    first, second = read_semantic(root)
    assert (first.name, first.group) == ("cat/2008_000000-2008_000001", "cat")
    truth = first.truth()
    assert truth.points0.tolist() == [[50, 10], [70, 50]]  # parts 0 and 1 are missing in one each
    assert truth.points1.tolist() == [[51, 11], [71, 51]]
    assert truth.box1.tolist() == [5, 7, 80, 56]
    assert second.truth().points0.tolist() == [[11, 21], [71, 51]]
    (train,) = read_semantic(root, "train")  # its mirrored copy is no new pair
    assert train.name == "cat/2008_000002-2008_000000"
    with pytest.raises(DatasetError, match=r"has no list of pairs such as 'val_pairs_pf_pascal"):
        read_semantic(root, "val")


def test_spair(tmp_path):
    root = make("spair-71k", tmp_path / "set")
    (pair,) = read_semantic(root)
    truth = pair.truth()
    assert (pair.name, pair.flipped) == ("dog/2009_0-2009_1", True)
    assert truth.points1.tolist() == [[12, 22], [35, 45]]
    assert truth.box0.tolist() == [5, 6, 50, 55]
    assert [pair.name for pair in read_semantic(root, "train")] == ["dog/2009_1-2009_0"]
    with pytest.raises(DatasetError, match="has no part 'trn'; use train, val, test"):
        read_semantic(root, "trn")


def test_cub(tmp_path):
    pairs = read_semantic(make("cub-200-2011", tmp_path / "set"))
    assert {pair.name for pair in pairs} >= {"001.Wren/Wren_0001-Wren_0002"}
    pair = next(pair for pair in pairs if pair.name == "001.Wren/Wren_0001-Wren_0002")
    truth = pair.truth()
    assert len(truth.points0) == 13  # of 15, parts 1 and 2 are hidden in one each
    assert truth.points0[0].tolist() == [13.5, 21]
    assert truth.points1[0].tolist() == [13.5, 22]
    assert truth.box1.tolist() == [10, 12, 50, 42]


def test_tss(tmp_path):
    pairs = {pair.name: pair for pair in read_semantic(make("tss", tmp_path / "set"))}
    assert set(pairs) == {f"{g}/pair1-{d}" for g in ("FG3DCar", "JODS") for d in ("1to2", "2to1")}
    plain = pairs["FG3DCar/pair1-1to2"]
    truth = plain.truth()
    assert len(truth.points0) == 200  # known flow and foreground: 10 x 20
    assert truth.points0[0].tolist() == [40, 20]
    assert truth.points1[0].tolist() == [44, 22]
    assert truth.box1 is None
    mirrored = pairs["JODS/pair1-1to2"]
    assert (plain.flipped, mirrored.flipped) == (False, True)
    assert mirrored.truth().points1[0].tolist() == [WIDTH - 1 - 44, 22]


def test_the_real_pf_willow(shared_data):
    pairs = read_semantic(shared_data)
    assert len(pairs) == 100
    assert len({pair.group for pair in pairs}) == 5
    for pair in pairs[::10]:
        assert pair.image0.is_file()
        assert pair.truth().points0.shape == (10, 2)


def test_every_set_is_recognised_and_verified(published, capsys):
    name, root = published
    assert recognise_all(root)[0] == recognise_all(root.parent)[0] == name
    files, pairs = COUNTS[name]
    assert main(["datasets", "verify", name, str(root)]) == 0
    said = f"{files} files in '{root}' are as the card says, and {pairs} pairs agree"
    assert said in capsys.readouterr().out


def test_no_file_may_be_missing_or_empty(published):
    name, root = published
    for file in sorted(path for path in root.rglob("*") if path.is_file()):
        if any(part.startswith(NOT_NEEDED) for part in file.relative_to(root).parts):
            continue
        if file.suffix == ".csv" or file.parent.name == "large":
            continue  # without a list pairs are drawn
        if "Wren_0003" in file.name or "Wren_0006" in file.name:
            continue  # of the train part
        content = file.read_bytes()
        file.write_bytes(b"")
        with pytest.raises(DatasetError, match="is empty"):
            read_semantic(root)
        file.unlink()
        if file.suffix != ".mat" and file.name != "images.txt":  # those say what there is
            with pytest.raises(DatasetError, match="so the set is not whole"):
                read_semantic(root)
        file.write_bytes(content)
    assert read_semantic(root), name


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"points": np.ones((2, 10))}, r"holds no 'pts_coord'; it has \['points'\]"),
        ({"pts_coord": np.ones((2, 9))}, r"shape \(2, 9\); PF-WILLOW has 2 x 10 finite"),
        ({"pts_coord": np.full((2, 10), np.nan)}, "PF-WILLOW has 2 x 10 finite"),
        ({"pts_coord": "text"}, "holds no numbers under 'pts_coord'"),
        (None, "is not a .mat file, or it is damaged"),
    ],
)
def test_wrong_annotations(tmp_path, capsys, content, message):
    root = make("pf-willow", tmp_path / "set")
    path = root / "duck(S)" / "001.mat"
    if content is None:
        path.write_bytes(b"no matlab file at all" * 20)
    else:
        scipy.io.savemat(path, content)
    with pytest.raises(DatasetError, match=message) as caught:
        read_semantic(root)
    assert str(path) in str(caught.value)
    assert main(["evaluate", "semantic", "--root", str(root), "--cache", str(tmp_path / "c")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_other_roots_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="is not a folder; give the root of spair-71k"):
        read_semantic(tmp_path / "nowhere")
    for name in ("tss", "pf-willow"):
        make(name, tmp_path / "sets" / name)
    with pytest.raises(DatasetError, match=r"holds pf-willow .* and tss .*; give the root of one"):
        read_semantic(tmp_path / "sets")


def test_a_point_outside_its_image_is_found_by_verify(tmp_path, capsys):
    root = make("pf-willow", tmp_path / "set")
    points = willow_points(1)
    points[0, 3] = 400
    scipy.io.savemat(root / "duck(S)" / "001.mat", {"pts_coord": points})
    assert main(["datasets", "verify", "pf-willow", str(root)]) == 2
    assert "has a point at (399, 21), which '" in capsys.readouterr().err
