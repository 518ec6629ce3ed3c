"""The optimisers of training, and their learning rate over its steps."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

import torch
from pytorch_lightning.utilities.types import OptimizerLRSchedulerConfig
from torch import nn

from corr.errors import OptionError
from corr.losses.checks import check_choice, check_not_negative
from corr.tasks.schedule import Schedule, learning_rate_factor

SGD_MOMENTUM = 0.9

Optimizer = Literal["sgd", "adamw", "adam"]


def check_optimizer(
    learning_rate: float, optimizer: str, weight_decay: float, warmup_steps: int, schedule: str
) -> None:
    """Refuse a setting of `build_optimizer` that is outside its range.

    Raises:
        OptionError: names it.
    """
    if not learning_rate > 0:
        raise OptionError(f"learning_rate is {learning_rate}; use a value above 0")
    check_choice("optimizer", optimizer, get_args(Optimizer))
    check_choice("schedule", schedule, get_args(Schedule))
    check_not_negative(weight_decay=weight_decay, warmup_steps=warmup_steps)


def build_optimizer(
    parameters: Iterable[nn.Parameter],
    kind: Optimizer,
    *,
    learning_rate: float,
    weight_decay: float,
    warmup_steps: int,
    num_steps: int,
    schedule: Schedule = "line",
) -> OptimizerLRSchedulerConfig:
    """The optimiser of what is trained, and its schedule over `num_steps`, for Lightning."""
    trained = [value for value in parameters if value.requires_grad]
    optimizer: torch.optim.Optimizer
    if kind == "sgd":
        optimizer = torch.optim.SGD(trained, learning_rate, SGD_MOMENTUM, weight_decay=weight_decay)
    elif kind == "adam":
        optimizer = torch.optim.Adam(trained, learning_rate, weight_decay=weight_decay)
    else:
        optimizer = torch.optim.AdamW(trained, learning_rate, weight_decay=weight_decay)
    factor = learning_rate_factor(schedule, warmup_steps, num_steps)
    return {
        "optimizer": optimizer,
        "lr_scheduler": {
            "scheduler": torch.optim.lr_scheduler.LambdaLR(optimizer, factor),
            "interval": "step",
        },
    }
