"""Transformers of patches: none at the start, then learned, saved, exported and extracted with."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from skimage import data
from turned_photo import QUARTER, planted, some_frames, turned

import corr
from corr.errors import ModelError, OptionError
from corr.geometry import compose_frames, extract_patches
from corr.losses.frames import frame_distance, frame_mismatch, turn_deg
from corr.models import HardNet, HardNetSTN, LightHardNet, save_network
from corr.models.export import export_network
from corr.models.hardnet_stn import CLASSICAL, LEARNED, build_normalization
from corr.models.normalization import rotation_matrices
from corr.models.stn import SpatialTransformer


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
