from inspect import unwrap

import pytest
import torch

from corr.errors import OptionError, ShapeError
from corr.volume.correlation import correlate_rows


@pytest.mark.parametrize(
    ("width", "depth"), [(10, 4), (64, 7), (65, 65), (200, 33), (5, 9), (1, 1), (1, 3)]
)
def test_scores_equal_a_naive_loop(width, depth):
    generator = torch.Generator().manual_seed(width)
    left, right = torch.randn(2, 5, 3, width, generator=generator)
    expected = torch.zeros(3, width, depth)
    for x in range(width):
        for d in range(min(depth, x + 1)):
            expected[:, x, d] = (left[:, :, x] * right[:, :, x - d]).sum(0)
    torch.testing.assert_close(correlate_rows(left, right, depth), expected)


def test_scores_carry_gradients():
    generator = torch.Generator().manual_seed(0)
    left, right = torch.randn(
        2, 2, 2, 6, generator=generator, dtype=torch.float64, requires_grad=True
    )
    assert torch.autograd.gradcheck(lambda a, b: correlate_rows(a, b, 3), (left, right))


def test_refusals():
    left = torch.zeros(2, 3, 4)
    with pytest.raises(ShapeError, match="one size"):
        unwrap(correlate_rows)(left, torch.zeros(2, 3, 5), 2)  # past the shape check of the tests
    with pytest.raises(OptionError, match="max_disparity is 0"):
        correlate_rows(left, left, 0)
