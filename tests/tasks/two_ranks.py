"""Trains on two processes and on one with the whole batch, and writes what both did.

    python tests/tasks/two_ranks.py FOLDER

Of each case FOLDER then holds `<case>-of2-rank0.pt`, `-rank1.pt` and `<case>-of1-rank0.pt`: the
gradients of each step, the state at the end, the labels of the whole batch, and what refused it.
"""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from pytorch_lightning.plugins.environments import LightningEnvironment
from test_view_task import some_pairs
from torch import Tensor, multiprocessing, nn

from corr.data import CorrespondenceBatch, ImageBatch
from corr.errors import ShapeError
from corr.losses import (
    ContrastiveLoss,
    CorrespondenceContrastiveLoss,
    Guard,
    InfoNCELoss,
    SOSNetLoss,
    TripletLoss,
)
from corr.models import GeMNet, HardNet, HardNetSTN, UniversalCorrespondenceNetwork
from corr.models.hardnet import normalize_patches
from corr.tasks import CorrespondenceTask, EmbeddingTask, MetricTask, ViewTask, network_task
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


class Recording(MetricTask):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gradients: list[dict[str, Tensor]] = []

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        found = {name: value.grad for name, value in self.named_parameters()}
        self.gradients.append(
            {name: value.clone() for name, value in found.items() if value is not None}
        )


class RecordingEmbedding(Recording, EmbeddingTask):
    """Of whole images."""


class RecordingViews(Recording, ViewTask):
    """Of patches that the network cuts."""


class RecordingDense(Recording, CorrespondenceTask):
    """Of images."""


class Batches(pl.LightningDataModule):
    """The share of one process in the same batches."""

    def __init__(self, whole: list[Any], split: int) -> None:
        super().__init__()
        self.whole, self.split = whole, split

    def train_dataloader(self) -> Share:
        rows = slice(0, ROWS)
        if self.trainer.world_size == 2:
            rows = slice(self.split, ROWS) if self.trainer.global_rank else slice(0, self.split)
        return Share([cut(batch, rows) for batch in self.whole])


class Share:
    def __init__(self, batches: list[Any]) -> None:
        self.batches = batches

    def __len__(self) -> int:
        return len(self.batches)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.batches)


def cut(batch: Any, rows: slice) -> Any:
    """Some rows; views of a `ViewPairs` are not rows, and stay."""
    return type(batch)(
        *(side if side is None or isinstance(side, list) else side[rows] for side in batch)
    )


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


def labelled_images(tracks: list[int]) -> list[ImageBatch]:
    """Three batches of images of these tracks."""
    generator = torch.Generator().manual_seed(1)
    shape = (STEPS, ROWS, 3, 40, 40)
    images = torch.rand(shape, generator=generator, dtype=torch.float64)
    return [ImageBatch(batch, torch.tensor(tracks)) for batch in images]


def pairs_of_images() -> list[CorrespondenceBatch]:
    """Three batches of pairs of which a few pixels are known, all of which are learned from."""
    generator = torch.Generator().manual_seed(1)
    made = []
    for _ in range(STEPS):
        images = torch.randint(0, 256, (2, ROWS, 3, 32, 32), generator=generator)
        flow = torch.full((ROWS, 32, 32, 2), torch.nan)
        flow[:, 5:25:6, 4:28:9] = 1.25
        keypoints = torch.full((ROWS, 1, 2), torch.nan)
        made.append(CorrespondenceBatch(*images.byte(), flow, keypoints))
    return made


class Case(NamedTuple):
    network: type[nn.Module]
    loss: nn.Module
    labels: str = "none"
    split: int = ROWS // 2
    shared: bool = True
    """Whether batch statistics are those of all processes."""
    tracks: list[int] | None = None
    """Of whole images, paired by the task, instead of pairs."""
    nan: bool = False
    """Whether a value of the second batch, in the share of the second process, is not finite."""


CASES = {
    "triplet": Case(Patches64, TripletLoss()),
    "triplet-labels": Case(Patches64, TripletLoss(guard=GUARD), "all"),
    "triplet-points": Case(Patches64, TripletLoss(guard=GUARD), "points"),
    "triplet-unequal": Case(Patches64, TripletLoss(), "tracks", split=5),
    "triplet-all-on-one": Case(Patches64, TripletLoss(), "tracks", split=ROWS),
    "contrastive": Case(Patches64, ContrastiveLoss()),
    "info-nce": Case(Patches64, InfoNCELoss()),
    "sosnet": Case(Patches64, SOSNetLoss(num_neighbors=3)),
    "gemnet": Case(Images64, TripletLoss()),
    "images": Case(Images64, TripletLoss(), tracks=[0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 5, 5]),
    "images-unpaired": Case(Images64, TripletLoss(), tracks=[0, 0, 0, 1, 2, 2, 2, 3, 4, 1, 5, 6]),
    "images-none-paired": Case(Images64, TripletLoss(), tracks=list(range(ROWS))),
    "images-nan": Case(Images64, TripletLoss(), tracks=[0, 1, 2] * 4, nan=True),
    "views": Case(HardNetSTN, TripletLoss(), split=4),
    "dense": Case(UniversalCorrespondenceNetwork, CorrespondenceContrastiveLoss()),
    "nan": Case(Patches64, TripletLoss(), nan=True),
    "own-statistics": Case(Patches64, TripletLoss(), shared=False),
}


def run(folder: Path, name: str, num_ranks: int) -> None:
    """Train one case; each process writes its file."""
    case = CASES[name]
    torch.manual_seed(0)
    network_task.share_batch_statistics = SHARE if case.shared else lambda network: None
    if case.network is HardNetSTN:
        network = HardNetSTN(descriptor_dim=16, dropout=0.0, light=True)
        task, whole = RecordingViews(network, case.loss, warmup_steps=0), STEPS * [some_pairs(ROWS)]
    elif case.network is UniversalCorrespondenceNetwork:
        network = UniversalCorrespondenceNetwork(descriptor_dim=16, keypoints=False)
        task = RecordingDense(network, case.loss, warmup_steps=0, num_points=32 * 32)
        whole = pairs_of_images()
    elif case.tracks is not None:
        network = Images64(descriptor_dim=16, width=8)
        task = RecordingEmbedding(network, case.loss, warmup_steps=0).double()
        whole = labelled_images(case.tracks)
    elif case.network is Images64:
        task = Recording(Images64(descriptor_dim=16, width=8), case.loss, warmup_steps=0).double()
        whole = batches((3, 40, 40), case.labels)
    else:
        network = Patches64(descriptor_dim=16, dropout=0.0)
        task = Recording(network, case.loss, warmup_steps=0).double()
        whole = batches((1, 32, 32), case.labels)
    if case.nan:
        whole[1][0][ROWS - 1, 0, 3, 3] = torch.nan
    (folder / name).mkdir(exist_ok=True)
    trainer = pl.Trainer(
        accelerator="cpu",
        devices=num_ranks,
        strategy="ddp" if num_ranks > 1 else "auto",
        plugins=[LightningEnvironment()],
        max_steps=STEPS,
        default_root_dir=folder / name,
        use_distributed_sampler=False,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    refused = ""
    try:
        trainer.fit(task, datamodule=Batches(whole, case.split))
    except ShapeError as error:
        refused = str(error)
    if not refused and any("forward" in vars(layer) for layer in task.network.modules()):
        raise AssertionError(f"{name}: a layer is not plain again")
    labels = None if task.described is None else task.described.labels
    written = {
        "gradients": task.gradients,
        "state": task.state_dict(),
        "labels": {} if labels is None else dict(vars(labels)),
        "loss": trainer.callback_metrics.get("train/loss"),
        "num_seen": task.num_seen,
        "refused": refused,
    }
    torch.save(written, folder / f"{name}-of{num_ranks}-rank{trainer.global_rank}.pt")


def run_rank(rank: int, folder: Path, port: int) -> None:
    """Train all cases as one of two processes."""
    os.environ.update(LOCAL_RANK=str(rank), MASTER_ADDR="localhost", MASTER_PORT=str(port))
    run_all(folder, 2)


def run_all(folder: Path, num_ranks: int) -> None:
    with quiet():
        for name in CASES:
            run(folder, name, num_ranks)


SHARE = network_task.share_batch_statistics

if __name__ == "__main__":
    target = Path(sys.argv[1])
    torch.set_num_threads(1)  # a process that is forked from one with threads would hang
    with socket.socket() as free:
        free.bind(("localhost", 0))
        chosen = free.getsockname()[1]
    ranks = multiprocessing.start_processes(
        run_rank, (target, chosen), nprocs=2, join=False, start_method="fork"
    )
    run_all(target, 1)  # beside them, without another import
    while not ranks.join():
        pass
