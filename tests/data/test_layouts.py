"""A root is recognised by its names alone, and what is not whole is refused in one sentence."""

from pathlib import Path

import pytest
from published import SETS, TEXTURE, image

from corr.data.camera_pairs import SETS as CAMERA_SETS
from corr.data.camera_pairs import read_camera_pairs
from corr.data.flow_pairs import SETS as FLOW_SETS
from corr.data.flow_pairs import read_flow
from corr.data.homographies import SETS as HOMOGRAPHY_SETS
from corr.data.homographies import read_sequences
from corr.data.hpatches_patches import read_hpatches
from corr.data.layouts import recognise_all
from corr.data.posed_pairs import SETS as POSED_SETS
from corr.data.posed_pairs import read_posed
from corr.data.stereo_pairs import SETS as STEREO_SETS
from corr.data.stereo_pairs import read_stereo
from corr.data.strecha import SETS as STRECHA_SETS
from corr.data.strecha import read_strecha
from corr.errors import DatasetError

READERS = {
    read_stereo: STEREO_SETS,
    read_flow: FLOW_SETS,
    read_sequences: HOMOGRAPHY_SETS,
    read_hpatches: ("hpatches-patches",),
    read_posed: POSED_SETS,
    read_camera_pairs: CAMERA_SETS,
    read_strecha: STRECHA_SETS,
}
NOT_NEEDED = ("ambient", "calib/", "testQ", "Walking", "disp6", "disp5", "mask0nocc", "disp1.pfm")
"""Files without which a set can be read, whole or in part."""


def readers(name):
    return [reader for reader, sets in READERS.items() if name in sets]


@pytest.mark.parametrize("name", SETS)
def test_every_set_is_recognised(publish, name):
    root = publish(name)
    assert recognise_all(root)[0] == name
    assert recognise_all(root.parent)[0] == name


def test_other_folders_are_not(tmp_path):
    assert recognise_all(tmp_path / "nowhere") == []
    assert recognise_all(tmp_path) == []
    image(tmp_path / "photos" / "dog.png", TEXTURE)
    assert recognise_all(tmp_path) == []


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("reader", READERS)
def test_another_set_is_named(publish, name, reader):
    root = publish(name)
    if name in READERS[reader]:
        assert reader(root)
        return
    with pytest.raises(DatasetError, match=f"looks like {name}, not ") as caught:
        reader(root)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("reader", READERS)
def test_nothing_there(tmp_path, reader):
    with pytest.raises(DatasetError, match="is not a folder; give the root of"):
        reader(tmp_path / "nowhere")
    with pytest.raises(DatasetError, match="is an empty folder; expected"):
        reader(tmp_path)
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(DatasetError, match="holds nothing of"):
        reader(tmp_path)


def needed(root: Path) -> list[Path]:
    files = [path for path in sorted(root.rglob("*")) if path.is_file()]
    skipped = (
        "map/disp1",
        "disparity/TRAIN/A/0000/right",
        "disparity/TEST/B/0013/right",
        "image_1/000000_11",
        "image_1/000007_11",
        "image_3/000000_11",
        "image_3/000007_11",
    )
    return [
        file
        for file in files
        if not any(part in file.relative_to(root).as_posix() for part in (*NOT_NEEDED, *skipped))
    ]


@pytest.mark.parametrize("name", SETS)
def test_no_file_may_be_missing(publish, name):
    root = publish(name)
    for file in needed(root):
        content = file.read_bytes()
        file.unlink()
        refused = []
        for reader in readers(name):
            try:
                reader(root)
            except DatasetError as error:
                refused.append(str(error))
        assert refused, f"{file} is not missed"
        assert any(f"'{file.name}'" in message for message in refused), refused
        file.write_bytes(content)


@pytest.mark.parametrize("name", SETS)
def test_no_file_may_be_empty(publish, name):
    root = publish(name)
    for file in needed(root):
        content = file.read_bytes()
        file.write_bytes(b"")
        messages = []
        for reader in readers(name):
            try:
                reader(root)
            except DatasetError as error:
                messages.append(str(error))
        assert any(f"'{file}' is empty (0 bytes)" in message for message in messages), messages
        file.write_bytes(content)
