"""The Universal Correspondence Network: any size, exact places, small enough."""

import jaxtyping
import pytest
import torch
import yaml

from corr.errors import OptionError
from corr.geometry import sample
from corr.models import UniversalCorrespondenceNetwork, load_network, save_network


def network(trunk="light", **settings):
    torch.manual_seed(0)
    built = UniversalCorrespondenceNetwork(trunk, **settings).train()
    with torch.no_grad():
        for _ in range(3):
            built(torch.rand(2, 3, 64, 64))  # statistics other than those at the start
    return built.eval()


@pytest.fixture(scope="module", params=["light", "resunet", "refined"])
def built(request):
    if request.param == "refined":
        return network("light", refine=True)
    return network(request.param)


@pytest.mark.parametrize("size", [(64, 96), (61, 47), (33, 130), (17, 16)])
def test_images_of_any_size(built, size):
    with torch.no_grad():
        found = built(torch.rand(1, 3, *size))
    rows, columns = (-(-side // built.stride) for side in size)
    assert found.descriptors.shape == (1, 64, rows, columns)
    assert torch.allclose(found.descriptors.norm(dim=1), torch.ones(1, rows, columns), atol=1e-5)
    assert found.repeatability.shape == (1, 1, *size)
    assert found.reliability.shape == (1, 1, rows, columns)


def test_a_moved_image_has_moved_descriptors(built):
    """By whole multiples of the coarsest stride, away from the border."""
    step = built.trunk.multiple
    canvas = torch.rand(1, 3, 256 + step, 256)
    with torch.no_grad():
        # The mean and deviation of the whole image ought not to differ between the two.
        canvas[:, :, :step] = canvas[:, :, -step:]
        first, second = (built(canvas[:, :, a : a + 256]) for a in (0, step))
    shift, edge = step // built.stride, 96 // built.stride
    inner = slice(edge, -edge)
    moved = first.descriptors[:, :, shift:][:, :, inner, inner]
    still = second.descriptors[:, :, :-shift][:, :, inner, inner]
    assert torch.allclose(moved, still, atol=1e-3)
    moved = first.repeatability[:, :, step:][:, :, 96:-96, 96:-96]
    still = second.repeatability[:, :, :-step][:, :, 96:-96, 96:-96]
    assert torch.allclose(moved, still, atol=1e-3)


def test_light_and_contrast_do_not_matter(built):
    image = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        bright, dark = built(image), built(0.2 + 0.5 * image)
    assert torch.allclose(bright.descriptors, dark.descriptors, atol=1e-2)
    flat = built(torch.full((1, 3, 64, 64), 0.5))
    assert flat.descriptors.isfinite().all()


def test_descriptors_are_read_where_their_pixels_are():
    built = network()
    with torch.no_grad():
        found = built(torch.rand(1, 3, 64, 80))
    row, column = 5, 11
    centre = torch.tensor([[[(column + 0.5) * 4 - 0.5, (row + 0.5) * 4 - 0.5]]])
    read = found.read(centre, built.stride)
    assert torch.allclose(read[0, 0], found.descriptors[0, :, row, column], atol=1e-5)


@pytest.mark.parametrize("refine", [False, True])
def test_the_light_trunk_is_light(refine):
    light = network(refine=refine)
    assert sum(value.numel() for value in light.parameters()) <= 1_500_000
    assert light.stride == (1 if refine else 4)


def test_refined_descriptors_lie_where_the_coarse_ones_do():
    """Without their correction they are the coarse ones, read between cells."""
    refined = network(refine=True)
    coarse = UniversalCorrespondenceNetwork().eval()
    weights = refined.state_dict()
    coarse.load_state_dict({name: weights[name] for name in coarse.state_dict()})
    refined.refinement.layers[-1].weight.data.zero_()
    image = torch.rand(1, 3, 64, 80)
    x, y = torch.meshgrid(torch.arange(4.0, 60), torch.arange(4.0, 50), indexing="xy")
    points = torch.stack((x, y), -1).reshape(1, -1, 2)
    with torch.no_grad():
        raw = {}
        for name, one in (("fine", refined), ("coarse", coarse)):
            keep = one.describe.register_forward_hook(
                lambda module, given, made, name=name: raw.update({name: made})
            )
            raw[f"{name} read"] = one(image)
            keep.remove()
        read = sample(raw["coarse"], (points + 0.5) / 4 - 0.5)
    expected = torch.nn.functional.normalize(read, dim=-1)
    found = raw["fine read"].read(points, refined.stride)
    assert torch.allclose(found, expected, atol=1e-5)
    logits = sample(raw["coarse read"].reliability, (points + 0.5) / 4 - 0.5)
    assert torch.allclose(sample(raw["fine read"].reliability, points), logits, atol=1e-4)


def test_refined_descriptors_tell_pixels_of_a_cell_apart():
    refined = network(refine=True)
    with torch.no_grad():
        found = refined(torch.rand(1, 3, 64, 64)).descriptors
    cell = found[0, :, 20:24, 20:24].flatten(1).T
    assert (cell @ cell.T - torch.eye(16)).max() < 0.999


def test_a_folder_written_before_there_were_transformers_loads(tmp_path):
    """`network.yaml` names what the constructor took then."""
    built = network(descriptor_dim=32)
    save_network(built, tmp_path / "net")
    record = yaml.safe_load((tmp_path / "net" / "network.yaml").read_text())
    assert record["init_args"].pop("transformer") is None
    assert record["init_args"].pop("refine") is False
    matching = "scales", "more_scales", "ratio", "relaxed_ratio", "inconsistent_px", "support_px"
    for later in (*matching, "rotations", "seen_px"):
        del record["init_args"][later]
    assert record["init_args"] == {"trunk": "light", "descriptor_dim": 32, "keypoints": True}
    (tmp_path / "net" / "network.yaml").write_text(yaml.safe_dump(record))
    image = torch.rand(1, 3, 48, 48)
    with torch.no_grad():
        first, second = built(image), load_network(tmp_path / "net")(image)
    assert torch.equal(first.descriptors, second.descriptors)
    assert torch.equal(first.repeatability, second.repeatability)


def test_every_weight_learns(built):
    built.train()
    found = built(torch.rand(2, 3, 64, 64))
    weight = torch.randn_like(found.descriptors)
    loss = (found.descriptors * weight).sum() + found.repeatability.sum()
    (loss + found.reliability.sum()).backward()
    for name, value in built.named_parameters():
        assert value.grad is not None and value.grad.abs().sum() > 0, name
    built.zero_grad()
    built.eval()


@pytest.mark.parametrize("trunk", ["light", "resunet", "googlenet"])
@pytest.mark.parametrize("transformer", ["rigid", "similarity", "affine", "thin-plate"])
def test_transformers_of_every_trunk(trunk, transformer, tmp_path):
    built = network(trunk, transformer=transformer, descriptor_dim=16, keypoints=False)
    images = torch.rand(1, 3, 50, 41)
    with torch.no_grad():
        upright = built(images)
        torch.nn.init.normal_(built.describe.localization[-1].weight, std=0.3)
        bent = built(images)
    assert float(upright.deformation.max()) < 1e-9
    assert float(bent.deformation.max()) > 0.01
    assert not torch.allclose(bent.descriptors, upright.descriptors, atol=1e-3)
    save_network(built, tmp_path)
    with torch.no_grad():
        assert torch.equal(load_network(tmp_path)(images).descriptors, bent.descriptors)
    built(images).descriptors[0, 0].sum().backward()
    assert built.describe.localization[-1].weight.grad.abs().sum() > 0


def test_saved_and_loaded(tmp_path):
    built = network(descriptor_dim=32, keypoints=False)
    save_network(built, tmp_path / "net")
    loaded = load_network(tmp_path / "net")
    image = torch.rand(1, 3, 48, 48)
    with torch.no_grad():
        first, second = built(image), loaded(image)
    assert torch.equal(first.descriptors, second.descriptors)
    assert second.repeatability is None and not loaded.finds_keypoints


def test_refusals(monkeypatch):
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)  # as outside tests
    with pytest.raises(OptionError, match="trunk is 'heavy'; use one of light, resunet, googlenet"):
        UniversalCorrespondenceNetwork("heavy")
    with pytest.raises(OptionError, match="transform is 'bent'; use one of rigid, similarity"):
        UniversalCorrespondenceNetwork(transformer="bent")
    with pytest.raises(OptionError, match="refine is true, but 'resunet' describes every pixel"):
        UniversalCorrespondenceNetwork("resunet", refine=True)
    with pytest.raises(OptionError, match="descriptor_dim is 0"):
        UniversalCorrespondenceNetwork(descriptor_dim=0)
