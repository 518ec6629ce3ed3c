"""Training with views: what reaches the transformer, and what a short run learns."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from corr.data.view_datamodule import ViewPairs
from corr.errors import OptionError
from corr.geometry import extract_patches, patch_frames
from corr.losses import TripletLoss
from corr.losses.frames import frame_distance, frame_mismatch
from corr.models import HardNet, HardNetSTN
from corr.tasks import ViewTask


def some_pairs(num_pairs: int = 12) -> ViewPairs:
    """The same picture twice; frames of the second at other angles."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(1, 1, 30, 40, generator=generator)
    fine = torch.nn.functional.interpolate(coarse, (120, 160), mode="bicubic").clamp(0, 1)
    view = (255 * fine[0, 0]).byte()
    points = 40 + torch.rand(num_pairs, 2, generator=generator) * torch.tensor([80.0, 40.0])
    scale = torch.full((num_pairs,), 1.5)
    angles = 360 * torch.rand(3, num_pairs, generator=generator)
    frames = [patch_frames(points, scale, angle) for angle in angles]
    row = torch.arange(num_pairs) // (num_pairs // 2)
    return ViewPairs(
        [view, view],
        [view, view],
        row,
        frames[0],
        frames[1],
        frames[2],
        frames[2],
        torch.eye(2).expand(num_pairs, 2, 2),
        points,
        row,
    )


def task(network: torch.nn.Module, **settings: float) -> ViewTask:
    built = ViewTask(network, TripletLoss(), **settings)
    built.log = lambda *_, **__: None  # type: ignore[method-assign]
    built._trainer = SimpleNamespace(world_size=1, global_step=0, log_every_n_steps=0)
    return built


def test_descriptors_are_of_the_patches_at_normalised_frames_in_the_order_of_the_rows():
    batch = some_pairs()
    network = HardNetSTN("dominant-orientation", light=True).eval()
    found = task(network).eval().describe(batch)
    image = batch.views0[0][None, None].float() / 255
    for side, frames in ((found.anchors, batch.frames0), (found.positives, batch.frames1)):
        patches = extract_patches(image, network.normalize_frames(image, frames))
        torch.testing.assert_close(side, network.describe_normalized(patches), atol=1e-5, rtol=0)
    assert torch.equal(found.labels.images, batch.images)


def test_a_network_that_is_not_upright_gets_the_detectors_orientation():
    batch = some_pairs()
    found = task(HardNet().eval()).eval().describe(batch)
    torch.testing.assert_close(found.anchors, found.positives)  # both sides see one picture


@pytest.mark.parametrize("weight", [0.0, 1.0])
def test_the_loss_is_that_of_the_descriptors_and_of_the_frames(
    weight: float, monkeypatch: pytest.MonkeyPatch
):
    torch.manual_seed(0)
    batch = some_pairs()
    built = task(HardNetSTN(light=True, dropout=0.0), frame_weight=weight)
    monkeypatch.setattr("corr.tasks.metric.MetricTask._log_distances", lambda *_: None)
    described = built.describe(batch)
    plain = built.loss(described.anchors, described.positives, described.labels)
    frames = frame_mismatch(batch.frames0, batch.frames1, batch.affine_0to1)
    expected = plain + weight * frame_distance(frames)
    loss = built.training_step(batch, 0)
    torch.testing.assert_close(loss, expected, atol=1e-4, rtol=0)
    loss.backward()
    assert built.network.normalization.regression.weight.grad.abs().max() > 0


def test_a_weight_below_zero_is_refused():
    with pytest.raises(OptionError, match=r"frame_weight is -1\.0; use 0 or more"):
        ViewTask(HardNetSTN(), TripletLoss(), frame_weight=-1.0)
