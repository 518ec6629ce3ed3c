"""Training a stereo descriptor: which pixels count, against what, and how they are judged."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from quick_fit import fit
from torch import Tensor

from corr.data import CorrespondenceBatch
from corr.errors import OptionError
from corr.losses import RowSoftmaxLoss
from corr.models import DenseDescriptor, StereoDescriptor, UniversalCorrespondenceNetwork
from corr.models.network import DenseDescription
from corr.tasks import StereoDescriptorTask
from corr.tasks.stereo import near_depth_edges

SIDE = 48
DISPARITY = 6
NAN = float("nan")


class Columns(DenseDescriptor):
    """Describes a pixel by its red, which `charted` makes the column of its point."""

    descriptor_dim = 3
    stride = 1

    def forward(self, images: Tensor) -> DenseDescription:
        angle = images[:, :1] * (math.pi / 2)
        return DenseDescription(torch.cat((angle.cos(), angle.sin(), 0 * angle), dim=1))


class Blind(Columns):
    """Describes every pixel in the same way."""

    def forward(self, images: Tensor) -> DenseDescription:
        return super().forward(0 * images)


def charted(num_pairs: int = 1, off: float = 0.0) -> CorrespondenceBatch:
    """Columns that are told apart by red, moved by DISPARITY; the truth that is given is off."""
    left = torch.zeros(num_pairs, 3, SIDE, SIDE)
    left[:, 0] = 4 * torch.arange(SIDE) + 1
    right = torch.zeros_like(left)
    right[:, 0] = 4 * (torch.arange(SIDE) + DISPARITY) + 1
    flow = torch.zeros(num_pairs, SIDE, SIDE, 2)
    flow[..., 0] = -DISPARITY + off
    flow[:, :, :DISPARITY] = NAN
    none = torch.zeros(num_pairs, 0, 2)
    return CorrespondenceBatch(left.byte(), right.byte(), flow, none)


def task_of(network: DenseDescriptor | None = None, **settings: Any) -> StereoDescriptorTask:
    return StereoDescriptorTask(network or Columns(), RowSoftmaxLoss(), **settings)


def judged(task: StereoDescriptorTask, *batches: CorrespondenceBatch) -> dict[str, float]:
    logged: dict[str, float] = {}
    task.log_held_out = logged.update
    task.eval().on_validation_start()
    for number, batch in enumerate(batches):
        task.validation_step(batch, number)
    task.on_validation_epoch_end()
    return logged


@pytest.mark.parametrize(
    ("off", "expected"),
    [(0.0, (1, 1)), (0.9, (1, 1)), (1.5, (1, 0)), (-2.9, (1, 0)), (4.0, (0, 0))],
)
def test_shares_of_a_network_that_knows_the_answer(off, expected):
    found = judged(task_of(), charted(off=off))
    assert (found["val/within3"], found["val/within1"]) == expected


def test_census_is_judged_on_the_same_pixels_once():
    noise = torch.randint(0, 256, (1, 1, SIDE, SIDE), generator=torch.Generator().manual_seed(0))
    noise = noise.expand(-1, 3, -1, -1).byte()
    batch = charted()._replace(images0=noise, images1=noise.roll(-DISPARITY, 3))
    task = task_of(Blind())
    found = judged(task, batch, batch)
    assert found["val/within1_census"] > 0.95
    assert found["val/within3"] == 0  # it takes the first of equal scores
    task.network = Columns()
    again = judged(task, charted())  # the network's anew, census as it was
    assert again["val/within3"] == 1
    assert again["val/within1_census"] == found["val/within1_census"]


def test_pixels_are_scored_against_their_own_row():
    batch = charted(2)
    flow = batch.flow_0to1.clone()
    flow[1] = NAN
    flow[0, SIDE // 2 :, :, 0] += 0.25
    task = task_of(num_rows=SIDE).train()
    left, right = task._maps(batch)
    scored = task._score_rows(batch._replace(flow_0to1=flow), left, right)
    assert scored.scores.shape == (SIDE * (SIDE - DISPARITY), SIDE)
    assert torch.equal(scored.scores.argmax(1), scored.target.floor().long())
    assert float((scored.target % 1 == 0.25).float().mean()) == pytest.approx(0.5)
    fewer = task_of(num_rows=5).train()._score_rows(batch, left, right)
    assert len(fewer.target) == 2 * 5 * (SIDE - DISPARITY)


def test_pixels_near_edges_of_depth_are_those_within_six_px_of_a_jump_or_a_gap():
    rows = torch.zeros(4, 40)
    rows[0] += torch.arange(40)  # a slope is no edge
    rows[1, 20:] = 5  # between 19 and 20
    rows[2, 20] = NAN
    rows[3, 2:] = -5
    near = near_depth_edges(rows)
    expected = [set(), set(range(14, 26)), set(range(14, 27)), set(range(8))]
    assert [set(row.nonzero().flatten().tolist()) for row in near] == expected


@pytest.mark.parametrize(("share", "count"), [(1.0, 48), (0.0, 12), (0.5, None)])
def test_of_other_pixels_a_share_learns(share, count):
    batch = charted()
    flow = batch.flow_0to1.clone()
    flow[..., 0] = 0
    flow[:, :, SIDE // 2 :, 0] = -5
    task = task_of(num_rows=8, smooth_share=share).train()
    torch.manual_seed(0)
    scored = task._score_rows(batch._replace(flow_0to1=flow), *task._maps(batch))
    assert len(scored.target) == 8 * count if count else 8 * 12 < len(scored.target) < 8 * SIDE


def test_what_is_watched_is_what_matches():
    task = task_of().train()
    described = task.describe(charted(2))
    assert len(described.anchors) == 2 * task.num_points
    assert (described.anchors * described.positives).sum(1).min() > 0.999
    shown0, shown1 = task.eval().shown(charted(2))
    assert shown0.shape == shown1.shape == (2 * task.num_points, 3, 32, 32)
    x, y = task._draw(charted(2))[0].T
    inside = (x > DISPARITY) & (x < SIDE - 1) & (y > 0) & (y < SIDE - 1)
    middles = [side[inside, 0, 15:17, 15:17] for side in (shown0, shown1)]
    assert len(middles[0]) > task.num_points
    assert torch.allclose(*middles, atol=1e-5)


@pytest.mark.parametrize(("share", "grey"), [(0.0, 0), (1.0, 8), (0.5, None)])
def test_some_pairs_are_seen_in_grey_while_training(share, grey):
    seen = []

    class Watch(Columns):
        def forward(self, images: Tensor) -> DenseDescription:
            seen.append(images)
            return super().forward(images)

    task = task_of(Watch(), grey_share=share)
    torch.manual_seed(0)
    task.train()._maps(charted(8))
    left, right = (side.std(1).amax((1, 2)) < 1e-6 for side in seen[0].chunk(2))
    assert torch.equal(left, right)
    assert 0 < int(left.sum()) < 8 if grey is None else int(left.sum()) == grey
    task.eval()._maps(charted(8))
    assert (seen[1].std(1).amax((1, 2)) > 0.1).all()


def textured(seed: int) -> CorrespondenceBatch:
    noise = torch.randint(0, 256, (1, 3, SIDE, SIDE), generator=torch.Generator().manual_seed(seed))
    return charted()._replace(images0=noise.byte(), images1=noise.byte().roll(-DISPARITY, 3))


def test_all_layers_are_trained_and_the_loss_falls():
    torch.manual_seed(0)
    network = StereoDescriptor(descriptor_dim=16, width=16, dilations=[1, 2])
    before = {name: value.clone() for name, value in network.named_parameters()}
    task = task_of(network, warmup_steps=0, num_rows=8)
    first = float(fit(task, [textured(0)]).callback_metrics["train/loss"])
    for name, value in network.named_parameters():
        assert not torch.equal(value, before[name]), name
    trainer = fit(task, [textured(seed) for seed in range(12)])
    assert float(trainer.callback_metrics["train/loss"]) < first
    assert float(trainer.callback_metrics["train/effective_rank"]) > 1


def test_a_batch_of_which_nothing_is_known_is_skipped():
    torch.manual_seed(0)
    network = StereoDescriptor(descriptor_dim=8, width=8, dilations=[1])
    batch = textured(0)
    nothing = batch._replace(flow_0to1=torch.full_like(batch.flow_0to1, NAN))
    task = task_of(network, warmup_steps=0, weight_decay=0.0)
    before = [value.clone() for value in network.parameters()]
    fit(task, [nothing])
    assert all(map(torch.equal, before, network.parameters()))
    assert judged(task, nothing) == {}


def test_the_loss_of_equal_descriptors():
    task = task_of(num_rows=4).train()
    batch = charted()
    task._scored = task._score_rows(batch, *task._maps(batch))
    assert task.collapsed_loss(task.describe(batch)) == pytest.approx(math.log(SIDE), rel=1e-5)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"num_rows": 0}, "num_rows is 0"),
        ({"grey_share": 1.5}, "grey_share is 1.5"),
        ({"smooth_share": -0.1}, "smooth_share is -0.1"),
        (
            {"network": UniversalCorrespondenceNetwork()},
            "describes every 4 px; use",
        ),
    ],
)
def test_refusals(settings, said):
    with pytest.raises(OptionError, match=said):
        task_of(**settings)
