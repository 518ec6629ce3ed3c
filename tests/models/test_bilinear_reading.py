"""Readings of a table of cells are those of grid sampling."""

import pytest
import torch

from corr.geometry import sample
from corr.models.bilinear_reading import cell_table


@pytest.mark.parametrize("dtype", [torch.double, torch.float32, torch.bfloat16])
def test_the_same_as_grid_sampling_within_across_the_border_and_beyond(dtype):
    torch.manual_seed(0)
    features = torch.randn(3, 8, 6, 7, dtype=dtype)
    places = (torch.rand(3, 400, 2) * torch.tensor([11.0, 10.0]) - 2).to(
        torch.promote_types(dtype, torch.float32)
    )
    edges = torch.tensor([[0.0, 0], [6, 5], [-1, 2], [7, 2], [3, -1], [3, 6], [1e9, 1], [1, -1e9]])
    places[:, : len(edges)] = edges.to(places.dtype)
    found = cell_table(features).read(places)
    expected = sample(features.to(places.dtype), places)
    assert found.dtype == dtype
    tolerance = {torch.double: 1e-12, torch.float32: 1e-5, torch.bfloat16: 0.03}[dtype]
    assert (found.to(expected.dtype) - expected).abs().max() < tolerance


def test_a_place_that_is_no_number_reads_nothing():
    places = torch.tensor([[[float("nan"), 1.0], [float("inf"), 1.0]]])
    assert torch.equal(cell_table(torch.ones(1, 2, 3, 3)).read(places), torch.zeros(1, 2, 2))
