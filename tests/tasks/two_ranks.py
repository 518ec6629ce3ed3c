"""Trains on two processes and on one with the whole batch, and writes what both did.

    python tests/tasks/two_ranks.py FOLDER

Of each case FOLDER then holds `<case>-of2-rank0.pt`, `-rank1.pt` and `<case>-of1-rank0.pt`: the
gradients of each step, the state at the end, and the labels of the whole batch.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from corr.losses import ContrastiveLoss, Guard, InfoNCELoss, SOSNetLoss, TripletLoss
from corr.models import GeMNet, HardNet
from corr.models.hardnet import normalize_patches
from corr.tasks import MetricTask, metric
from corr.tasks.quiet import quiet

STEPS = 3
ROWS = 12
GUARD = Guard(radius=3.0)


class Batch(NamedTuple):
    anchor: Tensor
    positive: Tensor
    points: Tensor | None = None
    images: Tensor | None = None
    tracks: Tensor | None = None


class Patches64(HardNet):
    """In float64 to the end."""

    def forward(self, patches: Tensor) -> Tensor:
        return F.normalize(self.layers(normalize_patches(patches)).flatten(1), dim=1)


class Images64(GeMNet):
    def forward(self, images: Tensor) -> Tensor:
        return F.normalize(self.layers((images - 0.45) / 0.25), dim=1)


class Recorded(MetricTask):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gradients: list[dict[str, Tensor]] = []

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        found = {name: value.grad for name, value in self.named_parameters()}
        self.gradients.append(
            {name: value.clone() for name, value in found.items() if value is not None}
        )


class Batches(pl.LightningDataModule):
    """The share of one process in the same batches."""

    def __init__(self, whole: list[Batch], split: int) -> None:
        super().__init__()
        self.whole, self.split = whole, split

    def train_dataloader(self) -> Share:
        rows = slice(0, ROWS)
        if self.trainer.world_size == 2:
            rows = slice(self.split, ROWS) if self.trainer.global_rank else slice(0, self.split)
        return Share([cut(batch, rows) for batch in self.whole])


class Share:
    def __init__(self, batches: list[Batch]) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Batch]:
        return iter(self.batches)


def cut(batch: Batch, rows: slice) -> Batch:
    return Batch(*(None if side is None else side[rows] for side in batch))


def batches(shape: tuple[int, ...], labels: str) -> list[Batch]:
    """Three batches of positives that are noisy anchors; some rows must not be negatives."""
    generator = torch.Generator().manual_seed(1)
    made = []
    for _ in range(STEPS):
        anchor = torch.rand(ROWS, *shape, generator=generator, dtype=torch.float64)
        noise = torch.rand(ROWS, *shape, generator=generator, dtype=torch.float64)
        points = images = tracks = None
        if labels in ("points", "all"):
            # Rows 0 and 9 at the same place, 2 and 10 near each other, 4 and 8 in other photos.
            points = torch.arange(ROWS * 2, dtype=torch.float32).reshape(ROWS, 2) * 10
            points[9], points[10], points[8] = points[0], points[2] + 1, points[4]
            images = torch.zeros(ROWS, dtype=torch.int64)
            images[8] = 1
        if labels in ("tracks", "all"):
            tracks = torch.arange(ROWS)
            tracks[7] = 1
        made.append(Batch(anchor, 0.7 * anchor + 0.3 * noise, points, images, tracks))
    return made


class Case(NamedTuple):
    network: type[nn.Module]
    loss: nn.Module
    labels: str = "none"
    split: int = ROWS // 2
    shared: bool = True
    """Whether batch statistics are those of all processes."""
    nan: bool = False
    """Whether a value of the second batch, in the share of the second process, is not finite."""


CASES = {
    "triplet": Case(Patches64, TripletLoss()),
    "triplet-labels": Case(Patches64, TripletLoss(guard=GUARD), "all"),
    "triplet-points": Case(Patches64, TripletLoss(guard=GUARD), "points"),
    "triplet-unequal": Case(Patches64, TripletLoss(), "tracks", split=5),
    "contrastive": Case(Patches64, ContrastiveLoss()),
    "info-nce": Case(Patches64, InfoNCELoss()),
    "sosnet": Case(Patches64, SOSNetLoss(num_neighbors=3)),
    "gemnet": Case(Images64, TripletLoss()),
    "nan": Case(Patches64, TripletLoss(), nan=True),
    "own-statistics": Case(Patches64, TripletLoss(), shared=False),
}


def run(folder: Path, name: str, num_ranks: int) -> None:
    """Train one case; each process writes its file."""
    case = CASES[name]
    torch.manual_seed(0)
    settings = {"dropout": 0.0} if case.network is Patches64 else {"width": 8}
    task = Recorded(case.network(descriptor_dim=16, **settings), case.loss, warmup_steps=0).double()
    shape = (1, 32, 32) if case.network is Patches64 else (3, 40, 40)
    metric.share_batch_statistics = SHARE if case.shared else lambda network: None

    class Write(pl.Callback):
        def on_fit_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
            labels = task.described.labels
            written = {
                "gradients": task.gradients,
                "state": task.state_dict(),
                "labels": {} if labels is None else dict(vars(labels)),
                "loss": trainer.callback_metrics["train/loss"],
            }
            torch.save(written, folder / f"{name}-of{num_ranks}-rank{trainer.global_rank}.pt")

    trainer = pl.Trainer(
        accelerator="cpu",
        devices=num_ranks,
        strategy="ddp_fork" if num_ranks > 1 else "auto",
        max_steps=STEPS,
        callbacks=[Write()],
        default_root_dir=folder,
        use_distributed_sampler=False,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    whole = batches(shape, case.labels)
    if case.nan:
        whole[1].anchor[ROWS - 1, 0, 3, 3] = torch.nan
    trainer.fit(task, datamodule=Batches(whole, case.split))
    if any("forward" in vars(layer) for layer in task.modules()):
        raise AssertionError("a layer is not plain again")


SHARE = metric.share_batch_statistics

if __name__ == "__main__":
    torch.set_num_threads(1)  # a process that is forked from one with threads would hang
    with quiet():
        for num_ranks in (2, 1):
            for name in CASES:
                run(Path(sys.argv[1]), name, num_ranks)
