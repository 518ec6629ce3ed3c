"""What the tests of the commands share."""

import pytest
import skimage.data
from wall import SHIFT

from corr.formats import write_image


@pytest.fixture(scope="session")
def pair(tmp_path_factory):
    """A photograph, and the same one seen 12 px further to the right: a wall before two cameras."""
    folder = tmp_path_factory.mktemp("wall")
    photo = skimage.data.chelsea()[60:180]
    write_image(folder / "left.png", photo[:, : 240 - SHIFT])
    write_image(folder / "right.png", photo[:, SHIFT:240])
    return folder / "left.png", folder / "right.png"


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
