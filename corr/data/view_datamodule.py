"""Pairs of views with the frames of the same points, for training that cuts its own patches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import torch
from jaxtyping import Float32, Int64, UInt8
from torch import Tensor

from corr.data.device_photometry import change_camera
from corr.data.patch_datamodule import PatchDataModule
from corr.data.patches import FIRST_VIEW, PatchSampler
from corr.data.photometric import Photometry
from corr.data.resumable import VAL, ResumableLoader, ShareOfSteps
from corr.data.two_views import TwoViews
from corr.losses.checks import check_choice

Camera = Literal["auto", "workers", "device"]


class ViewPairs(NamedTuple):
    """Views of photographs and the frames of the same points in them, row by row."""

    views0: list[UInt8[Tensor, "_ _"]]
    """Grey; sizes may differ."""
    views1: list[UInt8[Tensor, "_ _"]]
    view: Int64[Tensor, " B"]
    """Which of the views a row is in; those of one view stand together, in the views' order."""
    frames0: Float32[Tensor, "B 2 3"]
    """At random angles: no orientation is given."""
    frames1: Float32[Tensor, "B 2 3"]
    oriented0: Float32[Tensor, "B 2 3"]
    """The same along the detector's orientation."""
    oriented1: Float32[Tensor, "B 2 3"]
    affine_0to1: Float32[Tensor, "B 2 2"]
    """What happens to the surroundings of the point from view 0 to view 1."""
    points: Float32[Tensor, "B 2"]
    """Where the points are in their photo, (x, y) px."""
    images: Int64[Tensor, " B"]
    """Number of that photo, the same in every process."""


class ViewDataModule(PatchDataModule):
    """The views that `PatchDataModule` cuts its patches from, as they are.

    Few bytes for many pairs, since those of one photo share their views. Each frame is turned by an
    angle of its own in each view. Settings are those of `PatchDataModule`, and one more.

    Args:
        camera: where views are changed in brightness, contrast and gamma, blurred, made noisy and
            compressed: in the `workers` by albumentations, or on the training `device` by kornia;
            `auto` takes the device if it is a GPU. Validation has it done by the workers.

    Raises:
        OptionError: a setting outside its range.
    """

    def __init__(self, *args: Any, camera: Camera = "auto", **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        check_choice("camera", camera, get_args(Camera))
        self.camera = camera

    def read_train(self) -> PatchSampler:
        """The photographs to train on, whose views may keep their camera for the device."""
        return replace(super().read_train(), camera=not self._camera_on_device)

    def read_val(self) -> ValidationViews:
        """The validation pairs, of the photographs held out."""
        rng = np.random.default_rng((VAL, 0))
        views = self._val_sampler().views(self.num_val_pairs, self.pairs_per_photo, rng)
        most = max(1, self.batch_size // self.pairs_per_photo)
        parts = (views[start : start + most] for start in range(0, len(views), most))
        return ValidationViews([view_pairs(part, self.sigmas, rng) for part in parts])

    def train_dataloader(self) -> ResumableLoader[ViewPairs, ViewPairs]:  # type: ignore[override]
        """Batches of `ViewPairs`, without end over the epochs, resumable at any step."""
        self.setup("fit")
        make = TrainingViews(self._train, self.batch_size, self.pairs_per_photo, **self.share)
        return self.loader(make, _as_made)

    def on_after_batch_transfer(self, batch: ViewPairs, dataloader_idx: int) -> ViewPairs:
        """The views of a training batch through their cameras, where that is left to the device."""
        trainer = self.trainer
        if trainer is None or not trainer.training or not self._camera_on_device:
            return batch
        seed = np.random.SeedSequence((self.seed, trainer.global_step, trainer.global_rank))
        generator = torch.Generator().manual_seed(int(seed.generate_state(1)[0]))
        return batch._replace(
            views0=[_through(view, FIRST_VIEW, generator) for view in batch.views0],
            views1=[_through(view, self.photometry, generator) for view in batch.views1],
        )

    @property
    def _camera_on_device(self) -> bool:
        if self.camera != "auto" or self.trainer is None:
            return self.camera == "device"
        return self.trainer.strategy.root_device.type == "cuda"

    def val_dataloader(self) -> ValidationViews:  # type: ignore[override]
        """The validation pairs in batches of `ViewPairs`."""
        self.setup("validate")
        views: ValidationViews = self._val
        return views


@dataclass(frozen=True)
class TrainingViews(ShareOfSteps):
    """Makes the views of any step."""

    sampler: PatchSampler
    batch_size: int
    pairs_per_photo: int

    def __call__(self, step: int) -> ViewPairs:
        """The batch, the same whenever and wherever it is made."""
        rng = self.rng(step)
        views = self.sampler.views(self.batch_size, self.pairs_per_photo, rng)
        return view_pairs(views, self.sampler.sigmas, rng)


class ValidationViews:
    """Stored batches; the same ones at each iteration."""

    def __init__(self, batches: Sequence[ViewPairs]) -> None:
        self._batches = batches

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[ViewPairs]:
        return iter(self._batches)


def view_pairs(views: Sequence[TwoViews], sigmas: float, rng: np.random.Generator) -> ViewPairs:
    """All the points of some views as one batch; the angles of the frames are drawn here."""
    angles = [tuple(rng.uniform(0, 360, (2, len(part)))) for part in views]
    turned = _joined(part.frames(sigmas, turn) for part, turn in zip(views, angles, strict=True))
    oriented = _joined(part.frames(sigmas) for part in views)
    counts = torch.tensor([len(part) for part in views])
    points = np.concatenate([part.placed0[0] for part in views]).astype(np.float32)
    return ViewPairs(
        [torch.from_numpy(part.first) for part in views],
        [torch.from_numpy(part.second) for part in views],
        torch.arange(len(views)).repeat_interleave(counts),
        turned[0],
        turned[1],
        oriented[0],
        oriented[1],
        torch.cat([part.affine_0to1 for part in views]),
        torch.from_numpy(points),
        torch.tensor([part.photo for part in views]).repeat_interleave(counts),
    )


def _through(
    view: UInt8[Tensor, "H W"], ranges: Photometry, generator: torch.Generator
) -> UInt8[Tensor, "H W"]:
    changed = change_camera(view[None, None].float() / 255, ranges, generator)
    return (changed[0, 0] * 255).round().byte()


def _joined(sides: Iterable[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    first, second = zip(*sides, strict=True)
    return torch.cat(first), torch.cat(second)


def _as_made(batch: ViewPairs) -> ViewPairs:
    return batch
