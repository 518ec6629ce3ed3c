"""Negatives from the pair alone: each pair of a batch as if it stood by itself."""

from __future__ import annotations

from typing import Any

import pytest
import pytorch_lightning as pl
import torch
import torch.nn.functional as F

from corr.errors import RecipeError
from corr.losses import DualSoftmaxLoss, Guard, HardestContrastiveLoss, InfoNCELoss, Labels
from corr.models import UniversalCorrespondenceNetwork
from corr.tasks import CorrespondenceTask
from corr.tasks.described import Described
from corr.tasks.quiet import quiet
from corr.tasks.recipe import build_recipe


def rows(counts: list[int], seed: int = 0) -> Described:
    """Descriptors and places of so many points of each image of a batch."""
    generator = torch.Generator().manual_seed(seed)
    sides = [F.normalize(torch.randn(sum(counts), 8, generator=generator)) for _ in range(2)]
    places = torch.rand(sum(counts), 2, generator=generator) * 40
    images = torch.repeat_interleave(torch.arange(len(counts)), torch.tensor(counts))
    return Described(*sides, Labels(points=places, images=images))


def of_image(described: Described, number: int) -> Described:
    own = described.labels.images == number
    labels = Labels(points=described.labels.points[own], images=described.labels.images[own])
    return Described(described.anchors[own], described.positives[own], labels)


def in_training(negatives: str, loss: Any = None) -> Any:
    network = UniversalCorrespondenceNetwork(descriptor_dim=8)
    task = CorrespondenceTask(network, loss or DualSoftmaxLoss(), negatives=negatives)
    with quiet():
        task.trainer = pl.Trainer(accelerator="cpu", logger=False, enable_checkpointing=False)
    return task


LOSSES = [
    DualSoftmaxLoss(guard=Guard(min_distance=0.0, radius=6.0)),
    HardestContrastiveLoss(guard=Guard(min_distance=0.0, radius=6.0)),
    InfoNCELoss(),
]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_negatives_of_the_pair_give_the_mean_of_the_losses_of_each_pair_alone(loss):
    counts = [20, 7, 13]
    described = rows(counts)
    alone = [float(loss(*of_image(described, number))) for number in range(3)]
    expected = sum(value * count for value, count in zip(alone, counts, strict=True)) / 40
    assert in_training("pair", loss).loss_now(described).item() == pytest.approx(expected, rel=1e-5)
    whole = float(in_training("batch", loss).loss_now(described))
    assert whole == pytest.approx(float(loss(*described)), rel=1e-6)
    assert abs(whole - expected) > 1e-3 * expected


def test_a_row_of_another_pair_is_no_negative():
    """Its place among the descriptors changes no gradient of the first pair's rows."""
    found = {}
    for negatives in ("pair", "batch"):
        task, gradients = in_training(negatives), []
        for seed in (1, 2):
            described, other = rows([9, 6]), rows([9, 6], seed)
            positives = torch.cat((described.positives[:9], other.positives[9:]))
            anchors = described.anchors.clone().requires_grad_()
            task.loss_now(Described(anchors, positives, described.labels)).backward()
            gradients.append(anchors.grad[:9])
        found[negatives] = torch.equal(*gradients)
    assert found == {"pair": True, "batch": False}


def test_a_pair_with_one_row_or_none_has_no_say():
    task, described = in_training("pair"), rows([0, 12, 1, 0, 5])
    kept = (described.labels.images == 1) | (described.labels.images == 4)
    labels = Labels(points=described.labels.points[kept], images=described.labels.images[kept])
    without = Described(described.anchors[kept], described.positives[kept], labels)
    assert torch.equal(task.loss_now(described), task.loss_now(without))
    anchors = described.anchors.clone().requires_grad_()
    task.loss_now(described._replace(anchors=anchors)).backward()
    assert (anchors.grad.abs().sum(1) > 0).tolist() == kept.tolist()


def test_a_batch_of_single_rows_teaches_nothing_and_breaks_nothing():
    described = rows([1, 1, 1])
    anchors = described.anchors.clone().requires_grad_()
    loss = in_training("pair").loss_now(described._replace(anchors=anchors))
    loss.backward()
    assert loss.item() == 0
    assert torch.equal(anchors.grad, torch.zeros_like(anchors))


def test_a_word_for_negatives_that_is_none():
    with pytest.raises(RecipeError, match=r"model\.negatives: 'image'.*'pair', 'batch'"):
        build_recipe("smoke/ucn", ["--model.negatives", "image"])
