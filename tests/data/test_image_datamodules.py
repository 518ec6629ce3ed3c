"""Batches of views of photographs and of identities: content, resumption, held-out images."""

import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from corr.data import IdentityDataModule, ImageBatch, PhotoInstanceDataModule
from corr.data.image_batches import LabelledImages
from corr.data.photometric import PhotometricChange, Photometry
from corr.data.photos import Photos, find_photos
from corr.data.views import Views
from corr.errors import DatasetError, OptionError, ShapeError

SMALL = {"num_identities": 4, "side": 32, "steps_per_epoch": 3, "num_workers": 0}


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """Parts of real photographs, of two sizes."""
    folder = tmp_path_factory.mktemp("photos")
    train, _ = find_photos()
    for path, photo in zip(train, Photos(train), strict=True):
        cv2.imwrite(str(folder / f"{path.stem}-0.png"), photo[:120, :120, ::-1])
        cv2.imwrite(str(folder / f"{path.stem}-1.png"), photo[-90:, -160:, ::-1])
    return folder


@pytest.fixture(scope="module")
def people(tmp_path_factory) -> Path:
    """Ten identities with 1 to 5 images each: noise of their own grey."""
    folder = tmp_path_factory.mktemp("people")
    rng = np.random.default_rng(0)
    for number in range(10):
        (folder / f"person_{number}").mkdir()
        for image in range(1, 2 + number % 5):
            pixels = rng.integers(20 * number, 20 * number + 60, (40, 40, 3)).astype(np.uint8)
            name = f"person_{number}_{image:04d}.jpg"
            cv2.imwrite(str(folder / f"person_{number}" / name), pixels)
    return folder


def instances(folder: Path, **settings) -> PhotoInstanceDataModule:
    return PhotoInstanceDataModule(str(folder), **(SMALL | settings))


def identities(folder: Path, **settings) -> IdentityDataModule:
    chosen = {"num_identities": 2, "images_per_identity": 3}
    return IdentityDataModule(str(folder), **(SMALL | chosen | settings))


def equal(first: ImageBatch, second: ImageBatch) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_batch_of_photographs(photos):
    batch = next(iter(instances(photos, images_per_identity=3).train_dataloader()))
    assert batch.images.shape == (12, 3, 32, 32)
    assert batch.images.dtype == torch.float32
    assert 0 <= batch.images.min() < 0.3
    assert 0.7 < batch.images.max() <= 1
    tracks = batch.tracks.reshape(4, 3)
    assert (tracks == tracks[:, :1]).all()
    assert len(set(tracks[:, 0].tolist())) == 4
    assert not torch.equal(batch.images[0], batch.images[1])
    assert (batch.images.amax(1) - batch.images.amin(1)).mean() > 0.02  # in colour


@pytest.mark.parametrize("make", [instances, identities])
class TestStreams:
    def folder(self, make, photos, people) -> Path:
        return photos if make is instances else people

    def test_batches_do_not_depend_on_workers(self, make, photos, people):
        folder = self.folder(make, photos, people)
        alone, other = ([*make(folder, num_workers=n).train_dataloader()] for n in (0, 1))
        assert len(alone) == 3
        assert all(equal(a, b) for a, b in zip(alone, other, strict=True))
        assert not equal(alone[0], alone[1])

    def test_resumed_batches_are_those_of_an_uninterrupted_run(self, make, photos, people):
        folder = self.folder(make, photos, people)
        loader = make(folder).train_dataloader()
        whole = [*loader, *loader]
        first = make(folder).train_dataloader()
        iterator = iter(first)
        next(iterator), next(iterator)
        second = make(folder).train_dataloader()
        second.load_state_dict(first.state_dict())
        resumed = [*second, *second]
        assert all(equal(a, b) for a, b in zip(whole[2:], resumed, strict=True))

    def test_the_seed_changes_training_but_not_validation(self, make, photos, people):
        folder = self.folder(make, photos, people)
        first, second = make(folder), make(folder, seed=1)
        assert not equal(
            next(iter(first.train_dataloader())), next(iter(second.train_dataloader()))
        )
        held_out = zip(first.val_dataloader(), second.val_dataloader(), strict=True)
        assert all(equal(a, b) for a, b in held_out)

    def test_what_workers_get_can_be_pickled(self, make, photos, people):
        maker = make(self.folder(make, photos, people)).train_dataloader().make
        again = pickle.loads(pickle.dumps(maker))
        assert np.array_equal(again(3).images, maker(3).images)


def test_held_out_photographs_and_their_views(photos):
    """Every tenth of 14 photographs is held out: two, each itself and in three views."""
    batches = [*instances(photos).val_dataloader()]
    assert all(len({tuple(image.shape) for image in batch.images}) == 1 for batch in batches)
    tracks = torch.cat([batch.tracks for batch in batches])
    assert sorted(tracks.tolist()) == [0] * 4 + [1] * 4
    for batch in batches:
        assert batch.images[0, 0].numel() == pytest.approx(32 * 32, rel=0.06)
        assert batch.images.min() >= 0


def test_identities_are_held_out_and_those_with_one_image_left_out(people):
    data = identities(people)
    data.setup()
    train, val = data._split()
    assert not set(train.names) & set(val.names)
    assert {"person_0", "person_5"}.isdisjoint({*train.names, *val.names})
    assert len(train.names) + len(val.names) == 8
    assert len(val.names) >= 2
    tracks = torch.cat([batch.tracks for batch in data.val_dataloader()])
    assert len(tracks) == len(val.paths)
    assert min(np.bincount(tracks)) >= 2


def test_identities_by_lfws_lists(people, tmp_path):
    (tmp_path / "train.txt").write_text("4\nperson_1\t2\nperson_2\t3\nperson_3\t4\nperson_0\t1\n")
    (tmp_path / "test.txt").write_text("2\nperson_8\t4\nperson_9\t5\n")
    data = identities(
        people, people=str(tmp_path / "train.txt"), val_people=str(tmp_path / "test.txt")
    )
    train, val = data._split()
    assert train.names == ("person_1", "person_2", "person_3")
    assert val.names == ("person_8", "person_9")
    (tmp_path / "test.txt").write_text("0\n")
    with pytest.raises(DatasetError, match="holds no name; one is expected on each line"):
        data._split()


def test_views_in_colour_change_its_colours():
    photo = cv2.cvtColor(np.full((40, 40, 3), (10, 200, 150), np.uint8), cv2.COLOR_HSV2RGB)
    hues = []
    strong = PhotometricChange(Photometry(hue=0.2, grey=0.0, probability=1.0))
    grey = PhotometricChange(Photometry(grey=1.0, noise=0.0, min_jpeg_quality=100))
    for seed in range(30):
        view = strong.colour(photo, np.random.default_rng(seed))
        hues.append(np.median(cv2.cvtColor(view, cv2.COLOR_RGB2HSV)[..., 0]))
    assert max(hues) - min(hues) > 15  # of 180
    assert np.ptp(grey.colour(photo, np.random.default_rng(0)), axis=2).max() == 0


class TestRefusals:
    def test_settings(self, photos):
        for settings, message in (
            ({"num_identities": 1}, "num_identities is 1; use 2 or more"),
            ({"images_per_identity": 1}, "images_per_identity is 1; use 2 or more"),
            ({"side": 8}, "side is 8; use 16 or more"),
            ({"num_val_views": 0}, "num_val_views is 0; use 1 or more"),
        ):
            with pytest.raises(OptionError, match=message):
                instances(photos, **settings)
        with pytest.raises(OptionError, match="people and val_people belong together"):
            identities(photos, people="some.txt")
        with pytest.raises(OptionError, match="give val_people or val_folder, not both"):
            identities(photos, people="a.txt", val_people="b.txt", val_folder=str(photos))
        with pytest.raises(OptionError, match=r"hue is 0\.9; use a value in"):
            Photometry(hue=0.9)

    def test_too_few(self, tmp_path, people):
        with pytest.raises(DatasetError, match="does not exist"):
            instances(tmp_path / "none").setup()
        with pytest.raises(DatasetError, match="holds no photo"):
            instances(tmp_path).setup()
        with pytest.raises(DatasetError, match="holds 0 folders with images"):
            identities(tmp_path).setup()
        one = tmp_path / "one"
        one.mkdir()
        (one / "a").symlink_to(people / "person_4")
        with pytest.raises(DatasetError, match="holds 1 folders with images"):
            identities(tmp_path / "one").setup()
        with pytest.raises(
            DatasetError, match=r"images_per_identity is 9, and no identity in .* more than 5"
        ):
            identities(people, images_per_identity=9).setup()
        with pytest.raises(OptionError, match="num_identities is 64, and there are 6"):
            identities(people, num_identities=64).train_dataloader()

    @pytest.mark.parametrize("num_workers", [0, 1])
    def test_an_image_that_cannot_be_read(self, people, tmp_path, num_workers):
        """One sentence, also where a worker met it."""
        for number in range(1, 5):
            folder = tmp_path / f"p{number}"
            folder.mkdir()
            for image in range(3):
                (folder / f"{image}.jpg").write_bytes(b"no image")
        loader = identities(tmp_path, num_workers=num_workers).train_dataloader()
        with pytest.raises(DatasetError, match="is not an image in a format") as caught:
            next(iter(loader))
        assert "\n" not in str(caught.value)

    def test_labels_of_another_number(self):
        with pytest.raises(ShapeError, match="2 images and 3 labels; give one label an image"):
            LabelledImages([np.zeros((4, 4, 3), np.uint8)] * 2, np.arange(3))


def test_view_settings_reach_the_views(photos):
    """Without any change all views of a square photograph are the photograph."""
    still = Photometry(probability=0.0)
    whole = Views(
        min_area=1.0, max_area=1.0, max_aspect=1.0, max_rotation_deg=0.0, max_perspective=0.0
    )
    data = instances(photos, views=whole, photometry=still)
    num_square = 0
    for batch in data.train_dataloader():
        pairs = batch.images.reshape(4, 2, 3, 32, 32)
        for track, (first, second) in zip(batch.tracks[::2], pairs, strict=True):
            height, width, _ = data._train.images[int(track)].shape
            assert torch.equal(first, second) or height != width
            num_square += height == width
    assert num_square > 0
