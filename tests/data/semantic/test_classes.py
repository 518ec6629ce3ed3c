"""Photographs by their class: folders, published sets, and what is held out."""

from pathlib import Path

import pytest
import skimage.data
from published_semantic import SEMANTIC

from corr.data.classes import part_of_classes, read_classes
from corr.errors import DatasetError
from corr.formats import write_image


def folders(root: Path, **counts: int) -> Path:
    for name, count in counts.items():
        for number in range(count):
            path = root / name / ("deep" if number % 2 else "") / f"{number:02d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_image(path, skimage.data.chelsea()[:40, :50])
    return root


def test_a_folder_for_each_class(tmp_path):
    root = folders(tmp_path, cat=3, dog=2, owl=1)
    (root / "notes.txt").write_text("beside")
    (root / "cat" / "notes.txt").write_text("within")
    found = read_classes(root)
    assert {name: len(paths) for name, paths in found.items()} == {"cat": 3, "dog": 2}
    assert found["cat"][-1] == root / "cat" / "deep" / "01.png"


@pytest.mark.parametrize(
    ("name", "split", "expected"),
    [
        ("pf-willow", "test", {"car(G)": 3, "duck(S)": 3}),
        ("pf-pascal", "train", {"cat": 2}),
        ("pf-pascal", "test", {"cat": 3}),
        ("spair-71k", "train", {"dog": 2}),
        ("cub-200-2011", "test", {"001.Wren": 2, "002.Wren": 2}),
    ],
)
def test_classes_of_published_sets(tmp_path, name, split, expected):
    SEMANTIC[name](tmp_path)
    found = read_classes(tmp_path, split)
    assert {name: len(paths) for name, paths in found.items()} == expected
    assert all(path.is_file() for paths in found.values() for path in paths)


@pytest.mark.parametrize(("count", "num_held"), [(4, 2), (5, 3), (9, 3), (20, 2), (100, 10)])
def test_held_out_of_each_class(count, num_held):
    paths = [Path(f"{number:03d}.png") for number in range(count)]
    classes = {"cat": paths, "few": paths[:3]}
    held, rest = (
        part_of_classes(classes, held_out=held_out, root=Path()) for held_out in (True, False)
    )
    assert len(held["cat"]) == num_held and len(rest["cat"]) >= 2
    assert sorted(held["cat"] + rest["cat"]) == paths
    assert "few" not in held and rest["few"] == paths[:3]


def test_what_is_refused(tmp_path):
    with pytest.raises(DatasetError, match="nowhere' is not a folder; give one with a folder"):
        read_classes(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="no class with two photographs or more; give a folder"):
        read_classes(folders(tmp_path / "few", cat=1, dog=1))
    classes = read_classes(folders(tmp_path / "small", cat=3))
    with pytest.raises(DatasetError, match="no class with four photographs or more, of which"):
        part_of_classes(classes, held_out=True, root=tmp_path)
    with pytest.raises(DatasetError, match="PF-WILLOW has no part 'train'"):
        (tmp_path / "willow").mkdir()
        SEMANTIC["pf-willow"](tmp_path / "willow")
        read_classes(tmp_path / "willow", "train")
    (tmp_path / "tss").mkdir()
    SEMANTIC["tss"](tmp_path / "tss")
    with pytest.raises(DatasetError, match="is TSS, which does not say what"):
        read_classes(tmp_path / "tss", "test")
