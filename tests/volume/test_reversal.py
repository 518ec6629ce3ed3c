import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from corr.errors import ShapeError
from corr.volume.correlation import correlation_layer
from corr.volume.reversal import reversed_correlation


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, limit) for limit in (2, 4, 13, 21)]),
    max_displacement=st.integers(0, 9),
    dilation=st.integers(1, 3),
    seed=st.integers(0, 1000),
)
def test_it_is_exactly_the_product_taken_the_other_way_round(
    shape, max_displacement, dilation, seed
):
    generator = torch.Generator().manual_seed(seed)
    # Sums of products of whole numbers have no rounding, whatever their order.
    first, second = torch.randint(-9, 10, (2, *shape), generator=generator).double()
    window = {"max_displacement": max_displacement, "dilation": dilation}
    found = reversed_correlation(correlation_layer(first, second, **window), **window)
    assert torch.equal(found, correlation_layer(second, first, **window))


def test_the_window_of_flownetc():
    first, second = torch.randn(2, 1, 8, 24, 32, generator=torch.Generator().manual_seed(0))
    found = reversed_correlation(correlation_layer(first, second))
    torch.testing.assert_close(found, correlation_layer(second, first))


def test_it_carries_gradients():
    scores = torch.randn(1, 9, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda s: reversed_correlation(s, 2, dilation=2), scores)


def test_another_window_is_refused():
    with pytest.raises(ShapeError, match=r"scores of 8 channels were given; .* dilation 2 make 9"):
        reversed_correlation(torch.zeros(1, 8, 3, 3), 2, dilation=2)
