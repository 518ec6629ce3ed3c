"""What data modules for training share: batches without end, each a function of its step."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, TypeVar

import pytorch_lightning as pl

from corr.data.resumable import ResumableLoader
from corr.errors import OptionError

Made = TypeVar("Made")
Batch = TypeVar("Batch")


class StepDataModule(pl.LightningDataModule):
    """Reads once what its subclasses learn from and hold out, and makes batches of it by steps.

    Args:
        steps_per_epoch: batches in an epoch; there is no natural end.
        num_workers: processes that make batches; 0 makes them in the main one.
        seed: of all that is random in a training batch.

    Raises:
        OptionError: a number outside its range.
    """

    def __init__(self, *, steps_per_epoch: int, num_workers: int, seed: int) -> None:
        super().__init__()
        check_least(
            steps_per_epoch=(steps_per_epoch, 1), num_workers=(num_workers, 0), seed=(seed, 0)
        )
        self.steps_per_epoch = steps_per_epoch
        self.num_workers = num_workers
        self.seed = seed
        self._train: Any = None
        self._val: Any = None

    @abstractmethod
    def read_train(self) -> Any:
        """What training batches are made of.

        Raises:
            DatasetError: something is missing, damaged or too little.
        """

    @abstractmethod
    def read_val(self) -> Any:
        """What is held out, the same for every seed.

        Raises:
            DatasetError: something is missing, damaged or too little.
        """

    def setup(self, stage: str | None = None) -> None:
        """Read what is learned from, and what is held out, once.

        Raises:
            DatasetError: see `read_train` and `read_val`.
        """
        if stage in (None, "fit") and self._train is None:
            self._train = self.read_train()
        if self._val is None:
            self._val = self.read_val()

    @property
    def is_first(self) -> bool:
        """Whether this is the first of the processes, which speaks for all."""
        return self.trainer is None or self.trainer.is_global_zero

    @property
    def share(self) -> dict[str, int]:
        """The seed, and which of the processes this one is, as what makes batches takes them."""
        trainer = self.trainer
        return {
            "seed": self.seed,
            "rank": trainer.global_rank if trainer else 0,
            "num_ranks": trainer.world_size if trainer else 1,
        }

    def loader(
        self, make: Callable[[int], Made], finish: Callable[[Made], Batch]
    ) -> ResumableLoader[Made, Batch]:
        """The batches of all steps, as `make` makes them in a worker and `finish` in here."""
        return ResumableLoader(
            make, finish, steps_per_epoch=self.steps_per_epoch, num_workers=self.num_workers
        )


def check_least(**counts: tuple[int, int]) -> None:
    """Refuse a count below the least that is accepted.

    Args:
        counts: of each by its name, the value and the least one.

    Raises:
        OptionError: names the first that is.
    """
    for name, (value, least) in counts.items():
        if value < least:
            raise OptionError(f"{name} is {value}; use {least} or more")
