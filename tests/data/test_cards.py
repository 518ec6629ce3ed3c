"""Cards: every one of ours is whole, a wrong one says why, and data is verified against them."""

import importlib
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import yaml

from corr.data.cards import DatasetCard, FileGroup, list_cards, load_card, read_card
from corr.data.verify import verify
from corr.errors import DatasetError
from corr.formats import write_disparity, write_image
from corr.resources import cards_root

EXPECTED = {
    "brown",
    "cub-200-2011",
    "driving",
    "eth3d",
    "evd",
    "flying-chairs",
    "flyingthings3d",
    "hpatches-patches",
    "hpatches-sequences",
    "identities-folder",
    "kitti-2012",
    "kitti-2015",
    "lfw",
    "middlebury-2014",
    "middlebury-2021",
    "middlebury-flow",
    "middlebury-stereo",
    "monkaa",
    "oxford-affine",
    "pf-pascal",
    "pf-willow",
    "photos-folder",
    "sintel",
    "skimage-photos",
    "spair-71k",
    "strecha",
    "synthetic-posed",
    "tss",
}
INSTALLED = Path(skimage.data.__file__).parent


def card(**changes: object) -> DatasetCard:
    texts = dict.fromkeys(["name", "title", "source", "licence", "cite", "reader", "use"], "some")
    layout = (FileGroup("*", ("a.png|a.ppm", "b.pfm")),)
    return DatasetCard(
        **{**texts, "layout": layout, "splits": {"all": "all"}, "units": {"x": "px"}, **changes}
    )


def test_every_card_is_read():
    assert {entry.name for entry in list_cards()} == EXPECTED
    assert {path.suffix for path in cards_root().iterdir()} == {".yaml"}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_readers_exist(name):
    for reader in load_card(name).readers:
        module, _, function = reader.rpartition(".")
        assert callable(getattr(importlib.import_module(module), function))


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_cards_say_what_data_is_for(name):
    entry = load_card(name)
    if name not in ("identities-folder", "photos-folder", "skimage-photos", "synthetic-posed"):
        assert "Never" in entry.use
        assert entry.source.startswith(
            ("https://", "http://sintel", "http://phototour", "http://vis-www")
        )


def test_unknown_card():
    with pytest.raises(
        DatasetError,
        match="'kitty' is not known; there are cards of brown, cub-200-2011, driving, eth3d, evd",
    ):
        load_card("kitty")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"licence": None}, "key 'licence' is missing"),
        ({"license": "MIT"}, "key 'license' is not known; use cite, layout, licence"),
        ({"licence": " "}, "'licence' is an empty text"),
        ({"cite": 2005}, "'cite' is not a text: 2005"),
        ({"layout": []}, "'layout' names no files"),
        ({"layout": "*.png"}, "'layout' is not a list of folders and files"),
        ({"layout": [{"folders": "*"}]}, "'layout' is not a list of folders and files"),
        ({"layout": [{"folders": "*", "files": "a.png"}]}, "is not a list of folders and files"),
        ({"layout": [{"folders": "*", "files": []}]}, "names no files"),
        ({"layout": [{"folders": "../*", "files": ["a"]}]}, "is not a path below the root"),
        ({"layout": [{"folders": "*", "files": ["/etc/passwd"]}]}, "is not a path below the root"),
        ({"layout": [{"folders": "*", "files": ["a|../b"]}]}, "is not a path below the root"),
        ({"splits": {}}, "'splits' is empty"),
        ({"units": ["px"]}, "'units' is not names with texts"),
        ({"sha256": {"a.png": "abc"}}, "the sha256 of 'a.png' is not 64 hex digits"),
    ],
    ids=str,
)
def test_wrong_cards(tmp_path, change, message):
    content = yaml.safe_load((cards_root() / "kitti-2012.yaml").read_text())
    for key, value in change.items():
        content.pop(key, None)
        if value is not None:
            content[key] = value
    (tmp_path / "mine.yaml").write_text(yaml.safe_dump(content))
    with pytest.raises(DatasetError, match=message.replace("*", r"\*")):
        read_card(tmp_path / "mine.yaml")


@pytest.mark.parametrize("content", ["{", "text", "", b"\xff\xfe\x00"])
def test_files_that_are_no_cards(tmp_path, content):
    path = tmp_path / "mine.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(DatasetError, match=r"YAML file|is not a card"):
        read_card(path)


@pytest.fixture
def data(tmp_path):
    """Two scenes of the layout of `card()`."""
    for scene in ("one", "two"):
        (tmp_path / scene).mkdir()
        write_image(tmp_path / scene / "a.png", np.zeros((4, 5, 3), np.uint8))
        write_disparity(tmp_path / scene / "b.pfm", np.ones((4, 5), np.float32))
    (tmp_path / "two" / "a.png").rename(tmp_path / "two" / "a.ppm")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "notes.txt").write_text("not of the set")
    return tmp_path


def test_whole_data_is_counted(data):
    assert verify(card(), data) == (4, 0)


def test_a_part_is_enough_if_it_is_whole(data):
    for file in (data / "one").iterdir():
        file.unlink()
    assert verify(card(), data) == (2, 0)
    (data / "two" / "b.pfm").unlink()
    with pytest.raises(DatasetError, match=r"two' has no file 'b\.pfm'"):
        verify(card(), data)


def test_nothing_there(data, tmp_path_factory):
    with pytest.raises(DatasetError, match=r"is an empty folder; expected files such as \*/a\.png"):
        verify(card(), tmp_path_factory.mktemp("empty"))
    with pytest.raises(DatasetError, match="is not a folder; give the root"):
        verify(card(), data / "none")


@pytest.mark.parametrize("file", ["one/a.png", "one/b.pfm"])
def test_damaged_files(data, file):
    whole = (data / file).read_bytes()
    for content in (b"", b"text", whole[: len(whole) // 2]):
        (data / file).write_bytes(content)
        with pytest.raises(DatasetError, match=r"one/[ab]\.p(ng|fm)'"):
            verify(card(), data)


def test_checksums(data):
    right = "0" * 64
    with pytest.raises(DatasetError, match="its sha256 differs"):
        verify(card(sha256={"one/a.png": right}), data)


def test_what_scikit_image_installs():
    assert verify(load_card("skimage-photos"), INSTALLED) == (9, 0)
    assert verify(load_card("middlebury-2014"), INSTALLED) == (3, 1)
