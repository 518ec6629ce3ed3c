"""Training dense descriptors: which points are drawn, what is a negative, how they are judged."""

from __future__ import annotations

import math
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from coordinates import Coordinates
from quick_fit import fit

from corr.data import CorrespondenceBatch
from corr.losses import (
    CorrespondenceContrastiveLoss,
    DualSoftmaxLoss,
    Guard,
    HardestContrastiveLoss,
    InfoNCELoss,
)
from corr.models import DenseDescriptor, UniversalCorrespondenceNetwork
from corr.tasks import CorrespondenceTask
from corr.tasks.recipe import build_recipe

SIDE = 48
SHIFT = (5, -3)
NAN = float("nan")


def charted(num_pairs: int = 1, off: tuple[float, float] = (0, 0)) -> CorrespondenceBatch:
    """A chart, and the same moved by SHIFT; the flow that is given is off by so much."""
    y, x = torch.meshgrid(torch.arange(SIDE), torch.arange(SIDE), indexing="ij")
    chart = torch.stack((4 * x + 24, 4 * y + 24, 0 * x))
    moved = torch.stack((4 * (x - SHIFT[0]) + 24, 4 * (y - SHIFT[1]) + 24, 0 * x))
    flow = torch.tensor(SHIFT, dtype=torch.float32).expand(SIDE, SIDE, 2).clone()
    target_x, target_y = x + SHIFT[0], y + SHIFT[1]
    outside = (target_x < 0) | (target_x >= SIDE) | (target_y < 0) | (target_y >= SIDE)
    flow = flow + torch.tensor(off)
    flow[outside] = NAN
    images = [side.byte().expand(num_pairs, -1, -1, -1) for side in (chart, moved)]
    keypoints = torch.full((num_pairs, 1, 2), NAN)
    return CorrespondenceBatch(*images, flow.expand(num_pairs, -1, -1, -1), keypoints)


def task_of(network: DenseDescriptor | None = None, loss: Any = None, **settings: Any) -> Any:
    return CorrespondenceTask(network or Coordinates(), loss or DualSoftmaxLoss(), **settings)


@pytest.mark.parametrize(
    ("off", "expected"),
    [((0.0, 0.0), (1, 1)), ((2.5, 0.0), (1, 1)), ((4.0, 4.0), (0, 1)), ((9.0, 9.0), (0, 0))],
)
def test_pck_of_a_network_that_knows_the_answer(off, expected):
    task, logged = task_of(num_points=200).eval(), {}
    task.log = lambda name, value, **rest: logged.update({name: float(value)})
    task.validation_step(charted(off=off), 0)
    assert (logged["val/pck3"], logged["val/pck10"]) == expected


def test_pck_of_a_network_that_is_half_right():
    batch = charted()
    batch.images1[:, :, :, SIDE // 2 :] = 0  # nothing to be found there
    task, logged = task_of(num_points=5000).eval(), {}
    task.log = lambda name, value, **rest: logged.update({name: float(value)})
    task.validation_step(batch, 0)
    right = (SIDE // 2 - SHIFT[0]) / (SIDE - SHIFT[0])
    assert logged["val/pck3"] == pytest.approx(right, abs=0.08)


def test_points_are_drawn_where_the_flow_is_known_and_go_where_it_says():
    batch = charted(3)
    flow = batch.flow_0to1.clone()
    flow[1] = NAN  # nothing of this pair
    flow[2, :, : SIDE // 2] = NAN
    batch = batch._replace(flow_0to1=flow)
    task = task_of(num_points=300).train()
    points0, points1, image = task._draw(batch)
    assert torch.bincount(image, minlength=3).tolist() == [300, 0, 300]
    x, y = points0.long().T
    assert flow[image, y, x].isfinite().all()
    assert torch.equal(points1 - points0, torch.tensor(SHIFT).float().expand(600, 2))
    assert (points0[image == 2, 0] >= SIDE // 2).all()
    assert len(torch.unique(torch.cat((image[:, None], points0), 1), dim=0)) == 600
    described = task.describe(batch)
    assert torch.allclose(described.anchors, described.positives, atol=1e-5)  # of the same points
    assert torch.equal(described.labels.images.bincount(minlength=3), image.bincount(minlength=3))


@pytest.mark.parametrize(("share", "least", "most"), [(1.0, 40, 40), (0.5, 20, 32), (0.0, 0, 14)])
def test_share_of_the_points_at_keypoints(share, least, most):
    torch.manual_seed(0)
    batch = charted(2)
    x, y = torch.meshgrid(torch.arange(2.0, 40, 4), torch.arange(6.0, 46, 4), indexing="xy")
    keypoints = torch.stack((x, y), -1).reshape(1, -1, 2).expand(2, -1, 2) + 0.3
    keypoints = torch.cat((keypoints, torch.full((2, 9, 2), NAN)), dim=1)
    batch = batch._replace(keypoints0=keypoints)
    points0, _, image = task_of(num_points=40, keypoint_share=share).train()._draw(batch)
    at = (points0[:, None] == keypoints[0].round()).all(-1).any(1)
    for number in (0, 1):
        assert least <= int(at[image == number].sum()) <= most
        assert int((image == number).sum()) == 40


def test_keypoints_where_nothing_is_known_are_no_points():
    batch = charted()
    there = torch.tensor([[[1.0, 1.0], [2.0, 20.0], [SIDE - 2.0, 20.0]]])  # the first, last leave
    batch = batch._replace(keypoints0=there)
    points0, _, _ = task_of(num_points=4, keypoint_share=1.0).train()._draw(batch)
    assert len(points0) == 4
    assert (points0 == there[0, 1]).all(1).any()
    assert not (points0[:, None] == there[0, ::2]).all(-1).any()


def test_points_are_the_same_whenever_they_are_judged():
    task = task_of(num_points=50).eval()
    first, again = (task._draw(charted())[0] for _ in range(2))
    assert torch.equal(first, again)


def test_points_of_one_photo_are_no_negatives_within_the_radius():
    task = task_of(loss=CorrespondenceContrastiveLoss(guard=Guard(min_distance=0.0, radius=8.0)))
    described = task.train().describe(charted(2))
    labels, num_rows = described.labels, len(described.anchors)
    negative = task.loss.guard.negatives(torch.ones(num_rows, num_rows), slice(0, num_rows), labels)
    apart = torch.cdist(labels.points, labels.points)
    same = labels.images[:, None] == labels.images
    assert not negative[same & (apart <= 7.9)].any()
    assert negative[same & (apart > 8.1)].all()
    assert negative[~same].all()


def photo_like(seed: int) -> CorrespondenceBatch:
    generator = torch.Generator().manual_seed(seed)
    batch = charted(2)
    noise = torch.randint(0, 256, (2, 3, SIDE, SIDE), generator=generator).byte()
    moved = noise.roll((SHIFT[1], SHIFT[0]), (2, 3))
    places = torch.tensor([[10.0, 20.0], [30.2, 24.7]]).expand(2, 2, 2)
    return batch._replace(images0=noise, images1=moved, keypoints0=places)


@pytest.mark.parametrize("refine", [False, True])
def test_all_parts_of_a_network_are_trained_and_what_is_guarded_is_logged(refine):
    torch.manual_seed(0)
    network = UniversalCorrespondenceNetwork(descriptor_dim=16, refine=refine)
    before = {name: value.clone() for name, value in network.named_parameters()}
    task = task_of(network, CorrespondenceContrastiveLoss(), num_points=64, warmup_steps=0)
    trainer = fit(task, [photo_like(0), photo_like(1)])
    for name, value in network.named_parameters():
        assert not torch.equal(value, before[name]), name
    logged = trainer.callback_metrics
    assert math.isfinite(logged["train/loss"])
    # Of random points of two images of 48 px, a good part of one image is within 16 px.
    assert 0.1 < float(logged["train/guarded_share"]) < 0.5
    assert {"train/repeatability_loss", "train/reliability_loss"} <= set(logged)


def test_a_batch_of_which_nothing_is_known_changes_nothing():
    torch.manual_seed(0)
    network = UniversalCorrespondenceNetwork(descriptor_dim=16)
    task = task_of(network, num_points=32, warmup_steps=0)
    known = photo_like(0)
    nothing = known._replace(flow_0to1=torch.full_like(known.flow_0to1, NAN))
    states = []

    class Remember(pl.Callback):
        def on_train_batch_end(self, *rest: Any) -> None:
            states.append({name: value.clone() for name, value in network.named_parameters()})

    fit(task, [known, nothing, known], callbacks=[Remember()])
    first, second, third = states
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(second[name], third[name]) for name in first)


def test_pixels_around_which_nothing_is_known_say_nothing_of_keypoints():
    """Of sparse points, that they are no keypoints is not known."""
    torch.manual_seed(0)
    network = UniversalCorrespondenceNetwork(descriptor_dim=16)
    batch = photo_like(0)
    flow = torch.full_like(batch.flow_0to1, NAN)
    flow[:, 4:44:5, 2:40:5] = batch.flow_0to1[:, 4:44:5, 2:40:5]
    batch = batch._replace(flow_0to1=flow, keypoints0=torch.full((2, 1, 2), NAN))
    trainer = fit(task_of(network, num_points=32), [batch])
    assert float(trainer.callback_metrics["train/repeatability_loss"]) == 0
    assert math.isfinite(trainer.callback_metrics["train/loss"])


@pytest.mark.parametrize(
    "loss",
    [CorrespondenceContrastiveLoss, HardestContrastiveLoss, InfoNCELoss, DualSoftmaxLoss],
)
def test_a_recipe_says_which_loss(loss):
    options = ["--model.loss", f"corr.losses.{loss.__name__}"]
    options += ["--model.loss.init_args.guard.radius", "7"]
    task = build_recipe("smoke/ucn", options).task
    assert type(task.loss) is loss
    assert task.loss.guard.radius == 7


def test_the_recipe_of_the_paper():
    task = build_recipe("correspondence/ucn-hard-negatives").task
    assert type(task.loss) is CorrespondenceContrastiveLoss
    assert (task.loss.mining, task.loss.neg_margin, task.loss.guard.radius) == ("hardest", 1, 16)
    assert task.mines_hardest


def test_negatives_of_the_pair_train_a_network():
    torch.manual_seed(0)
    network = UniversalCorrespondenceNetwork(descriptor_dim=16)
    before = {name: value.clone() for name, value in network.named_parameters()}
    task = task_of(network, num_points=64, warmup_steps=0, negatives="pair")
    trainer = fit(task, [photo_like(0), photo_like(1)])
    assert math.isfinite(trainer.callback_metrics["train/loss"])
    for name, value in network.named_parameters():
        assert not torch.equal(value, before[name]), name
