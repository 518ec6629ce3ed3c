"""A photograph on both sides of the split is noticed, and nothing else is."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from corr.data import PatchDataModule, PhotoInstanceDataModule, ViewDataModule
from corr.data.near_duplicates import near_duplicates
from corr.data.photos import Photos, find_photos

WARNING = (
    "corr: warning: photographs held out should be others than those trained on: 'again.jpg' is "
    "trained on as 'coffee.png'; figures of the validation look too good\n"
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> tuple[str, str]:
    """Small photographs; one held out is one to train on, darker, smaller and compressed."""
    root = tmp_path_factory.mktemp("photos")
    for name, paths in zip(("train", "val"), find_photos(), strict=True):
        (root / name).mkdir()
        for path, photo in zip(paths, Photos(paths, 240), strict=True):
            cv2.imwrite(str(root / name / f"{path.stem}.png"), photo[:, :, ::-1])
    coffee = cv2.imread(str(root / "train" / "coffee.png"))
    darker = cv2.resize((0.7 * coffee).astype(np.uint8), (200, 133), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(root / "val" / "again.jpg"), darker, [cv2.IMWRITE_JPEG_QUALITY, 60])
    return str(root / "train"), str(root / "val")


def test_only_the_same_photograph_is_found(folders):
    train, val = (Photos(sorted(Path(folder).iterdir())) for folder in folders)
    assert near_duplicates(train, val) == [("coffee.png", "again.jpg")]
    assert near_duplicates(train, Photos([])) == []
    assert near_duplicates(*(Photos(paths) for paths in find_photos())) == []


def test_plain_photographs_are_not_alike(tmp_path):
    for name, grey in (("a", 0), ("b", 0), ("c", 200)):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((40, 40, 3), grey, np.uint8))
    plain = Photos(sorted(tmp_path.iterdir()))
    assert near_duplicates(plain, plain) == []


@pytest.mark.parametrize(
    "build",
    [
        lambda folders: PatchDataModule(*folders, num_val_pairs=8, num_workers=0),
        lambda folders: ViewDataModule(*folders, num_val_pairs=8, num_workers=0),
        lambda folders: PhotoInstanceDataModule(*folders, num_identities=4, side=32, num_workers=0),
    ],
)
def test_training_says_so_once(folders, build, capsys):
    data = build(folders)
    data.setup("fit")
    data.train_dataloader(), data.val_dataloader()
    assert capsys.readouterr().err == WARNING


def test_validation_alone_has_nothing_to_compare_with(folders, capsys):
    PatchDataModule(*folders, num_val_pairs=8, num_workers=0).setup("validate")
    assert capsys.readouterr().err == ""
