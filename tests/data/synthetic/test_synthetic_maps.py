"""A layer's map to a view and its inverse, which are both in closed form."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from corr.data.synthetic.maps import (
    COUPLING_NAMES,
    NUM_ROWS,
    LayerMap,
    pack,
    to_layer,
    to_view,
)

SIZE = 200.0


def random_map(seed: int, warped: bool):
    rng = np.random.default_rng(seed)
    homography = np.eye(3) + rng.uniform(-0.3, 0.3, (3, 3)) * [
        [1, 1, 60],
        [1, 1, 60],
        [3e-3, 3e-3, 0],
    ]
    if not warped:
        return pack([LayerMap(homography)])
    coupling = {name: rng.uniform(-0.15, 0.15) for name in COUPLING_NAMES}
    for name in coupling:
        if "rate" in name or "phase" in name:
            coupling[name] = rng.uniform(0, 4)
    affine = np.array([[SIZE / 2, 8, SIZE / 2], [-5, SIZE / 2, SIZE / 2], [0, 0, 1]])
    return pack([LayerMap(np.linalg.inv(affine) @ homography, coupling, affine)])


def columns(packed: np.ndarray) -> torch.Tensor:
    assert packed.shape == (NUM_ROWS, 1)
    return torch.from_numpy(packed).float()


@given(st.integers(0, 10_000), st.booleans())
@settings(max_examples=60, deadline=None)
def test_there_and_back(seed, warped):
    table = columns(random_map(seed, warped))
    u, v = (torch.rand(2, 500, generator=torch.Generator().manual_seed(seed)) - 0.5) * SIZE
    x, y = to_view(table, u, v, warped=warped)
    back_u, back_v, _ = to_layer(table, x, y, warped=warped)
    assert torch.allclose(back_u, u, atol=2e-3)
    assert torch.allclose(back_v, v, atol=2e-3)


@pytest.mark.parametrize("warped", [False, True])
def test_length_of_a_pixel_is_the_root_of_its_area(warped):
    table = columns(random_map(3, warped)).double()
    x, y = torch.rand(2, 100, dtype=torch.float64) * SIZE
    step = 1e-4
    u, v, length = to_layer(table, x, y, warped=warped)
    right = to_layer(table, x + step, y, warped=warped)
    below = to_layer(table, x, y + step, warped=warped)
    area = (right[0] - u) * (below[1] - v) - (right[1] - v) * (below[0] - u)
    assert torch.allclose(length, area.abs().sqrt() / step, rtol=1e-3)


def test_a_homography_is_what_it_is_elsewhere():
    matrix = np.array([[1.1, 0.2, 5], [-0.1, 0.9, -7], [1e-3, -5e-4, 1]])
    x, y = to_view(
        columns(pack([LayerMap(matrix)])), torch.tensor([10.0]), torch.tensor([20.0]), warped=False
    )
    expected = matrix @ [10, 20, 1]
    assert x.item() == pytest.approx(expected[0] / expected[2], abs=1e-4)
    assert y.item() == pytest.approx(expected[1] / expected[2], abs=1e-4)
