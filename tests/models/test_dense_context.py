"""How far a dense network sees is what it says: tiles of an image rely on it."""

import pytest
import torch

from corr.models import UniversalCorrespondenceNetwork


@pytest.mark.parametrize(("trunk", "side"), [("light", 352), ("resunet", 144)])
def test_no_pixel_beyond_the_context_is_seen(trunk, side):
    """Weights are made positive, so that no ReLU is closed and nothing cancels: all that a place
    could see has a gradient."""
    torch.manual_seed(0)
    network = UniversalCorrespondenceNetwork(trunk).double().eval()
    with torch.no_grad():
        for value in network.parameters():
            value.copy_(value.abs() + 1e-3)
            if value.ndim == 4:
                value.div_(value.sum((1, 2, 3), keepdim=True))
    pixels = torch.rand(1, network.view(torch.rand(1, 3, 8, 8)).shape[1], side, side)
    pixels = pixels.double().requires_grad_()
    found = network.describe_normalized(pixels)
    stride, farthest = network.stride, 0.0
    for offset in range(network.multiple):
        place = side // 2 + offset
        cell, centre = place // stride, (place // stride + 0.5) * stride - 0.5
        for value, middle in (
            (found.repeatability[0, 0, place, place], place),
            (found.reliability[0, 0, cell, cell], centre),
            (found.descriptors[0, 0, cell, cell], centre),
        ):
            (slopes,) = torch.autograd.grad(value, pixels, retain_graph=True)
            rows = slopes.abs().sum((0, 1, 3)).nonzero().flatten()
            farthest = max(farthest, middle - int(rows[0]), int(rows[-1]) - middle)
    assert network.context is not None
    assert network.context - 2 * network.multiple < farthest <= network.context
    assert network.multiple % network.stride == 0
