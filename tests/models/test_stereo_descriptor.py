"""The descriptor of every pixel: its size, how far it sees, what it does not depend on."""

import inspect
import re

import pytest
import torch

from corr.errors import OptionError
from corr.extractors import dense_tiles
from corr.extractors.dense_tiles import describe_cells
from corr.models import StereoDescriptor, load_network, save_network


def built(**settings) -> StereoDescriptor:
    torch.manual_seed(0)
    return StereoDescriptor(**settings).eval()


def picture(height: int = 40, width: int = 50) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(1))


def test_size_is_what_the_docstring_states():
    text = inspect.getdoc(StereoDescriptor) or ""
    stated = re.search(r"([\d ]+) parameters; ([\d ]+) multiply-adds a pixel", text)
    parameters, operations = (int(number.replace(" ", "")) for number in stated.groups())
    network = built()
    assert sum(value.numel() for value in network.parameters()) == parameters
    weights = [value.numel() for name, value in network.named_parameters() if "weight" in name]
    assert sum(weights) == operations <= 40_000
    assert 2 * network.context + 1 == 15
    assert f"{2 * network.context + 1} x" in text


@pytest.mark.parametrize("size", [(40, 50), (1, 1), (1, 9), (3, 2)])
def test_a_unit_vector_at_every_pixel(size):
    with torch.no_grad():
        found = built(descriptor_dim=24)(picture(*size)).descriptors
    assert found.shape == (1, 24, *size)
    assert found.dtype == torch.float32
    assert torch.allclose(torch.linalg.vector_norm(found, dim=1), torch.ones(1, *size), atol=1e-5)


@pytest.mark.parametrize("dilations", [(1, 1, 2, 2, 1), (1, 1), (3,)])
def test_it_sees_as_far_as_it_says_and_no_farther(dilations):
    network = built(dilations=dilations)
    normal = network.normalize(picture()).requires_grad_()
    found = network.describe_normalized(normal).descriptors[0, :, 20, 25]
    (slopes,) = torch.autograd.grad((found * torch.linspace(-1, 1, len(found))).sum(), normal)
    rows, columns = (slopes.abs().sum(axes).nonzero().flatten() for axes in ((0, 1, 3), (0, 1, 2)))
    reach = network.context
    assert (int(rows[0]), int(rows[-1])) == (20 - reach, 20 + reach)
    assert (int(columns[0]), int(columns[-1])) == (25 - reach, 25 + reach)


def test_tiles_say_what_the_whole_says(monkeypatch):
    monkeypatch.setattr(dense_tiles, "multiplies_bfloat16", lambda device: False)
    network, image = built(), picture(90, 130)
    whole = describe_cells(image, network)
    monkeypatch.setattr(dense_tiles, "TILE_CELLS", 48**2)
    tiled = describe_cells(image, network)
    torch.testing.assert_close(tiled, whole, atol=2e-5, rtol=0)


def test_light_of_the_camera_changes_next_to_nothing():
    network, image = built(), picture()
    with torch.no_grad():
        first, second = (network(one).descriptors for one in (image, 0.7 * image + 0.2))
    assert (first * second).sum(1).min() > 0.995


def test_the_same_at_every_pixel_of_a_flat_image():
    with torch.no_grad():
        found = built()(torch.full((1, 3, 20, 30), 0.6)).descriptors
    assert found.isfinite().all()
    assert (found - found[:, :, :1, :1]).abs().max() < 1e-3  # rounding alone


def test_saved_and_loaded(tmp_path):
    network = built(width=16, dilations=[1, 2], window=9)
    save_network(network, tmp_path)
    again = load_network(tmp_path)
    with torch.no_grad():
        assert torch.equal(network(picture()).descriptors, again(picture()).descriptors)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"descriptor_dim": 0}, "descriptor_dim is 0"),
        ({"width": 0}, "width is 0"),
        ({"dilations": []}, r"dilations is \[\]"),
        ({"dilations": [1, 0]}, r"dilations is \[1, 0\]"),
        ({"window": 8}, "window is 8; use an odd number"),
        ({"window": 1}, "window is 1"),
    ],
)
def test_refusals(settings, said):
    with pytest.raises(OptionError, match=said):
        StereoDescriptor(**settings)
