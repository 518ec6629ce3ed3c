"""Training from classes alone: on real faces, and what a network that knows the answer gets."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
import skimage.transform
import torch
from coordinates import Coordinates
from quick_fit import fit
from torch import Tensor

from corr.data import ClassPairs, CorrespondenceBatch
from corr.data.correspondence.batches import make_batch
from corr.errors import DatasetError, OptionError
from corr.formats import write_image
from corr.losses import CycleConsistency, DescriptorLoss, DualSoftmaxLoss
from corr.models import DenseDescriptor, UniversalCorrespondenceNetwork
from corr.models.network import DenseDescription
from corr.tasks import ClassPairTask
from corr.tasks.collapse import effective_rank

SIDE = 64
NAN = float("nan")


def charted(shift: int = 8) -> CorrespondenceBatch:
    """A chart moved by `shift`, the chart, and the chart turned by 180 degrees as the other one."""
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    chart = torch.stack((3 * x + 30, 3 * y + 30, 0 * x)).byte()[None]
    flow = torch.zeros(1, SIDE, SIDE, 2)
    flow[..., 0] = shift
    flow[:, :, SIDE - shift :] = NAN
    keypoints = torch.full((1, 1, 2), NAN)
    return CorrespondenceBatch(
        chart.roll(-shift, 3), chart, flow, keypoints, chart.flip(2, 3).contiguous()
    )


def task_of(network: DenseDescriptor | None = None, **settings: Any) -> ClassPairTask:
    cycle = CycleConsistency(temperature=0.0002, counted_share=1.0)
    return ClassPairTask(
        network or Coordinates(), DualSoftmaxLoss(), **{"cycle": cycle, **settings}
    )


def judged(task: ClassPairTask, batch: CorrespondenceBatch) -> dict[str, float]:
    logged: dict[str, float] = {}
    task.log = lambda name, value, **rest: logged.update({name: float(value)})
    task.eval().validation_step(batch, 0)
    return logged


def cycle_of(task: ClassPairTask, batch: CorrespondenceBatch) -> float:
    with torch.no_grad():
        task.describe_images(batch)
        return float(task.cycle(*task._walk, task._targets(batch.flow_0to1)))


@pytest.mark.parametrize("cell_px", [4, 8])
def test_a_network_that_knows_the_answer_comes_back(cell_px):
    task = task_of(cell_px=cell_px)
    assert judged(task, charted())["val/returned"] == 1
    assert cycle_of(task, charted()) < 1e-3


def test_a_network_that_knows_nothing_does_not():
    class Same(Coordinates):
        def forward(self, images: Tensor) -> DenseDescription:
            return super().forward(0 * images)

    task = task_of(Same())
    assert judged(task, charted())["val/returned"] < 0.1
    assert cycle_of(task, charted()) > 2


def test_targets_are_where_the_flow_takes_the_middles_of_cells():
    found = task_of(cell_px=8)._targets(charted(shift=12).flow_0to1)
    assert found.shape == (1, 8, 8, 2)
    x, y = torch.meshgrid(torch.arange(8.0), torch.arange(8.0), indexing="xy")
    assert torch.equal(found[0, :, :6], torch.stack((x + 1.5, y), -1)[:, :6])
    assert found[0, :, 6:].isnan().any(-1).all()


def faces(root: Path, count: int = 24) -> Path:
    """Faces of Labeled Faces in the Wild that scikit-image installs, four times as large."""
    (root / "face").mkdir()
    for number, face in enumerate(skimage.data.lfw_subset()[:count]):
        large = skimage.transform.resize(face, (100, 100), order=1)
        picture = np.repeat((255 * large).astype(np.uint8)[..., None], 3, axis=2)
        write_image(root / "face" / f"{number:02d}.png", picture)
    return root


class Nothing(DescriptorLoss):
    """Asks nothing of the bent photograph and the plain one: the walks alone teach."""

    def forward(self, anchors: Tensor, positives: Tensor) -> Tensor:
        return 0 * anchors.sum()


def test_walks_alone_teach_faces_and_do_not_collapse(tmp_path):
    """The loss of faces that are held out falls, and descriptors stay many."""
    torch.manual_seed(0)
    root = faces(tmp_path)
    train, held = (ClassPairs(root, held_out=part) for part in (False, True))
    batches = [make_batch(train, 4, SIDE, np.random.default_rng(seed)) for seed in range(40)]
    judge = make_batch(held, 8, SIDE, np.random.default_rng(99))
    network = UniversalCorrespondenceNetwork(descriptor_dim=32, keypoints=False)
    task = ClassPairTask(network, Nothing(), warmup_steps=2)
    before = cycle_of(task, judge)
    trainer = fit(task, batches)
    assert math.isfinite(trainer.callback_metrics["train/cycle_loss"])
    assert cycle_of(task.eval(), judge) < 0.8 * before
    with torch.no_grad():
        described = network(judge.images1.float() / 255).descriptors
    assert effective_rank(described.flatten(2).transpose(1, 2).flatten(0, 1)) > 6


def test_the_walks_alone_reach_every_part_of_the_network(tmp_path):
    torch.manual_seed(0)
    batch = make_batch(ClassPairs(faces(tmp_path, 4)), 2, SIDE, np.random.default_rng(0))
    network = UniversalCorrespondenceNetwork(transformer="similarity", keypoints=False)
    task = ClassPairTask(network, DualSoftmaxLoss()).train()
    task.describe_images(batch)
    task.cycle(*task._walk, task._targets(batch.flow_0to1)).backward()
    without = {name for name, value in network.named_parameters() if value.grad is None}
    assert not without
    for name in ("trunk.stride4.1.weight", "describe.convolution.weight"):
        assert network.get_parameter(name).grad.abs().sum() > 0


def test_what_is_refused(tmp_path):
    with pytest.raises(OptionError, match="cycle_weight is -1"):
        task_of(cycle_weight=-1.0)
    with pytest.raises(
        OptionError, match="cell_px is 6; use a multiple of the network's stride, 4"
    ):
        task_of(UniversalCorrespondenceNetwork(keypoints=False), cell_px=6)
    with pytest.raises(DatasetError, match=r"use a source such as corr\.data\.ClassPairs"):
        task_of().train().describe(charted()._replace(others=None))
    assert "val/returned" not in judged(task_of(), charted()._replace(others=None))
