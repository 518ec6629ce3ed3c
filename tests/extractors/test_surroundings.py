"""Places described with what is around them."""

import pytest
import torch
import torch.nn.functional as F
from skimage import data

import corr
from corr.errors import OptionError
from corr.extractors.surroundings import AROUND, read_surroundings


def read(points):
    """A unit-length descriptor that only the place decides."""
    waves = torch.arange(1, 9.0)
    angles = points[:, :1] * waves / 50 + points[:, 1:] * waves.flip(0) / 70
    return F.normalize(torch.cat((angles.sin(), angles.cos()), 1), dim=1)


def test_similarity_is_the_mean_of_five():
    generator = torch.Generator().manual_seed(0)
    points0, points1 = 100 * torch.rand(2, 20, 2, generator=generator)
    joined = read_surroundings(read, points0, 6) @ read_surroundings(read, points1, 6).T
    moved = [6.0 * torch.tensor(offset) for offset in AROUND]
    expected = sum(read(points0 + step) @ read(points1 + step).T for step in moved) / 5
    torch.testing.assert_close(joined, expected)


def test_of_unit_length_with_the_place_first():
    points = torch.tensor([[3.0, 4.0], [50.0, 8.5]])
    joined = read_surroundings(read, points, 8)
    torch.testing.assert_close(joined.norm(dim=1), torch.ones(2))
    torch.testing.assert_close(joined[:, :16] * 5**0.5, read(points))
    assert torch.equal(read_surroundings(read, points, 0), read(points))


def test_surroundings_find_more_places_of_the_shipped_network():
    """Of a photograph in other light with noise, moved; and none of it is lost at the border."""
    generator = torch.Generator().manual_seed(1)
    photo = torch.from_numpy(data.coffee()[:240, :320].copy())
    noisy = (0.7 * photo + 20 + 25 * torch.randn(photo.shape, generator=generator)).clamp(0, 255)
    pair = photo.numpy(), noisy.byte().roll((12, 20), dims=(0, 1)).numpy()
    found = {}
    for support in (0, 8):
        dense = corr.match_dense(*pair, model="ucn", support_px=support, mutual=False)
        error = (torch.from_numpy(dense.flow) - torch.tensor([20.0, 12.0])).norm(dim=2)
        found[support] = (error[:50, :70] <= 3).float().mean()
    assert found[8] > found[0] + 0.02


def test_refusals():
    with pytest.raises(OptionError, match="support_px is -1; use 0 or more"):
        corr.models.UniversalCorrespondenceNetwork(support_px=-1)
    with pytest.raises(OptionError, match="support_px is -4; use 0 px or more"):
        corr.match_dense("a.png", "b.png", support_px=-4)
