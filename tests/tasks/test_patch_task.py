"""The patch task: its figures against naive ones, its optimiser, its refusals."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import pytorch_lightning as pl
import torch
from quick_fit import fit
from torch.utils._python_dispatch import TorchDispatchMode

from corr.classical.sift import describe_patches_sift
from corr.data.patch_datamodule import PatchPairs
from corr.errors import OptionError
from corr.losses import (
    DescriptorLoss,
    GlobalOrthogonalLoss,
    Guard,
    HyNetLoss,
    Labels,
    NPairLoss,
    SOSNetLoss,
    TripletLoss,
)
from corr.losses.hybrid import length_term
from corr.metrics import fpr95
from corr.models import HardNet, HyNet, LightHardNet, SOSNet, TFeat
from corr.tasks import PatchTask
from corr.tasks.distances import batch_distances
from corr.tasks.patch import pairs_fpr95


def random_pairs(num_pairs: int, seed: int) -> PatchPairs:
    generator = torch.Generator().manual_seed(seed)
    anchor = torch.rand(num_pairs, 1, 32, 32, generator=generator)
    noise = 0.2 * torch.rand(num_pairs, 1, 32, 32, generator=generator)
    return PatchPairs(anchor, (anchor + noise).clamp(0, 1))


def trained(
    task: PatchTask, val: list[PatchPairs], train: PatchPairs | None = None, **settings: Any
) -> pl.Trainer:
    """An epoch takes the same batch four times."""
    return fit(task, [train or random_pairs(16, 0)] * 4, val, **settings)


def small_task(**settings: Any) -> PatchTask:
    torch.manual_seed(0)
    return PatchTask(HardNet(descriptor_dim=16, dropout=0.0), TripletLoss(), **settings)


def test_fpr95_of_pairs_is_that_of_all_the_distances_listed_one_by_one():
    generator = torch.Generator().manual_seed(3)
    anchors = torch.nn.functional.normalize(torch.randn(40, 4, generator=generator), dim=1)
    noise = 0.3 * torch.randn(40, 4, generator=generator)
    positives = torch.nn.functional.normalize(anchors + noise, dim=1)
    distances = [[float(torch.dist(a, p)) for p in positives] for a in anchors]
    positive = np.array([distances[i][i] for i in range(40)])
    negative = np.array([distances[i][j] for i in range(40) for j in range(40) if i != j])
    assert 0 < pairs_fpr95(anchors, positives) < 1
    assert pairs_fpr95(anchors, positives) == pytest.approx(fpr95(positive, negative), abs=1e-9)


def test_fpr95_does_not_depend_on_how_many_rows_are_taken_at_once(monkeypatch: pytest.MonkeyPatch):
    generator = torch.Generator().manual_seed(4)
    anchors = torch.nn.functional.normalize(torch.randn(50, 3, generator=generator), dim=1)
    whole = pairs_fpr95(anchors, anchors.roll(1, 1))
    monkeypatch.setattr("corr.tasks.patch._ROWS_AT_ONCE", 7)
    assert pairs_fpr95(anchors, anchors.roll(1, 1)) == pytest.approx(whole, abs=1e-12)


def test_validation_logs_fpr95_of_the_network_and_of_rootsift_over_all_batches():
    task = small_task()
    pairs = random_pairs(24, 1)
    halves = [
        PatchPairs(*(side[:12] for side in pairs[:2])),
        PatchPairs(*(side[12:] for side in pairs[:2])),
    ]
    trainer = trained(task, halves, max_steps=4)
    task.eval()
    with torch.no_grad():
        learned = pairs_fpr95(task.network(pairs.anchor), task.network(pairs.positive))
    stored = [(side[:, 0] * 255).round().byte().numpy() for side in pairs[:2]]
    rootsift = pairs_fpr95(
        *(torch.from_numpy(describe_patches_sift(side, sigmas=20.0)) for side in stored)
    )
    assert float(trainer.callback_metrics["val/fpr95"]) == pytest.approx(learned, abs=1e-6)
    assert float(trainer.callback_metrics["val/fpr95_rootsift"]) == pytest.approx(
        rootsift, abs=1e-6
    )


def test_a_step_logs_the_loss_and_the_distances_it_comes_from():
    task = small_task(learning_rate=1e-9)
    pairs = random_pairs(16, 0)
    trainer = trained(task, [pairs], max_steps=1)
    task.train()
    with torch.no_grad():
        anchors, positives = task.network(torch.cat(pairs[:2])).chunk(2)
    distances = torch.cdist(anchors.double(), positives.double())
    positive = distances.diagonal()
    others = distances + torch.diag(torch.full((16,), 9.0))
    negative = torch.minimum(others.amin(0), others.amin(1))
    logged = {name: float(value) for name, value in trainer.callback_metrics.items()}
    expected = (1 + positive - negative).clamp_min(0).mean()
    assert logged["train/loss"] == pytest.approx(float(expected), abs=1e-4)
    assert logged["train/positive_distance"] == pytest.approx(float(positive.mean()), abs=1e-4)
    assert logged["train/negative_distance"] == pytest.approx(float(negative.mean()), abs=1e-4)
    assert logged["train/active_share"] == float((1 + positive > negative).double().mean())


def test_the_speed_counts_the_patches_of_both_sides(monkeypatch: pytest.MonkeyPatch):
    now = iter(range(100))
    monkeypatch.setattr("corr.tasks.network_task.time.perf_counter", lambda: float(next(now)))
    trainer = trained(small_task(), [random_pairs(16, 0)], max_steps=1)
    assert float(trainer.callback_metrics["train/patches_per_s"]) == 32


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_training_learns_a_batch_by_heart(optimizer: str):
    torch.manual_seed(0)
    network = LightHardNet(descriptor_dim=16, dropout=0.0)
    rate = 0.1 if optimizer == "sgd" else 0.003
    task = PatchTask(network, TripletLoss(), optimizer=optimizer, learning_rate=rate)
    pairs = random_pairs(16, 0)

    def loss_now() -> float:
        with torch.no_grad():
            return float(task.train().loss(*task.network(torch.cat(pairs[:2])).chunk(2)))

    before = loss_now()
    trained(task, [pairs], max_steps=20, max_epochs=5)
    assert loss_now() < 0.8 * before


def test_the_learning_rate_of_each_step_follows_the_schedule():
    rates: list[float] = []

    class Watch(pl.Callback):
        def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
            rates.append(trainer.optimizers[0].param_groups[0]["lr"])

    task = small_task(learning_rate=0.4, warmup_steps=3)
    trained(task, [random_pairs(16, 0)], max_steps=8, max_epochs=2, callbacks=[Watch()])
    # The rate in force after step k, so of step k + 1; the first step took 0.4 * 1/4.
    assert rates == pytest.approx([0.2, 0.3, 0.4, 0.32, 0.24, 0.16, 0.08, 0.0])


def test_both_views_go_through_the_network_as_one_batch_in_channels_last():
    task = small_task()
    seen: list[torch.Tensor] = []
    task.network.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    task.describe(random_pairs(6, 0))
    assert [patches.shape[0] for patches in seen] == [12]
    weight = next(value for value in task.network.parameters() if value.shape[1:2] == (32,))
    assert weight.is_contiguous(memory_format=torch.channels_last)


def test_a_loss_may_take_no_labels_and_gets_them_if_it_does():
    seen: list[Labels | None] = []

    class Plain(DescriptorLoss):
        def forward(self, anchors: torch.Tensor, positives: torch.Tensor) -> torch.Tensor:
            return (anchors - positives).square().sum(1).mean()

    class Labelled(TripletLoss):
        def forward(
            self, anchors: torch.Tensor, positives: torch.Tensor, labels: Labels | None = None
        ) -> torch.Tensor:
            seen.append(labels)
            return super().forward(anchors, positives, labels)

    pairs = random_pairs(16, 0)
    places = PatchPairs(*pairs[:2], torch.rand(16, 2) * 100, torch.arange(16) // 4)
    for loss in (Plain(), GlobalOrthogonalLoss(Plain()), Labelled(guard=Guard(radius=3.0))):
        trained(PatchTask(HardNet(descriptor_dim=16), loss), [pairs], train=places, max_steps=1)
    assert len(seen) == 1
    assert seen[0] is not None
    assert torch.equal(seen[0].points, places.points)
    assert torch.equal(seen[0].images, places.images)
    trained(PatchTask(HardNet(descriptor_dim=16), Labelled()), [pairs], max_steps=1)
    assert seen[1] is None


def test_what_is_logged_needs_no_matrix_of_all_pairs():
    largest = 0

    class Watch(TorchDispatchMode):
        def __torch_dispatch__(
            self, func: Any, types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            nonlocal largest
            made = func(*args, **(kwargs or {}))
            for value in made if isinstance(made, (list, tuple)) else [made]:
                if isinstance(value, torch.Tensor):
                    largest = max(largest, value.numel())
            return made

    generator = torch.Generator().manual_seed(0)
    sides = torch.nn.functional.normalize(torch.randn(2, 3000, 16, generator=generator), dim=2)
    loss = TripletLoss()
    with Watch():
        found = batch_distances(*sides, None, loss)
        share = loss.guard.guarded_share(*sides)
    assert largest < 3000 * 3000 / 4
    distances = torch.cdist(*sides.double()) + 9 * torch.eye(3000)
    nearest = torch.minimum(distances.amin(0), distances.amin(1))
    torch.testing.assert_close(found.negative.double(), nearest, rtol=0, atol=1e-4)
    assert float(share) == 0


def test_the_share_that_the_guard_keeps_from_being_negatives_is_logged():
    pairs = random_pairs(16, 0)
    near = torch.arange(16)[:, None] // 4 * 50.0 + torch.zeros(16, 2)
    task = PatchTask(HardNet(descriptor_dim=16), TripletLoss(guard=Guard(radius=3.0)))
    places = PatchPairs(*pairs[:2], near)
    trainer = trained(task, [pairs], train=places, max_steps=1, log_every_n_steps=1)
    assert float(trainer.callback_metrics["train/guarded_share"]) == pytest.approx(3 / 15)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rate": 0.0}, r"learning_rate is 0\.0; use a value above 0"),
        ({"learning_rate": float("nan")}, "learning_rate is nan"),
        ({"weight_decay": -1.0}, r"weight_decay is -1\.0; use 0 or more"),
        ({"warmup_steps": -1}, "warmup_steps is -1; use 0 or more"),
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any], message: str):
    with pytest.raises(OptionError, match=message):
        small_task(**settings)


class TestRawDescriptors:
    """A loss of lengths gets descriptors before they are normalised; the others do not."""

    def lengths(self, loss: DescriptorLoss, *, training: bool) -> torch.Tensor:
        task = PatchTask(HyNet(descriptor_dim=16), loss).train(training)
        anchors, positives, _ = task.describe(random_pairs(8, 0))
        return torch.cat((anchors, positives)).norm(dim=1)

    def test_only_in_training_and_for_the_losses_that_ask(self):
        for loss in (HyNetLoss(), NPairLoss(), GlobalOrthogonalLoss(HyNetLoss())):
            assert (self.lengths(loss, training=True) - 1).abs().min() > 0.01
            torch.testing.assert_close(self.lengths(loss, training=False), torch.ones(16))
        for loss in (SOSNetLoss(), TripletLoss(), GlobalOrthogonalLoss(TripletLoss())):
            torch.testing.assert_close(self.lengths(loss, training=True), torch.ones(16))

    def test_raw_descriptors_are_those_that_are_normalised(self):
        for network in (HyNet(dropout=0.0), HardNet(dropout=0.0), TFeat(), SOSNet(dropout=0.0)):
            patches = random_pairs(4, 1).anchor
            raw = network.eval().raw(patches)
            torch.testing.assert_close(torch.nn.functional.normalize(raw, dim=1), network(patches))
            assert (raw.norm(dim=1) - 1).abs().min() > 0.01

    def test_hynet_is_trained_by_its_length_term(self):
        """It is not 0, and training on it alone makes the two lengths of a match more alike."""
        torch.manual_seed(0)
        pairs = random_pairs(6, 0)
        loss = HyNetLoss(margin=1e-6, alpha=0.0, length_weight=1.0)
        task = PatchTask(HyNet(descriptor_dim=16, dropout=0.0), loss, learning_rate=0.05)

        def term() -> float:
            with torch.no_grad():
                return float(length_term(*task.train().describe(pairs)[:2]))

        before = term()
        assert before > 1e-3
        trained(task, [pairs], max_steps=12, max_epochs=3)
        assert term() < before

    def test_figures_of_a_step_are_of_unit_length(self):
        task = PatchTask(HyNet(descriptor_dim=16, dropout=0.0), HyNetLoss(), learning_rate=1e-9)
        trainer = trained(task, [random_pairs(16, 0)], max_steps=1)
        assert 0 < float(trainer.callback_metrics["train/positive_distance"]) < 2
        assert 0 < float(trainer.callback_metrics["train/negative_distance"]) < 2
