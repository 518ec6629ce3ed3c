"""Synthetic samples for training: endless, resumable at any step, the same on any machine."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

import pytorch_lightning as pl

from corr.data.resumable import ResumableLoader
from corr.data.synthetic.config import SyntheticConfig
from corr.data.synthetic.samples import Sample
from corr.data.synthetic.scene import Scene
from corr.data.synthetic.scenes import SyntheticScenes
from corr.errors import OptionError

VAL_SEED = 1 << 40
"""Added to the seed for what is validated with, so that no training sample is among it."""


class SyntheticDataModule(pl.LightningDataModule):
    """Batches of samples of one view, see `samples`.

    A training batch depends on the seed and on its step alone, however many workers there are. The
    validation samples are the same in every epoch.

    Args:
        config: what the scenes are drawn from.
        photos: a folder of photographs; those that scikit-image installs when not given.
        batch_size: samples in a batch, on each device.
        steps_per_epoch: batches in an epoch; there is no natural end.
        num_val_samples: samples to validate with.
        num_workers: processes that make batches; 0 makes them in the main one.
        seed: of the data set.
        render_on: where pictures are made: on the `cpu` in the workers, or on a device such as
            `cuda`, of scenes that the workers draw.

    Raises:
        OptionError: a number outside its range.
    """

    def __init__(
        self,
        config: SyntheticConfig | None = None,
        photos: str | None = None,
        *,
        batch_size: int = 8,
        steps_per_epoch: int = 1000,
        num_val_samples: int = 64,
        num_workers: int = 1,
        seed: int = 0,
        render_on: str = "cpu",
    ) -> None:
        super().__init__()
        counts = {
            "batch_size": (batch_size, 1),
            "steps_per_epoch": (steps_per_epoch, 1),
            "num_val_samples": (num_val_samples, 1),
            "num_workers": (num_workers, 0),
            "seed": (seed, 0),
        }
        for name, (value, least) in counts.items():
            if value < least:
                raise OptionError(f"{name} is {value}; use {least} or more")
        self.config = config or SyntheticConfig()
        self.photos = photos
        self.batch_size = batch_size
        self.steps_per_epoch = steps_per_epoch
        self.num_val_samples = num_val_samples
        self.num_workers = num_workers
        self.seed = seed
        self.render_on = render_on
        self._train: SyntheticScenes | None = None
        self._val: SyntheticScenes | None = None

    def setup(self, stage: str | None = None) -> None:
        """Read the photographs and draw the textures, once.

        Raises:
            DatasetError: the folder holds no photo that can be read.
        """
        if self._train is None:
            self._train = self._scenes(self.seed)
            self._val = self._scenes(VAL_SEED + self.seed)

    def train_dataloader(self) -> ResumableLoader[Sample | Drawn, Sample]:
        """Batches without end over the epochs, resumable at any step."""
        self.setup()
        make = TrainingSamples(
            cast(SyntheticScenes, self._train),
            self.batch_size,
            rank=self.trainer.global_rank if self.trainer else 0,
            num_ranks=self.trainer.world_size if self.trainer else 1,
        )
        return ResumableLoader(
            make,
            make.finish,
            steps_per_epoch=self.steps_per_epoch,
            num_workers=self.num_workers,
        )

    def val_dataloader(self) -> ValidationSamples:
        """The validation samples in batches."""
        self.setup()
        return ValidationSamples(
            cast(SyntheticScenes, self._val), self.num_val_samples, self.batch_size
        )

    def _scenes(self, seed: int) -> SyntheticScenes:
        return SyntheticScenes(self.config, photos=self.photos, seed=seed, device=self.render_on)


@dataclass(frozen=True, eq=False)
class Drawn:
    """Scenes that travel from a worker as they are, to be rendered in the main process."""

    scenes: list[Scene]


@dataclass(frozen=True)
class TrainingSamples:
    """Makes the batch of any step, of the share of one process (`rank`) in it.

    On the CPU a worker makes all of it; for another device it draws the scenes, and the main
    process renders them there.
    """

    scenes: SyntheticScenes
    batch_size: int
    rank: int = 0
    num_ranks: int = 1

    def indices(self, step: int) -> Sequence[int]:
        """Samples of a step; no two steps and ranks share one."""
        first = (step * self.num_ranks + self.rank) * self.batch_size
        return range(first, first + self.batch_size)

    def __call__(self, step: int) -> Sample | Drawn:
        """The batch of a step, or its scenes."""
        if self.scenes.device.type == "cpu":
            return self.scenes.batch(self.indices(step))
        return Drawn([self.scenes.draw(index) for index in self.indices(step)])

    def finish(self, made: Sample | Drawn) -> Sample:
        """The batch, rendered if it is not yet."""
        return self.scenes.render(made.scenes) if isinstance(made, Drawn) else made


class ValidationSamples:
    """The same samples at each iteration."""

    def __init__(self, scenes: SyntheticScenes, count: int, batch_size: int) -> None:
        self._scenes = scenes
        self._count = count
        self._batch_size = batch_size

    def __len__(self) -> int:
        return math.ceil(self._count / self._batch_size)

    def __iter__(self) -> Iterator[Sample]:
        for first in range(0, self._count, self._batch_size):
            last = min(first + self._batch_size, self._count)
            yield self._scenes.batch(range(first, last))
