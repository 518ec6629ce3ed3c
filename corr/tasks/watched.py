"""What the callbacks that watch over a training see of its task."""

from __future__ import annotations

from abc import abstractmethod

from jaxtyping import Float
from torch import Tensor

from corr.losses.descriptor import TrainingLoss
from corr.tasks.described import Described
from corr.tasks.network_task import NetworkTask


class WatchedTask(NetworkTask):
    """A task that learns descriptors, as far as a callback knows it."""

    loss: TrainingLoss
    semi_hard_steps: int
    described: Described | None
    """What the last step saw, on all devices; of unit length, without a gradient."""

    @property
    @abstractmethod
    def mines_hardest(self) -> bool:
        """Whether there is something to begin softer with."""

    @abstractmethod
    def loss_now(self, described: Described) -> Float[Tensor, ""]:
        """The loss at this step, semi-hard at first where it is asked for."""

    @abstractmethod
    def collapsed_loss(self, described: Described) -> float:
        """The loss of a batch like the last one whose descriptors are all the same."""
