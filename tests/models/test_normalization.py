"""Normalisation of patches: which transform acts first, the classical parts, distances."""

from __future__ import annotations

import math

import pytest
import torch
from turned_photo import QUARTER, some_frames, turned

from corr.geometry import (
    compose_frames,
    extract_patches,
    frame_angles_deg,
    patch_frames,
    pixel_grid,
    transform_patches,
)
from corr.losses.frames import frame_distance, frame_mismatch, turn_deg
from corr.models import HardNetSTN
from corr.models.gradient_normalization import AffineShape, DominantOrientation
from corr.models.hardnet_stn import CLASSICAL, build_normalization
from corr.models.normalization import InTurn


class TestComposition:
    def test_the_transform_acts_in_the_patch_first(self, photo):
        """A shear that does not commute with the frame's turn tells one order from the other."""
        frames = some_frames(10, angle_deg=50.0)
        shear = torch.tensor([[1.2, 0.0], [0.4, 0.9]])
        moved = extract_patches(photo, compose_frames(frames, shear))
        within = transform_patches(extract_patches(photo, frames, patch_size=96), shear)
        middle = torch.nn.functional.interpolate(within, size=32, mode="area")
        wrong = compose_frames(frames, torch.eye(2))
        wrong[:, :, :2] = shear @ wrong[:, :, :2]
        inside = pixel_grid(32, 32).sub(15.5).norm(dim=-1) < 10  # where `within` saw real pixels
        off = (moved - middle).abs()[:, 0, inside].mean()
        assert off < 0.02
        assert (extract_patches(photo, wrong) - middle).abs()[:, 0, inside].mean() > 3 * off

    def test_parts_in_turn_are_one_after_the_other(self, photo):
        frames = some_frames()
        shape, orientation = AffineShape(), DominantOrientation()
        expected = orientation(photo, shape(photo, frames))
        torch.testing.assert_close(InTurn(shape, orientation)(photo, frames), expected)

    def test_a_patch_turned_by_45_degrees_has_real_pixels_in_its_corners(self):
        """Cut from the image. The patch alone can only repeat its border there."""
        image = pixel_grid(120, 120).sum(-1)[None, None] / 240  # a ramp along the diagonal
        frame = patch_frames(torch.tensor([[60.0, 60.0]]), torch.ones(1), torch.zeros(1))
        network = HardNetSTN(light=True).eval()
        with torch.no_grad():
            network.normalization.regression.bias.copy_(torch.tensor([1.0, 1.0]))
        moved = network.normalize_frames(image, frame)
        assert frame_angles_deg(moved).item() == pytest.approx(45.0)
        real = extract_patches(image, moved)[0, 0]
        alone = transform_patches(
            extract_patches(image, frame), network.normalization.within(torch.rand(1, 1, 32, 32))
        )[0, 0]
        corners = [0, 0, -1, -1], [0, -1, 0, -1]
        sign = torch.tensor([-1.0, 1.0, -1.0, 1.0])  # of x + y there, once turned
        reach = 10 * math.sqrt(2) * 31 / 32
        torch.testing.assert_close(real[corners], (120 + sign * reach) / 240, atol=1e-4, rtol=0)
        border = 10 * 31 / 32
        torch.testing.assert_close(alone[corners], (120 + sign * border) / 240, atol=1e-4, rtol=0)
        torch.testing.assert_close(alone[8:24, 8:24], real[8:24, 8:24], atol=2e-3, rtol=0)


class TestClassical:
    def test_a_turned_image_turns_the_dominant_orientation(self, photo):
        frames = some_frames()
        found = DominantOrientation()(photo, frames)
        again = DominantOrientation()(*turned(photo, frames))
        error = turn_deg(frame_mismatch(found, again, QUARTER.expand(len(frames), 2, 2)))
        assert error.quantile(0.9) < 1.0
        upright = turn_deg(frame_mismatch(frames, frames, QUARTER.expand(len(frames), 2, 2)))
        assert upright.min() > 89.0

    @pytest.mark.parametrize("angle_deg", [0.0, 90.0, 180.0, 270.0])
    def test_the_x_axis_points_up_a_ramp(self, angle_deg):
        ramp = torch.arange(80.0).expand(1, 1, 80, 80) / 80
        image = torch.rot90(ramp, -round(angle_deg / 90), (2, 3))
        frame = patch_frames(torch.tensor([[39.5, 39.5]]), torch.ones(1), torch.tensor([70.0]))
        found = frame_angles_deg(DominantOrientation()(image, frame)).item()
        assert abs((found - angle_deg + 180) % 360 - 180) < 3.0

    def test_affine_shape_undoes_a_stretch(self):
        """Of a texture without direction, stretched by 2 along x; its area stays."""
        noise = torch.randn(1, 1, 300, 300, generator=torch.Generator().manual_seed(0))
        blurred = torch.nn.functional.avg_pool2d(noise, 9, 1, 4)
        wide = torch.nn.functional.interpolate(blurred, (300, 600), mode="bilinear")
        points = 60 + torch.rand(60, 2, generator=torch.Generator().manual_seed(1)) * 180
        frames = patch_frames(
            points * torch.tensor([2.0, 1.0]), torch.full((60,), 3.0), 0 * points[:, 0]
        )
        axes = (AffineShape()(wide, frames)[:, :, :2] / frames[:, :1, :1]).double()
        torch.testing.assert_close(torch.linalg.det(axes), torch.ones(60).double())
        assert axes[:, 0, 1].abs().max() == 0
        assert 1.5 < (axes[:, 0, 0] / axes[:, 1, 1]).median() < 2.5
        assert axes[:, 1, 0].median().abs() < 0.1

    @pytest.mark.parametrize("name", CLASSICAL)
    def test_nothing_to_train_or_to_save(self, name):
        normalization = build_normalization(name)
        assert not list(normalization.parameters())
        assert not normalization.state_dict()
        flat = normalization(torch.full((1, 1, 50, 50), 0.3), some_frames(3))
        assert flat.isfinite().all()


class TestFrameDistance:
    def test_none_where_both_frames_see_the_same(self):
        frames = some_frames(5, angle_deg=10.0)
        affine = torch.tensor([[0.5, 0.2], [-0.1, 0.7]]).expand(5, 2, 2)
        seen = compose_frames(frames, torch.eye(2))
        seen[:, :, :2] = affine @ frames[:, :, :2]
        mismatch = frame_mismatch(frames, seen, affine)
        assert frame_distance(mismatch).item() == pytest.approx(0.0, abs=1e-9)
        assert turn_deg(mismatch).max() < 1e-3

    def test_a_turn_by_hand(self):
        """A point at radius r moves by 2 r sin(30 degrees); r^2 is 1/2 on average on the disc."""
        frames, other = some_frames(3), some_frames(3, angle_deg=60.0)
        mismatch = frame_mismatch(frames, other, torch.eye(2).expand(3, 2, 2))
        torch.testing.assert_close(turn_deg(mismatch), torch.full((3,), 60.0))
        assert frame_distance(mismatch).item() == pytest.approx(0.5, abs=1e-5)
