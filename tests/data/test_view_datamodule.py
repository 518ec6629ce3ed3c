"""Views and frames of training: the same pairs that patches are cut from, and where they are."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
import pytorch_lightning as pl
import torch

from corr.data import PatchDataModule, ViewDataModule, ViewPairs
from corr.data.photometric import Photometry
from corr.data.photos import Photos, find_photos
from corr.geometry import extract_patches
from corr.losses.frames import frame_mismatch, turn_deg
from corr.tasks.quiet import quiet


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Quarters of real photographs, of two sizes."""
    folder = tmp_path_factory.mktemp("photos")
    train, _ = find_photos()
    for path, photo in zip(train, Photos(train), strict=True):
        width = 220 if path.stem < "c" else 260
        cv2.imwrite(str(folder / f"{path.stem}.png"), photo[:200, :width, ::-1])
    return folder


def module(kind, folder, **settings):
    chosen = {
        "batch_size": 24,
        "pairs_per_photo": 6,
        "steps_per_epoch": 3,
        "num_val_pairs": 40,
        "num_workers": 0,
    }
    return kind(str(folder), **(chosen | settings))


def cut(views, batch, frames):
    patches = [
        extract_patches(view[None, None].float(), frames[batch.view == index])
        for index, view in enumerate(views)
    ]
    return torch.cat(patches).round() / 255


def test_patches_cut_along_the_detectors_orientation_are_those_of_the_patch_module(folder):
    views = next(iter(module(ViewDataModule, folder).train_dataloader()))
    pairs = next(iter(module(PatchDataModule, folder).train_dataloader()))
    assert isinstance(views, ViewPairs)
    for sides, frames, expected in (
        (views.views0, views.oriented0, pairs.anchor),
        (views.views1, views.oriented1, pairs.positive),
    ):
        torch.testing.assert_close(cut(sides, views, frames), expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(views.points, pairs.points)
    assert torch.equal(views.images, pairs.images)


def test_rows_of_a_view_stand_together_and_views_keep_their_size(folder):
    batch = next(iter(module(ViewDataModule, folder).train_dataloader()))
    assert len(batch.view) == 24
    assert torch.equal(batch.view, batch.view.sort().values)
    assert batch.view.unique().tolist() == list(range(len(batch.views0)))
    assert {view.dtype for view in batch.views0} == {torch.uint8}
    assert [v.shape for v in batch.views0] == [v.shape for v in batch.views1]


def test_frames_are_turned_at_random_each_for_itself(folder):
    batches = list(module(ViewDataModule, folder, batch_size=120).train_dataloader())
    for frames, oriented in (("frames0", "oriented0"), ("frames1", "oriented1")):
        turned = torch.cat([getattr(batch, frames) for batch in batches])
        given = torch.cat([getattr(batch, oriented) for batch in batches])
        torch.testing.assert_close(turned[:, :, 2], given[:, :, 2])
        areas = (torch.linalg.det(side[:, :, :2]) for side in (turned, given))
        torch.testing.assert_close(*areas)
        angle = turn_deg(frame_mismatch(given, turned, torch.eye(2).expand(len(given), 2, 2)))
        share, _ = np.histogram(angle.numpy(), bins=6, range=(0, 180))
        assert share.min() > 0.5 * len(angle) / 6


def test_the_affine_map_takes_one_oriented_frame_to_the_other(folder):
    """Up to what a detector is off, and to tilt; mirrored pairs too."""
    batch = next(iter(module(ViewDataModule, folder, batch_size=120).train_dataloader()))
    mismatch = frame_mismatch(batch.oriented0, batch.oriented1, batch.affine_0to1)
    assert turn_deg(mismatch).median() < 15
    assert torch.linalg.det(mismatch).log2().abs().median() < 0.6
    mirrored = torch.linalg.det(batch.frames0[:, :, :2]) < 0
    assert 0.3 < mirrored.float().mean() < 0.7
    assert torch.equal(mirrored, torch.linalg.det(batch.frames1[:, :, :2]) < 0)


def test_batches_do_not_depend_on_workers_and_validation_is_fixed(folder):
    alone, other = (
        [*module(ViewDataModule, folder, num_workers=n).train_dataloader()] for n in (0, 1)
    )
    for first, second in zip(alone, other, strict=True):
        assert torch.equal(first.frames1, second.frames1)
        for a, b in zip(first.views1, second.views1, strict=True):
            assert torch.equal(a, b)
    assert not torch.equal(alone[0].frames0, alone[1].frames0)
    first, second = (module(ViewDataModule, folder, seed=s).val_dataloader() for s in (0, 1))
    assert sum(len(batch.view) for batch in first) == 40
    assert len(first) == 2
    for a, b in zip(first, second, strict=True):
        assert torch.equal(a.frames0, b.frames0)


class TestCameraOnTheDevice:
    """A CPU can do what is meant for a GPU."""

    def trained_on(self, folder, camera, **settings) -> list[ViewPairs]:
        """The batches as a task gets them."""
        data = module(ViewDataModule, folder, camera=camera, **settings)
        seen: list[ViewPairs] = []

        class Noting(pl.LightningModule):
            def training_step(self, batch, batch_idx):
                seen.append(batch)

            def configure_optimizers(self):
                return None

        trainer = pl.Trainer(
            accelerator="cpu", max_steps=2, limit_val_batches=0, logger=False,
            enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False,
            max_epochs=1, limit_train_batches=2,
        )  # fmt: skip
        with quiet():
            trainer.fit(Noting(), data)
        return seen

    def test_the_light_changes_and_nothing_else(self, folder):
        plain = Photometry(
            brightness=0.0, contrast=0.0, gamma=1.0, colour=0.0, noise=0.0, blur=0.0,
            min_jpeg_quality=100,
        )  # fmt: skip
        bright = replace(plain, brightness=0.3, probability=1.0)
        same = self.trained_on(folder, "device", photometry=plain)[0]
        changed = self.trained_on(folder, "device", photometry=bright)[0]
        assert len(same.views1) == len(changed.views1) > 1
        for before, after in zip(same.views1, changed.views1, strict=True):
            assert after.dtype == torch.uint8
            inside = (after > 0) & (after < 255)
            step = (after.float() - before.float())[inside]
            assert step.std() < 1  # the same for all pixels
            assert abs(float(step.mean())) <= 0.3 * 255 + 1
        assert torch.equal(same.oriented1, changed.oriented1)
        assert torch.equal(same.points, changed.points)

    def test_the_same_step_the_same_views_each_step_its_own(self, folder):
        first, again = (self.trained_on(folder, "device") for _ in range(2))
        assert len(first) == 2
        for one, other in zip(first, again, strict=True):
            assert all(map(torch.equal, one.views1, other.views1))
        assert not torch.equal(first[0].views0[0], first[1].views0[0])

    def test_auto_leaves_it_to_the_workers_on_a_cpu(self, folder):
        auto, workers = (self.trained_on(folder, kind)[0] for kind in ("auto", "workers"))
        assert all(map(torch.equal, auto.views1, workers.views1))
