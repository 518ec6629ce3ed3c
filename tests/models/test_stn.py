"""Normalisation of patches: what a frame becomes, and that the descriptor sees it."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data

import corr
from corr.errors import ModelError, OptionError
from corr.geometry import (
    compose_frames,
    extract_patches,
    frame_angles_deg,
    patch_frames,
    pixel_grid,
    transform_patches,
)
from corr.losses.frames import frame_distance, frame_mismatch, turn_deg
from corr.models import HardNet, HardNetSTN, LightHardNet, save_network
from corr.models.export import export_network
from corr.models.gradient_normalization import AffineShape, DominantOrientation
from corr.models.hardnet_stn import CLASSICAL, LEARNED, build_normalization
from corr.models.normalization import InTurn, rotation_matrices
from corr.models.stn import SpatialTransformer

SIZE = 240
QUARTER = torch.tensor([[0.0, -1.0], [1.0, 0.0]])


@pytest.fixture(scope="module")
def photo() -> torch.Tensor:
    grey = data.astronaut()[:SIZE, 100 : 100 + SIZE].mean(2)
    return torch.from_numpy(grey).float()[None, None] / 255


def some_frames(count: int = 40, angle_deg: float = 0.0, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    points = 60 + (SIZE - 120) * torch.rand(count, 2, generator=generator)
    scale = 1 + 2 * torch.rand(count, generator=generator)
    return patch_frames(points, scale, torch.full((count,), angle_deg))


def turned(image: torch.Tensor, frames: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Both a quarter turn clockwise, exactly; the frames stay upright."""
    x, y = frames[:, :, 2].unbind(1)
    centres = torch.stack((image.shape[-2] - 1 - y, x), 1)
    upright = torch.cat((frames[:, :, :2], centres[:, :, None]), 2)
    return image.transpose(2, 3).flip(3), upright


def planted(transform: str, seed: int = 0) -> HardNetSTN:
    """A network whose transformer is no identity any more."""
    torch.manual_seed(seed)
    network = HardNetSTN(transform, light=True).eval()
    with torch.no_grad():
        network.normalization.regression.weight.normal_(0, 0.3)
    return network


class TestIdentityAtTheStart:
    @pytest.mark.parametrize("transform", LEARNED)
    def test_frames_are_left_exactly_as_they_are(self, photo, transform):
        network = HardNetSTN(transform).eval()
        frames = some_frames(angle_deg=33.0)
        assert torch.equal(network.normalize_frames(photo, frames), frames)

    @pytest.mark.parametrize("transform", LEARNED)
    @pytest.mark.parametrize(("light", "plain"), [(False, HardNet), (True, LightHardNet)])
    def test_descriptors_are_exactly_the_plain_networks(self, transform, light, plain):
        network, alone = HardNetSTN(transform, light=light).eval(), plain().eval()
        alone.load_state_dict(network.trunk.state_dict())
        patches = torch.rand(5, 1, 32, 32)
        assert torch.equal(network(patches), alone(patches))

    def test_the_same_through_corr_extract(self):
        image = data.astronaut()[:200, :200]
        network = HardNetSTN(light=True, upright=False).eval()
        keypoints = corr.extract(image, max_keypoints=50)
        ours = corr.extract(image, model=network, keypoints=keypoints)
        plain = corr.extract(image, model=network.trunk, keypoints=keypoints)
        np.testing.assert_array_equal(ours.descriptors, plain.descriptors)
        np.testing.assert_array_equal(ours.angle_deg, keypoints.angle_deg)


class TestGradients:
    def test_patches_are_differentiable_in_their_frames(self):
        generator = torch.Generator().manual_seed(1)
        image = torch.rand(1, 1, 40, 40, generator=generator, dtype=torch.double)
        frames = some_frames(2).double()
        frames[:, :, :2] *= torch.tensor([0.11, 0.5]).double()[:, None, None]  # two levels
        frames[:, :, 2] = torch.tensor([[17.3, 20.1], [22.2, 16.4]])
        frames.requires_grad_(True)
        assert torch.autograd.gradcheck(
            lambda at: extract_patches(image, at, patch_size=4), (frames,), eps=1e-7, atol=1e-5
        )

    @pytest.mark.parametrize("transform", LEARNED)
    def test_the_transformer_is_differentiable_in_its_parameters(self, transform):
        torch.manual_seed(0)
        stn = SpatialTransformer(transform).double()
        image = torch.nn.functional.avg_pool2d(torch.rand(1, 1, 64, 64), 5, 1, 2).double()
        frames = some_frames(2).double()
        frames[:, :, 2] = torch.tensor([[30.3, 31.1], [33.2, 28.4]])
        weight = torch.randn_like(stn.regression.weight).mul(0.1)
        factors = torch.ones(len(weight), 1, dtype=torch.double, requires_grad=True)

        def patches(factors: torch.Tensor) -> torch.Tensor:
            state = {"regression.weight": factors * weight}  # each of 320 would take two passes
            moved = torch.func.functional_call(stn, state, (image, frames))
            return extract_patches(image, moved, patch_size=3)

        assert torch.autograd.gradcheck(patches, (factors,), eps=1e-7, atol=1e-4)

    @pytest.mark.parametrize("transform", LEARNED)
    @pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
    def test_the_descriptors_gradient_reaches_every_layer(self, photo, transform, precision):
        network = planted(transform).train()
        with torch.autocast("cpu", dtype=precision, enabled=precision != torch.float32):
            moved = network.normalize_frames(photo, some_frames(12))
            described = network.describe_normalized(extract_patches(photo, moved))
        assert moved.dtype == torch.float32
        (described * torch.randn_like(described)).sum().backward()
        for name, value in network.normalization.named_parameters():
            assert value.grad is not None and value.grad.abs().max() > 0, name

    def test_autocast_moves_no_pixel(self, photo):
        frames = some_frames(angle_deg=20.0)
        rotation = rotation_matrices(torch.tensor([[0.8, 0.6]]))
        expected = extract_patches(photo, compose_frames(frames, rotation))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            found = extract_patches(photo, compose_frames(frames, rotation))
        assert torch.equal(found, expected)


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


def test_a_transformer_learns_to_turn_with_the_image(photo):
    """Trained for moments on turned frames of one photo, it turns those of a turned image back."""
    torch.manual_seed(0)
    stn = SpatialTransformer("rotation")
    optimizer = torch.optim.AdamW(stn.parameters(), 3e-3)

    def error_deg() -> float:
        frames = some_frames(60, seed=99)
        found, again = stn(photo, frames), stn(*turned(photo, frames))
        affine = QUARTER.expand(len(frames), 2, 2)
        return float(turn_deg(frame_mismatch(found, again, affine)).median())

    with torch.no_grad():
        assert error_deg() == pytest.approx(90.0, abs=1e-3)
    for step in range(120):
        frames = some_frames(64, seed=step % 20)
        angles = torch.rand(2, 64) * 2 * torch.pi
        sides = [
            compose_frames(frames, rotation_matrices(torch.stack((a.cos(), a.sin()), -1)))
            for a in angles
        ]
        mismatch = frame_mismatch(
            stn(photo, sides[0]), stn(photo, sides[1]), torch.eye(2).expand(64, 2, 2)
        )
        optimizer.zero_grad()
        frame_distance(mismatch).backward()
        optimizer.step()
    with torch.no_grad():
        assert error_deg() < 25.0


@pytest.mark.parametrize("normalization", ["none", *CLASSICAL, *LEARNED])
def test_saved_and_loaded(normalization, tmp_path: Path, photo):
    network = planted(normalization) if normalization in LEARNED else HardNetSTN(normalization)
    save_network(network.eval(), tmp_path)
    loaded = corr.load_network(tmp_path)
    frames = some_frames()
    assert torch.equal(
        loaded.normalize_frames(photo, frames), network.normalize_frames(photo, frames)
    )
    assert loaded.upright


@pytest.mark.parametrize("transform", LEARNED)
def test_exported_it_turns_patches_within_themselves(transform, tmp_path: Path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="needs the extra 'export'")
    network = planted(transform)
    assert export_network(network, tmp_path / "net.onnx") < 1e-4
    session = onnxruntime.InferenceSession(
        str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"]
    )
    patches = torch.rand(9, 1, 32, 32)
    (found,) = session.run(None, {"patches": patches.numpy()})
    with torch.no_grad():
        np.testing.assert_allclose(found, network(patches).numpy(), atol=1e-4, rtol=0)
        assert (network(patches) - network.trunk(patches)).abs().max() > 0.01


class TestExtraction:
    def test_an_upright_network_does_not_look_at_the_given_angle(self):
        image = data.astronaut()[:200, :200]
        network = planted("rotation")
        keypoints = corr.extract(image, max_keypoints=40)
        ours = corr.extract(image, model=network, keypoints=keypoints)
        upright = corr.extract(image, model=network, keypoints=keypoints.keypoints)
        assert len(ours) == len(keypoints)  # places with two orientations stay two
        assert not np.allclose(ours.angle_deg, keypoints.angle_deg)
        assert np.ptp(ours.angle_deg) > 1.0
        assert len(upright) == len(ours)

    def test_each_place_is_described_once(self):
        image = data.astronaut()[:300, :300]
        found = corr.extract(image, model=planted("rotation"), max_keypoints=200)
        places = np.column_stack((found.keypoints, found.scale))
        assert len(np.unique(places, axis=0)) == len(places) == 200
        oriented = corr.extract(image, max_keypoints=200)
        assert len(np.unique(np.column_stack((oriented.keypoints, oriented.scale)), axis=0)) < 200
        assert np.all(np.diff(found.scores) <= 0)

    def test_read_densely_it_is_refused(self):
        from corr.extractors.dense import dense_descriptors

        with pytest.raises(ModelError, match="HardNetSTN cannot be read densely"):
            dense_descriptors(HardNetSTN(), torch.rand(1, 1, 64, 64))


def test_unknown_names_are_refused():
    with pytest.raises(OptionError, match=r"normalization 'rotate' is not known; use none, dom"):
        build_normalization("rotate")
