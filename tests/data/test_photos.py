import cv2
import numpy as np
import pytest

from corr.data.photos import INSTALLED_TRAIN, INSTALLED_VAL, Photos, find_photos
from corr.errors import DatasetError


def write(path, height=40, width=60, value=100):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.full((height, width, 3), (value, 50, 200), np.uint8)  # BGR
    cv2.imwrite(str(path), picture)
    return path


def test_a_tenth_is_held_out_and_nothing_is_in_both(tmp_path):
    paths = [write(tmp_path / f"{i:02}.png") for i in range(25)]
    train, val = find_photos(tmp_path)
    assert val == [paths[0], paths[10], paths[20]]
    assert sorted(train + val) == paths


def test_two_photos_are_split(tmp_path):
    write(tmp_path / "a.png"), write(tmp_path / "b.PNG")
    train, val = find_photos(str(tmp_path))
    assert [p.name for p in train] == ["b.PNG"]
    assert [p.name for p in val] == ["a.png"]


def test_a_folder_of_held_out_photos_and_folders_below(tmp_path):
    first = write(tmp_path / "train" / "deeper" / "a.jpg")
    second = write(tmp_path / "val" / "b.tiff")
    (tmp_path / "train" / "notes.txt").write_text("no photo")
    assert find_photos(tmp_path / "train", tmp_path / "val") == ([first], [second])


def test_installed_photos_exist_and_leave_the_motorcycle_alone():
    train, val = find_photos()
    assert [p.name for p in train] == list(INSTALLED_TRAIN)
    assert [p.name for p in val] == list(INSTALLED_VAL)
    assert all(path.is_file() for path in train + val)
    assert not set(train) & set(val)
    assert not any("motorcycle" in path.name for path in train + val)


def test_photos_are_rgb_and_large_ones_are_reduced(tmp_path):
    photos = Photos([write(tmp_path / "a.png"), write(tmp_path / "b.png", 300, 100)], max_side=60)
    assert len(photos) == 2
    assert photos[0].shape == (40, 60, 3)
    assert photos[0][0, 0].tolist() == [200, 50, 100]
    assert photos[1].shape == (60, 20, 3)
    assert photos[1].dtype == np.uint8


def test_a_grey_photo_has_three_channels(tmp_path):
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((20, 30), 7, np.uint8))
    assert Photos([tmp_path / "grey.png"])[0].shape == (20, 30, 3)


def test_an_unreadable_photo_is_named(tmp_path):
    whole = write(tmp_path / "good.jpg").read_bytes()
    (tmp_path / "bad.jpg").write_bytes(b"not an image")
    with pytest.raises(DatasetError, match=r"a photo to train on cannot be used: .*bad\.jpg"):
        Photos([tmp_path / "good.jpg", tmp_path / "bad.jpg"])
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DatasetError, match=r"cut\.jpg"):
        Photos([tmp_path / "cut.jpg"])


def test_folders_that_do_not_do(tmp_path):
    with pytest.raises(DatasetError, match="missing' of photos does not exist"):
        find_photos(tmp_path / "missing")
    with pytest.raises(DatasetError, match=r"holds no photo; accepted are \.bmp"):
        find_photos(tmp_path)
    write(tmp_path / "a.png")
    with pytest.raises(DatasetError, match="holds 1 photo; 2 or more"):
        find_photos(tmp_path)
    with pytest.raises(DatasetError, match="val_folder is 'x' without a folder"):
        find_photos(None, "x")
