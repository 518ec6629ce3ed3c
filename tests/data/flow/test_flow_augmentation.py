"""Augmented frames keep their flow exact: it still leads from one frame to the other."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from corr.data.flow.augmentation import AS_IT_IS, FlowGeometry, Window, augment, seen_through
from corr.data.flow.batches import FlowBatch, WholeFrames
from corr.data.flow.colour import AS_THEY_ARE, FlowColour, recolour
from corr.errors import OptionError
from corr.geometry import pixel_grid, sample

FRAME, SIZE = (160, 224), (128, 128)
MATRIX = torch.tensor([[1.04, -0.06], [0.05, 0.97]])
SHIFT = torch.tensor([7.3, -4.6])


def texture(points: Tensor) -> Tensor:
    """A smooth pattern that is defined everywhere, `(..., 3)` in [0, 1]."""
    x, y = points.unbind(-1)
    waves = [torch.sin(0.11 * x + 0.05 * y), torch.sin(0.07 * y - 0.03 * x), torch.cos(0.06 * x)]
    return 0.5 + 0.45 * torch.stack(waves, -1)


def moving(seed: int = 0) -> WholeFrames:
    """A pattern, and the same under a known affine motion: image1(A p + t) = image0(p)."""
    grid = pixel_grid(*FRAME)
    back = (grid - SHIFT) @ torch.linalg.inv(MATRIX).T
    images = [(255 * texture(points)).round().byte().permute(2, 0, 1) for points in (grid, back)]
    flow = (grid @ MATRIX.T + SHIFT - grid).permute(2, 0, 1)
    target = grid + flow.permute(1, 2, 0)
    outside = ((target < 0) | (target > torch.tensor([FRAME[1] - 1, FRAME[0] - 1]))).any(-1)
    return WholeFrames([images[0]], [images[1]], [flow], [outside], seed)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def difference(batch: FlowBatch) -> tuple[float, float]:
    """Of image 1 brought back by the flow from image 0 where it is visible, and the share."""
    points = pixel_grid(*batch.flow_0to1.shape[-2:]) + batch.flow_0to1.permute(0, 2, 3, 1)
    back = sample(batch.images1, points.nan_to_num(-10.0), padding="border").permute(0, 3, 1, 2)
    visible = ~batch.occluded & batch.flow_0to1.isfinite().all(1)
    error = (back - batch.images0).abs().amax(1)
    return float(error[visible].max()), float(visible.float().mean())


CHANGES = {
    "cut": {},
    "mirrored": {"mirror": 1.0},
    "upside down": {"upside_down": 1.0},
    "turned by 180 degrees": {"mirror": 1.0, "upside_down": 1.0},
    "magnified": {"zoom": (1.4, 1.4)},
    "reduced": {"zoom": (0.9, 0.9)},
    "stretched": {"zoom": (1.3, 1.3), "stretch": (1.2, 1.2)},
    "turned": {"zoom": (1.5, 1.5), "rotation_deg": 17.0},
    "moved apart": {"zoom": (1.2, 1.2), "relative_shift": 0.05},
    "turned apart": {"zoom": (1.2, 1.2), "relative_rotation_deg": 5.0},
    "magnified apart": {"zoom": (1.2, 1.2), "relative_zoom": (1.05, 1.05)},
}


@pytest.mark.parametrize("name", CHANGES)
def test_the_flow_still_leads_to_the_same_point(name: str):
    geometry = replace(AS_IT_IS, **CHANGES[name])
    for seed in range(3):
        batch = augment(moving(), geometry, SIZE, generator(seed))
        worst, share = difference(batch)
        assert worst < 0.03  # the pattern changes by up to 0.05 a pixel
        assert share > 0.6


def test_everything_at_once_by_the_default_ranges():
    for seed in range(8):
        batch = augment(moving(), FlowGeometry(), SIZE, generator(seed))
        worst, share = difference(batch)
        assert worst < 0.03
        assert share > 0.6
        assert batch.flow_0to1.isfinite().all()


def test_an_affine_flow_is_transformed_to_rounding():
    """By hand: p -> A0^-1 (M (A0 p + a) + t - b) for windows A0 p + a and A1 p + b."""
    turn = torch.tensor([[0.8, -0.3], [0.25, -0.9]])
    windows = (
        Window(turn, torch.tensor([110.0, 80.0]), (64, 64)),
        Window(1.05 * turn, torch.tensor([112.0, 79.0]), (64, 64)),
    )
    frames = moving()
    found = seen_through(*(column[0] for column in frames[:4]), windows)
    grid, middle = pixel_grid(64, 64).double(), 31.5
    source = (grid - middle) @ turn.double().T + windows[0].centre.double()
    target = source @ MATRIX.double().T + SHIFT.double()
    inverse = torch.linalg.inv(1.05 * turn.double())
    expected = (target - windows[1].centre.double()) @ inverse.T + middle - grid
    assert torch.allclose(found.flow_0to1.permute(1, 2, 0).double(), expected, atol=1e-3)


def test_a_window_that_is_cut_is_the_frame_itself():
    frames = moving()
    batch = augment(frames, AS_IT_IS, FRAME, generator())
    assert torch.equal((batch.images0[0] * 255).round().byte(), frames.images0[0])
    assert torch.allclose(batch.flow_0to1[0], frames.flow_0to1[0], atol=1e-4)
    assert torch.equal(batch.occluded[0], frames.occluded[0])


def test_flow_is_not_mixed_across_an_edge_nor_spread_over_the_unknown():
    frames = moving()
    flow = torch.zeros(2, *FRAME)
    flow[0, :, FRAME[1] // 2 :] = 9.0
    flow[:, :40] = torch.nan
    frames = frames._replace(flow_0to1=[flow])
    geometry = FlowGeometry(
        zoom=(1.3, 1.3), stretch=(1, 1), mirror=0.0, upside_down=0.0, relative_shift=0.0,
        relative_zoom=(1, 1), relative_rotation_deg=0.0, rotation_deg=12.0,
    )  # fmt: skip
    batch = augment(frames, geometry, SIZE, generator(1))
    length = torch.linalg.vector_norm(batch.flow_0to1[0], dim=0)
    known = length.isfinite()
    near = torch.minimum(length[known], (length[known] - 9 * 1.3).abs())
    assert float(near.max()) < 1e-3
    assert 0.05 < float(known.float().mean()) < 1
    assert (length[known] > 5).any() and (length[known] < 1).any()


def test_frames_smaller_than_the_window_are_magnified_until_it_fits():
    batch = augment(moving(), FlowGeometry(zoom=(0.5, 0.5)), (192, 256), generator())
    assert batch.images0.shape == (1, 3, 192, 256)
    assert batch.flow_0to1.isfinite().all()


def test_what_leaves_the_window_is_occluded():
    frames = moving()
    flow = torch.zeros(2, *FRAME)
    flow[0] = 40.0
    frames = frames._replace(flow_0to1=[flow], occluded=[torch.zeros(FRAME, dtype=torch.bool)])
    batch = augment(frames, AS_IT_IS, SIZE, generator())
    assert torch.equal(batch.occluded[0].sum(1), torch.full((SIZE[0],), 40))
    assert batch.occluded[0, :, -40:].all()


def test_colours_change_alike_in_both_frames_but_for_a_little():
    image = texture(pixel_grid(64, 64)).permute(2, 0, 1)[None].repeat(6, 1, 1, 1)
    quiet = FlowColour(noise=0.0)
    same = recolour(image, image, FlowColour(noise=0.0, apart=0.0), generator())
    assert torch.equal(*same)
    first, second = recolour(image, image, quiet, generator())
    change = (first - image).abs().mean((1, 2, 3))
    apart = (first - second).abs().mean((1, 2, 3))
    assert (change > 0.03).sum() >= 4
    assert 0 < float(apart.mean()) < 0.5 * float(change.mean())
    assert first.min() >= 0 and first.max() <= 1


def test_noise_and_eraser():
    image = torch.full((64, 3, 64, 64), 0.5)
    ranges = {"contrast": (0, 0), "brightness": 0.0, "colour": (1, 1), "gamma": (1, 1)}
    first, second = recolour(image, image, FlowColour(**ranges, noise=0.04), generator())
    std = first.std((1, 2, 3))
    assert 0.03 < float(std.max()) < 0.041 and float(std.min()) < 0.01
    assert not torch.equal(first, second)
    marked = texture(pixel_grid(64, 64)).permute(2, 0, 1)[None].repeat(16, 1, 1, 1)
    ranges |= {"eraser": 1.0, "eraser_side": (10, 20)}
    first, second = recolour(marked, marked, FlowColour(**ranges, noise=0.0), generator())
    assert torch.equal(first, marked)
    changed = (second != first).any(1).float().mean((1, 2))
    assert (changed > 0).all() and float(changed.max()) <= 20 * 20 / 64**2
    assert torch.equal(recolour(marked, marked, AS_THEY_ARE, generator())[0], marked)


@pytest.mark.parametrize(
    ("kind", "settings", "said"),
    [
        (FlowGeometry, {"zoom": (2.0, 1.0)}, "zoom is 2 to 1; give the lower value first"),
        (FlowGeometry, {"mirror": 1.5}, "mirror is 1.5"),
        (FlowGeometry, {"rotation_deg": 200.0}, "rotation_deg is 0 to 200"),
        (FlowColour, {"noise": -0.1}, "noise is 0 to -0.1"),
        (FlowColour, {"eraser_side": (0.5, 3)}, "eraser_side is 0.5 to 3"),
    ],
)
def test_refusals(kind, settings, said):
    with pytest.raises(OptionError, match=said):
        kind(**settings)
