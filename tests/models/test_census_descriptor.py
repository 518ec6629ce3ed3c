"""The learned census: its size, how it begins, how far it sees, edges beside a pixel."""

import inspect
import re

import numpy as np
import pytest
import torch

from corr.errors import OptionError
from corr.extractors import dense_tiles
from corr.extractors.dense_tiles import describe_cells
from corr.models import CensusDescriptor, StereoDescriptor, load_network, save_network
from corr.volume.census import census


def built(**settings) -> CensusDescriptor:
    torch.manual_seed(0)
    return CensusDescriptor(**settings).eval()


def picture(height: int = 40, width: int = 50) -> torch.Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(1))


def test_size_is_what_the_docstring_states():
    text = inspect.getdoc(CensusDescriptor) or ""
    stated = re.search(r"([\d ]+) parameters; ([\d ]+) multiply-adds a pixel", text)
    parameters, operations = (int(number.replace(" ", "")) for number in stated.groups())
    network = built()
    assert sum(value.numel() for value in network.parameters()) == parameters
    weights = [value.numel() for name, value in network.named_parameters() if "weight" in name]
    assert sum(weights) == operations


@pytest.mark.parametrize("size", [(40, 50), (1, 1), (1, 9), (3, 2)])
def test_a_unit_vector_at_every_pixel(size):
    with torch.no_grad():
        found = built(descriptor_dim=24)(picture(*size)).descriptors
    assert found.shape == (1, 24, *size)
    assert torch.allclose(torch.linalg.vector_norm(found, dim=1), torch.ones(1, *size), atol=1e-5)


def test_untransformed_bits_are_those_of_the_census():
    """The cosine of two pixels is `1 - 2 h / 62`, with h of their census bits different."""
    grey = np.random.default_rng(0).permutation(20 * 30).reshape(20, 30)  # no two pixels are equal
    words = census((grey % 256).astype(np.uint8))
    image = torch.from_numpy((grey % 256) / 255).float()[None, None].expand(1, 3, -1, -1)
    with torch.no_grad():
        bits = built(sharpness=1e6).bits(image[:, :1])
    points = np.random.default_rng(1).integers((0, 0), (20, 30), (200, 2, 2))
    for (y0, x0), (y1, x1) in points:
        own, other = bits[0, :, y0, x0], bits[0, :, y1, x1]
        if (own == 0).any() or (other == 0).any():  # equal grey values, which census orders
            continue
        different = int(words[y0, x0] ^ words[y1, x1]).bit_count()
        assert float(own @ other) == pytest.approx(62 - 2 * different, abs=1e-3)


@pytest.mark.parametrize("window", [(7, 9), (3, 1), (1, 5)])
def test_it_sees_its_window_and_no_farther(window):
    network, image = built(window=window, sharpness=1.0), picture().requires_grad_()
    found = network(image).descriptors[0, :, 20, 25]
    (slopes,) = torch.autograd.grad((found * torch.linspace(-1, 1, len(found))).sum(), image)
    rows, columns = (slopes.abs().sum(axes).nonzero().flatten() for axes in ((0, 1, 3), (0, 1, 2)))
    assert (int(rows[0]), int(rows[-1])) == (20 - window[0] // 2, 20 + window[0] // 2)
    assert (int(columns[0]), int(columns[-1])) == (25 - window[1] // 2, 25 + window[1] // 2)
    assert network.context == max(window) // 2


def test_brightness_and_strong_edges_beside_a_pixel_change_nothing():
    """An offset of a view, and how much brighter a nearer thing beside a pixel is."""
    image = 0.2 + 0.1 * picture()
    brighter, strong = image + 0.3, image.clone()
    image[..., 28:], strong[..., 28:] = image[..., 28:] + 0.2, strong[..., 28:] + 0.6
    with torch.no_grad():
        network, patches = built(), StereoDescriptor().eval()
        plain, moved, edged = (
            [net(view).descriptors[0, :, 20] for net in (network, patches)]
            for view in (image, brighter, strong)
        )
    assert torch.allclose(plain[0][:, :20], moved[0][:, :20], atol=1e-4)
    alike = [float(a[:, 26] @ b[:, 26]) for a, b in zip(plain, edged, strict=True)]
    assert alike[0] > 0.9999 > alike[1] + 1e-3


def test_tiles_say_what_the_whole_says(monkeypatch):
    monkeypatch.setattr(dense_tiles, "multiplies_bfloat16", lambda device: False)
    network, image = built(), picture(90, 130)
    whole = describe_cells(image, network)
    monkeypatch.setattr(dense_tiles, "TILE_CELLS", 1500)
    assert torch.allclose(describe_cells(image, network), whole, atol=1e-5)
    with torch.no_grad():
        assert torch.allclose(network(image).descriptors, whole, atol=1e-5)


def test_bfloat16_does_not_take_grey_levels(monkeypatch):
    """Steps of one level in a bright image, which bfloat16 cannot hold, are still told apart."""
    levels = torch.randint(250, 254, (1, 1, 40, 50), generator=torch.Generator().manual_seed(2))
    image = (levels / 255).expand(-1, 3, -1, -1)
    network = built()
    with torch.no_grad():
        exact = network(image).descriptors
        with torch.autocast("cpu", torch.bfloat16):
            rounded = network(image).descriptors
    assert float((exact * rounded).sum(1).min()) > 0.99


def test_it_is_saved_and_loaded(tmp_path):
    network, image = built(descriptor_dim=16, window=(5, 5), sharpness=50.0), picture()
    save_network(network, tmp_path / "net")
    with torch.no_grad():
        again = load_network(tmp_path / "net")(image).descriptors
        assert torch.equal(again, network(image).descriptors)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"window": (4, 9)}, r"window is \[4, 9\]"),
        ({"window": (1, 1)}, r"window is \[1, 1\]"),
        ({"window": (7,)}, r"window is \[7\]"),
        ({"sharpness": 0.0}, "sharpness is 0"),
        ({"descriptor_dim": 0}, "descriptor_dim is 0"),
    ],
)
def test_refusals(settings, said):
    with pytest.raises(OptionError, match=said):
        CensusDescriptor(**settings)
